package io.millau.server.internal.http;

import io.undertow.util.HttpString;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Names of header fields that were made of texts, so that a filter that says one for each request creates nothing. Each text has one of
 * these places, where the last one stays. Safe for use by several threads, without locks.
 */
final class RememberedNames {

    private static final int MAX_NAME_CHARACTERS = 64;

    private final @Nullable Remembered[] places = new Remembered[256];
    private final Function<String, @Nullable HttpString> maker;

    /** Never changes, so what is read is whole, whoever wrote it. */
    private record Remembered(String text, @Nullable HttpString name) {}

    /** @param maker makes the name of a text; what it throws is not remembered */
    RememberedNames(Function<String, @Nullable HttpString> maker) {
        this.maker = maker;
    }

    /** The name that a text stands for; null if the maker made none. */
    @Nullable
    HttpString of(String text) {
        int hash = text.hashCode();
        int place = (hash ^ hash >>> 16) & places.length - 1;
        Remembered known = places[place];
        if (known != null && known.text.equals(text)) {
            return known.name;
        }
        HttpString name = maker.apply(text);
        if (text.length() <= MAX_NAME_CHARACTERS) {
            places[place] = new Remembered(text, name);
        }
        return name;
    }
}
