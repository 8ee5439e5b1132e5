package io.millau.core;

import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes the bodies of the proxy's own failures, whose statuses are from 400 to 599. Never called for responses of services or filters.
 * Called on I/O threads, by many requests at once; must not block. If it throws, the client gets the usual plain text; that is
 * logged, once for each place in its code.
 *
 * <pre>{@code
 * builder.failurePage(failure -> failure.status() == 502
 *         ? FailurePage.Page.json("{\"error\":\"unavailable\",\"request\":\"" + failure.requestId() + "\"}")
 *         : null);
 * }</pre>
 */
@FunctionalInterface
public interface FailurePage {

    /** Returns the page for a failure; null for the usual plain text. */
    @Nullable
    Page page(Failure failure);

    /** A failure. Valid only during the call. */
    interface Failure {

        /** The status, which the response keeps. */
        int status();

        /** What went wrong. */
        TrafficListener.LocalReason reason();

        /** The service that could not respond; null if none was chosen. */
        @Nullable
        Service service();

        /** The id of the request, also in logs. */
        String requestId();

        /** What the client sent. */
        Request request();
    }

    /**
     * A body and its type. Immutable.
     *
     * @param contentType such as {@code text/html; charset=utf-8}
     * @param body not copied
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Page(String contentType, byte[] body) {

        /** @throws NullPointerException if one of them is null */
        public Page {
            Objects.requireNonNull(contentType, "contentType");
            Objects.requireNonNull(body, "body");
        }

        /** A page in HTML. */
        public static Page html(String html) {
            return new Page(
                    "text/html; charset=utf-8",
                    Objects.requireNonNull(html, "html").getBytes(StandardCharsets.UTF_8));
        }

        /** A page in JSON. */
        public static Page json(String json) {
            return new Page(
                    "application/json", Objects.requireNonNull(json, "json").getBytes(StandardCharsets.UTF_8));
        }
    }
}
