package io.millau.core;

/**
 * A failed attempt at an endpoint, for a {@link RetryPolicy}. Immutable.
 *
 * @param method the request's method
 * @param service the endpoint's service
 * @param outcome how the attempt ended
 * @param number of this attempt, from 1, counting the request's failed attempts
 * @param timedOut how many of the request's attempts timed out so far, including this one
 */
public record Attempt(String method, Service service, Outcome outcome, int number, int timedOut) {}
