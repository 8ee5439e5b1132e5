package io.millau.core.internal;

import org.jspecify.annotations.Nullable;

/** What names of services may be. Pure functions. */
public final class ServiceName {

    /** That of a service that stands for settings alone. */
    static final String NONE = "-";

    private ServiceName() {}

    /** What is wrong with a name; null if nothing is. */
    public static @Nullable String mistake(String name) {
        return name.isBlank()
                ? "service name " + LogText.value(name) + ": expected at least one visible character"
                : null;
    }
}
