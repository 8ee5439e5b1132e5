package io.millau.server;

import io.millau.core.RequestFilter;

/**
 * Looks at requests before they are forwarded; see {@link RequestFilter}, for which this is the name in gateways.
 *
 * <pre>{@code
 * Filter limit = request -> request.query().length() > 1000
 *         ? request.respond(414, "The query is too long\n")
 *         : request.proceed();
 * builder.filter(limit);
 * }</pre>
 */
@FunctionalInterface
public interface Filter extends RequestFilter {}
