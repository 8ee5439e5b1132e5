package io.millau.core;

/**
 * Looks at requests before they are forwarded: lets them proceed, changes them, responds itself, or decides later. In a gateway it
 * goes by the shorter name {@code io.millau.server.Filter}.
 *
 * <p>It runs once for a request, not for each attempt: the filters of the proxy in the order in which they were added, before a
 * service is chosen, then those of the service that gets the request. If the request fails over to another service, the filters of
 * that service run too, and see nothing of what those of the first one changed. Requests that are malformed, for the challenge of
 * a certificate authority, or redirected as all requests over plain HTTP are, do not reach a filter. A request for an upgrade, to
 * WebSocket for instance, does; the bytes after the upgrade do not.
 *
 * <p>Called on I/O threads, by many requests at once; must not block. What takes time belongs into {@link FilterRequest#defer}. If
 * it throws, returns null, or defers for more than 60 s, the client gets {@code 500} and the service nothing; failures
 * are logged, the first at each place in its code with its stack trace, further ones in a line every 10 s.
 *
 * <p>Bodies are not offered to filters: a proxy streams them.
 *
 * <pre>{@code
 * Set<String> keys = Set.of("secret");
 * RequestFilter apiKey = request -> keys.contains(request.header("X-Api-Key"))
 *         ? request.proceed()
 *         : request.respond(401, "no key\n");
 * Service admin = Service.named("admin")
 *         .hosts("shop.example")
 *         .path("/admin/")
 *         .filter(apiKey)
 *         .endpoints(endpoint)
 *         .build();
 * builder.source(ServiceSource.of(admin));
 * }</pre>
 */
@FunctionalInterface
public interface RequestFilter {

    /**
     * Decides on a request.
     *
     * @param request valid until the verdict is known
     * @return what a method of the request returned; not null
     */
    Verdict filter(FilterRequest request);
}
