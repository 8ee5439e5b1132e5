package io.millau.core;

import org.jspecify.annotations.Nullable;

/**
 * A request as its client sent it. Untrusted: texts may contain anything. Valid only during the call that it is given
 * to, and for the thread of that call.
 *
 * <pre>{@code
 * LongAdder old = new LongAdder();
 * builder.listener(new TrafficListener() {
 *     @Override
 *     public void requestBegan(Ingress ingress, Request request) {
 *         if (request.protocol().equals("HTTP/1.0") || "TLSv1.2".equals(request.tlsVersion())) {
 *             old.increment();
 *         }
 *     }
 * });
 * }</pre>
 */
public interface Request {

    /** Its id: the client's {@code X-Request-Id}, or a new one. */
    String id();

    /** The method as in the request line. */
    String method();

    /** The client's address, without a port. */
    String address();

    /** The Host field; empty if there is none. */
    String host();

    /** The path as sent, without the query. */
    String path();

    /** {@code HTTP/1.0}, {@code HTTP/1.1} or {@code HTTP/2.0}. */
    String protocol();

    /** The first value of a header field; null if there is none. */
    @Nullable
    String header(String name);

    /** The version of TLS, such as {@code TLSv1.3}; null without TLS. */
    @Nullable
    String tlsVersion();

    /** What a {@link RequestFilter} kept with it; null if nothing. */
    default @Nullable Object attribute(String key) {
        return null;
    }
}
