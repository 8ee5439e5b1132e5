package io.millau.server.internal.http;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import org.jspecify.annotations.Nullable;

/**
 * The names of header fields that programs ask for by text, so that a filter that looks at one creates nothing. Each has one of
 * these places, where the last one stays. Safe for use by several threads, without locks.
 */
public final class AskedNames {

    private static final int MAX_NAME_CHARACTERS = 64;

    private static final @Nullable Asked[] PLACES = new Asked[256];

    /** Never changes, so what is read is whole, whoever wrote it. */
    private record Asked(String text, @Nullable HttpString name) {}

    private AskedNames() {}

    /** The first value of a field; null if there is none. */
    public static @Nullable String first(HeaderMap fields, String name) {
        HttpString asked = of(name);
        return asked == null ? null : fields.getFirst(asked);
    }

    /** The name that a text stands for; null if it can't be one. */
    public static @Nullable HttpString of(String text) {
        int hash = text.hashCode();
        int place = (hash ^ hash >>> 16) & PLACES.length - 1;
        Asked asked = PLACES[place];
        if (asked != null && asked.text.equals(text)) {
            return asked.name;
        }
        HttpString name = HttpString.tryFromString(text);
        if (text.length() <= MAX_NAME_CHARACTERS) {
            PLACES[place] = new Asked(text, name);
        }
        return name;
    }
}
