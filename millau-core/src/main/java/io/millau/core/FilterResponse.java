package io.millau.core;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The head of a response before it is sent to the client; see {@link FilterRequest#onResponse}. Valid only during the call.
 *
 * <p>The methods that change it return this. They throw {@link IllegalArgumentException} if a name or value can't be sent, and for
 * fields that frame the message or belong to the connection, such as {@code Content-Length} or {@code Connection}.
 *
 * <pre>{@code
 * builder.filter(request -> request.onResponse(response -> {
 *     response.removeHeader("Server");
 *     if (response.header("Cache-Control") == null) {
 *         response.setHeader("Cache-Control", "no-store");
 *     }
 * }).proceed());
 * }</pre>
 */
public interface FilterResponse {

    /** Its status. */
    int status();

    /** The first value of a header field, in any case; null if there is none. */
    @Nullable
    String header(String name);

    /** All values of a header field, in any case; empty if there is none. */
    List<String> headers(String name);

    /** The names of its header fields. */
    Set<String> headerNames();

    /** Sets a header field, in place of all fields of that name. */
    FilterResponse setHeader(String name, String value);

    /** Adds a header field to those of that name. */
    FilterResponse addHeader(String name, String value);

    /** Removes all header fields of a name. */
    FilterResponse removeHeader(String name);

    /** The service that responded, or that was tried last; null if none was chosen. */
    @Nullable
    Service service();

    /** The endpoint that responded; null if the response is not a service's. */
    @Nullable
    Endpoint endpoint();
}
