package io.millau.core;

/**
 * What a {@link RequestFilter} decided. Made by the methods of {@link FilterRequest}, and by them alone.
 *
 * <pre>{@code
 * AtomicBoolean maintenance = new AtomicBoolean();
 * builder.filter(request -> {
 *     Verdict verdict = maintenance.get()
 *             ? request.respond(503, "Back at noon\n").header("Retry-After", "3600")
 *             : request.proceed();
 *     return verdict;
 * });
 * }</pre>
 */
public interface Verdict {

    /** A response in place of a service's. For one thread, until it was returned. */
    interface Response extends Verdict {

        /**
         * Adds a header field.
         *
         * @return this
         * @throws IllegalArgumentException if the name or the value can't be sent, or the field frames the message or belongs to the
         *     connection, such as {@code Content-Length} or {@code Connection}
         */
        Response header(String name, String value);
    }
}
