package io.millau.server.internal.http;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import org.jspecify.annotations.Nullable;

/** The names of header fields that programs ask for by text. Safe for use by several threads, without locks. */
public final class AskedNames {

    private static final RememberedNames NAMES = new RememberedNames(HttpString::tryFromString);

    private AskedNames() {}

    /** The first value of a field; null if there is none. */
    public static @Nullable String first(HeaderMap fields, String name) {
        HttpString asked = of(name);
        return asked == null ? null : fields.getFirst(asked);
    }

    /** The name that a text stands for; null if it can't be one. */
    public static @Nullable HttpString of(String text) {
        return NAMES.of(text);
    }
}
