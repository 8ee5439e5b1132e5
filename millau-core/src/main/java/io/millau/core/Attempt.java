package io.millau.core;

/**
 * A finished attempt, as a {@link RetryPolicy} sees it. Immutable.
 *
 * @param method the request's method
 * @param service whose endpoint was tried
 * @param outcome how it ended
 * @param number which attempt at this request it was, from 1
 * @param timedOut how many attempts at this request timed out so far, this one included
 */
public record Attempt(String method, Service service, Outcome outcome, int number, int timedOut) {}
