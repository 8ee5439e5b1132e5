package io.millau.metrics;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A value for each method, made when first used. Safe for use by several threads. */
final class ByMethod<T> {

    private static final Method[] METHODS = Method.values();

    private final AtomicReferenceArray<@Nullable T> known = new AtomicReferenceArray<>(METHODS.length);
    private final Supplier<T> make;

    ByMethod(Supplier<T> make) {
        this.make = make;
    }

    T get(Method method) {
        T found = known.get(method.ordinal());
        return found != null ? found : add(method);
    }

    private synchronized T add(Method method) {
        T found = known.get(method.ordinal());
        if (found == null) {
            found = make.get();
            known.set(method.ordinal(), found);
        }
        return found;
    }

    /** Passes the values made so far, in the order of the methods. */
    void forEach(BiConsumer<Method, T> consumer) {
        for (Method method : METHODS) {
            T found = known.get(method.ordinal());
            if (found != null) {
                consumer.accept(method, found);
            }
        }
    }
}
