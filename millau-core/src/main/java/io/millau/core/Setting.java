package io.millau.core;

import org.jspecify.annotations.Nullable;

/**
 * Something that a service can be set to: the key for {@link Service#get} and {@link Service.Builder#set}. Every label that
 * describes a service is one; a program may have settings of its own, for its {@link LoadBalancer} or {@link RetryPolicy}.
 *
 * <p>Settings are told apart by identity, so each one is a constant. Immutable. Values have to be immutable, too, and to
 * have an {@link Object#equals}, by which a service is known to have changed.
 *
 * @param <T> its values
 */
public interface Setting<T> {

    /** What logs call it, such as {@code timeout}. */
    String name();

    /** The value of a service that says nothing; null for none. */
    @Nullable
    T defaultValue();

    /**
     * Checks a value.
     *
     * @return the value in the form in which it is kept
     * @throws IllegalArgumentException if it can't be served; the message says what was expected
     */
    default T check(T value) {
        return value;
    }
}
