package io.millau.core;

import org.jspecify.annotations.Nullable;

/**
 * A setting of a service: the key for {@link Service#get} and {@link Service.Builder#set}. Every label of a service is
 * one. Programs may define others, for their {@link LoadBalancer} or {@link RetryPolicy}.
 *
 * <p>Settings are compared by identity, so make each a constant. Settings and values must be immutable. Values need an
 * {@link Object#equals}, by which a change of the service is detected.
 *
 * <pre>{@code
 * Setting<Integer> attempts = new Setting<>() {
 *     @Override
 *     public String name() {
 *         return "attempts";
 *     }
 *
 *     @Override
 *     public Integer defaultValue() {
 *         return 3;
 *     }
 * };
 * Service reports = Service.named("reports").set(attempts, 1).endpoints(endpoint).build();
 * builder.source(ServiceSource.of(reports))
 *         .retryPolicy(attempt -> attempt.number() < attempt.service().get(attempts)
 *                 && RetryPolicy.standard().mayRetry(attempt));
 * }</pre>
 *
 * @param <T> the type of its values
 */
public interface Setting<T> {

    /** Its name in logs, such as {@code timeout}. */
    String name();

    /** The value of a service that doesn't set it; null for none. */
    @Nullable
    T defaultValue();

    /**
     * Checks a value.
     *
     * @return the value in canonical form
     * @throws IllegalArgumentException if it is invalid; the message tells what was expected
     */
    default T check(T value) {
        return value;
    }
}
