package io.millau.core;

/** What is known of a failed attempt. Immutable, but for its request. */
record FailedAttempt(
        Request request, Service service, Endpoint endpoint, Outcome outcome, int status, int number, int timedOut)
        implements Attempt {}
