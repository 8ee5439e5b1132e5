package io.millau.server;

import io.millau.core.RequestFilter;

/**
 * Looks at requests before they are forwarded; see {@link RequestFilter}, for which this is the name in gateways.
 *
 * <pre>{@code
 * Filter apiKey = request -> keys.contains(request.header("X-Api-Key"))
 *         ? request.proceed()
 *         : request.respond(401, "no key\n");
 * }</pre>
 */
@FunctionalInterface
public interface Filter extends RequestFilter {}
