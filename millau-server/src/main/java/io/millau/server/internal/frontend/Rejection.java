package io.millau.server.internal.frontend;

import io.undertow.server.HttpServerExchange;
import io.undertow.util.AttachmentKey;
import io.undertow.util.StatusCodes;
import org.jspecify.annotations.Nullable;

/**
 * Why a request can't be served as it was sent. It is handled like any other request, so that its response is in the access log,
 * the metrics and the log, and ends the HTTP/1.1 connection, or the HTTP/2 stream alone.
 *
 * @param status the status of the response
 * @param text the response
 * @param reason names what was wrong and what was expected; must not contain the query, which may hold secrets
 */
public record Rejection(int status, String text, String reason) {

    /** The longest head, in bytes, with the target. */
    static final int MAX_HEAD_BYTES = 32 * 1024;

    private static final int MAX_FIELDS = 200;

    /** Undertow can hold no more. */
    static final int MAX_FIELDS_OF_ONE_NAME = 100;

    private static final AttachmentKey<Rejection> KEY = AttachmentKey.create(Rejection.class);

    /** A request without TLS on a port that expects it. */
    static final Rejection PLAIN_HTTP =
            new Rejection(StatusCodes.BAD_REQUEST, "This port speaks HTTPS only\n", "plain HTTP on a port for HTTPS");

    /** A head that there is no memory for. */
    public static final Rejection OVERLOADED = new Rejection(
            StatusCodes.SERVICE_UNAVAILABLE,
            "Overloaded\n",
            "no memory for its head; more memory (-Xmx) allows for more requests at once");

    Rejection(int status, String reason) {
        this(status, StatusCodes.getReason(status) + "\n", reason);
    }

    static Rejection badRequest(String reason) {
        return new Rejection(StatusCodes.BAD_REQUEST, reason);
    }

    /** Null if there is no problem. */
    public static @Nullable Rejection ofProblem(@Nullable String problem) {
        return problem == null ? null : badRequest(problem);
    }

    /** @param most how many bytes the service allows */
    public static Rejection bodyTooLarge(String service, long most) {
        return new Rejection(
                StatusCodes.REQUEST_ENTITY_TOO_LARGE,
                "body of more than " + most + " bytes, the limit of service " + service + " (millau.max-body)");
    }

    static Rejection targetTooLong() {
        return new Rejection(
                StatusCodes.REQUEST_URI_TOO_LARGE, "request target of more than " + MAX_HEAD_BYTES + " bytes");
    }

    /** Null if a head may be so large. */
    static @Nullable Rejection ofSize(int fields, int bytes) {
        if (bytes > MAX_HEAD_BYTES) {
            return new Rejection(
                    StatusCodes.REQUEST_HEADER_FIELDS_TOO_LARGE, "head of more than " + MAX_HEAD_BYTES + " bytes");
        }
        return fields > MAX_FIELDS ? tooManyFields(MAX_FIELDS, "") : null;
    }

    static Rejection tooManyOfOneName(String name) {
        return tooManyFields(MAX_FIELDS_OF_ONE_NAME, " " + name);
    }

    private static Rejection tooManyFields(int most, String name) {
        return new Rejection(
                StatusCodes.REQUEST_HEADER_FIELDS_TOO_LARGE, "head of more than " + most + " fields" + name);
    }

    /** Marks a request that is not to be served. */
    void reject(HttpServerExchange exchange) {
        exchange.putAttachment(KEY, this);
    }

    /** Null for a request that may be served. */
    public static @Nullable Rejection of(HttpServerExchange exchange) {
        return exchange.getAttachment(KEY);
    }
}
