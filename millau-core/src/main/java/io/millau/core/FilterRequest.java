package io.millau.core;

import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The head of a request, for a {@link RequestFilter}. What the client sent is untrusted: texts may contain anything. For one thread
 * at a time, until the verdict is known.
 *
 * <p>Changes are seen by the next filters and by the service. The access log and {@link TrafficListener}s see the host, path and
 * header fields that the client sent.
 *
 * <p>The methods that change the request return this. They throw {@link IllegalArgumentException} if a name or value can't be sent,
 * and for fields that filters can't change: those that frame the message or belong to the connection, such as {@code
 * Content-Length} or {@code Connection}; {@code Host}, see {@link #rewriteHost}; and those that the proxy sets itself, such as
 * {@code X-Forwarded-For}. They throw {@link IllegalStateException} once the verdict is known: the request went on without the change.
 *
 * <pre>{@code
 * builder.filter(request -> request.path().startsWith("/internal/")
 *         ? request.respond(404, "Not found\n")
 *         : request.removeHeader("X-Debug").setHeader("X-Tenant", "t1").proceed());
 * }</pre>
 */
public interface FilterRequest {

    /** Its method, such as {@code GET}. */
    String method();

    /** The Host field, perhaps with a port; empty if there is none. */
    String host();

    /** The path as sent, without the query; {@code *} for a request that concerns the whole server. */
    String path();

    /** The query as sent, without its question mark; empty if there is none. */
    String query();

    /** {@code http} or {@code https}: what the client uses, also in front of a trusted proxy. */
    String scheme();

    /** The client's address, without a port, also in front of a trusted proxy. */
    String clientAddress();

    /** The first value of a header field, in any case; null if there is none. */
    @Nullable
    String header(String name);

    /** All values of a header field, in any case; empty if there is none. */
    List<String> headers(String name);

    /** The names of its header fields. */
    Set<String> headerNames();

    /** The time by the clock of the proxy, in nanoseconds; like {@link System#nanoTime}, only differences mean anything. */
    long nanoTime();

    /** Its id, which the service gets as {@code X-Request-Id}: the client's, or a new one. */
    String requestId();

    /** The version of TLS of the client's connection, such as {@code TLSv1.3}; null without TLS. */
    @Nullable
    String tlsVersion();

    /** The certificate that the client presented and that was verified; null if none was asked for. */
    @Nullable
    X509Certificate clientCertificate();

    /** What {@link #attribute(String, Object)} or a filter before set; null if nothing. */
    @Nullable
    Object attribute(String key);

    /** Keeps a value with the request, for the next filters and for {@link Request#attribute}. */
    FilterRequest attribute(String key, Object value);

    /** Sets a header field, in place of all fields of that name. */
    FilterRequest setHeader(String name, String value);

    /** Adds a header field to those of that name. */
    FilterRequest addHeader(String name, String value);

    /** Removes all header fields of a name. */
    FilterRequest removeHeader(String name);

    /**
     * Sets the path. A filter of the proxy thereby changes which services match; one of a service, what that service gets.
     *
     * @param path starts with a slash; escaped where a URL needs it; without a query
     */
    FilterRequest rewritePath(String path);

    /**
     * Sets the query.
     *
     * @param query escaped where a URL needs it, without a question mark; empty for none
     */
    FilterRequest rewriteQuery(String query);

    /**
     * Sets the Host field. A filter of the proxy thereby changes which services match; one of a service, what that service gets.
     * {@code X-Forwarded-Host} tells the service what the client asked for.
     *
     * @param host a name or an address, with or without a port
     */
    FilterRequest rewriteHost(String host);

    /**
     * Has services of another host get the request, such as canaries: those that fit its path, if one of them has an instance. Else
     * those of its own host get it, as without this. The service gets the Host field of the client. For filters of the proxy; in one
     * of a service it has no effect.
     *
     * @param host a name or an address; clients may send it, too, and so reach these services
     */
    FilterRequest preferHost(String host);

    /**
     * Has the head of the response changed before it is sent, whoever made it: the service, a filter or the proxy itself. Called
     * on the I/O thread, in the order of these calls; must not block. If it throws, the client gets {@code 500} instead.
     */
    FilterRequest onResponse(Consumer<FilterResponse> change);

    /** Lets the request pass. */
    Verdict proceed();

    /**
     * Responds to the request; no further filter gets it.
     *
     * @param status 200 to 599
     * @param text sent as {@code text/plain} in UTF-8; empty for statuses that have no body
     * @throws IllegalArgumentException if the status is another
     */
    Verdict.Response respond(int status, String text);

    /**
     * Responds to the request; no further filter gets it.
     *
     * @param status 200 to 599
     * @param contentType such as {@code application/json}
     * @param body not copied; empty for statuses that have no body
     * @throws IllegalArgumentException if the status is another, or the type can't be sent
     */
    Verdict.Response respond(int status, String contentType, byte[] body);

    /**
     * Redirects the client; no further filter gets the request.
     *
     * @param status 301, 302, 303, 307 or 308
     * @param location a URL, or a path, escaped where it needs it
     * @throws IllegalArgumentException if the status is another, or the location can't be sent
     */
    Verdict.Response redirect(int status, String location);

    /**
     * Decides when a stage completes, by any thread; no thread waits for it. The request ends with {@code 500} if it completes
     * exceptionally, or not within 60 s. The body of the request waits meanwhile, and is not read.
     */
    Verdict defer(CompletionStage<? extends Verdict> verdict);
}
