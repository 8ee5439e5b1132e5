package io.millau.server.internal.http2;

import io.undertow.util.HttpString;
import org.jspecify.annotations.Nullable;

/**
 * The fields that a header block refers to by their index: those of the static table, and those that earlier fields of the
 * connection have added (RFC 7541, 2.3). For one thread.
 */
final class HeaderTable {

    /** The most that the added fields may take, in bytes (RFC 7541, 4.2). We announce no other size than this default. */
    static final int MAX_BYTES = 4096;

    /** What each field takes besides its name and value (RFC 7541, 4.1). */
    private static final int FIELD_OVERHEAD = 32;

    /** RFC 7541, appendix A. */
    private static final String[] STATIC_FIELDS = {
        ":authority",
        ":method GET",
        ":method POST",
        ":path /",
        ":path /index.html",
        ":scheme http",
        ":scheme https",
        ":status 200",
        ":status 204",
        ":status 206",
        ":status 304",
        ":status 400",
        ":status 404",
        ":status 500",
        "accept-charset",
        "accept-encoding gzip, deflate",
        "accept-language",
        "accept-ranges",
        "accept",
        "access-control-allow-origin",
        "age",
        "allow",
        "authorization",
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-range",
        "content-type",
        "cookie",
        "date",
        "etag",
        "expect",
        "expires",
        "from",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "last-modified",
        "link",
        "location",
        "max-forwards",
        "proxy-authenticate",
        "proxy-authorization",
        "range",
        "referer",
        "refresh",
        "retry-after",
        "server",
        "set-cookie",
        "strict-transport-security",
        "transfer-encoding",
        "user-agent",
        "vary",
        "via",
        "www-authenticate"
    };

    private static final HttpString[] STATIC_NAMES = new HttpString[STATIC_FIELDS.length];
    private static final String[] STATIC_VALUES = new String[STATIC_FIELDS.length];

    static {
        for (int i = 0; i < STATIC_FIELDS.length; i++) {
            String[] field = STATIC_FIELDS[i].split(" ", 2);
            boolean sameName = i > 0 && STATIC_NAMES[i - 1].toString().equals(field[0]);
            STATIC_NAMES[i] = sameName ? STATIC_NAMES[i - 1] : new HttpString(field[0]);
            STATIC_VALUES[i] = field.length > 1 ? field[1] : "";
        }
    }

    /** The added fields, a ring whose length is a power of two. */
    private @Nullable HttpString[] names = new HttpString[8];

    private @Nullable String[] values = new String[8];
    private int newest;
    private int added;
    private int bytes;
    private int maxBytes = MAX_BYTES;

    /** The highest index of a field; the lowest one is 1. */
    int highest() {
        return STATIC_FIELDS.length + added;
    }

    @SuppressWarnings("NullAway") // those up to the highest index are there
    HttpString name(int index) {
        return index <= STATIC_FIELDS.length ? STATIC_NAMES[index - 1] : names[slot(index - STATIC_FIELDS.length - 1)];
    }

    @SuppressWarnings("NullAway") // those up to the highest index are there
    String value(int index) {
        return index <= STATIC_FIELDS.length
                ? STATIC_VALUES[index - 1]
                : values[slot(index - STATIC_FIELDS.length - 1)];
    }

    /** @param age 0 for the field that was added last */
    private int slot(int age) {
        return newest - age & names.length - 1;
    }

    /** The size that a field counts with, in bytes. */
    private static int size(int nameLength, int valueLength) {
        return nameLength + valueLength + FIELD_OVERHEAD;
    }

    /** Adds a field. The oldest fields make room for it; one that is too large removes all others, and is not added either. */
    void add(HttpString name, String value) {
        int more = size(name.length(), value.length());
        shrinkTo(Math.max(0, maxBytes - more));
        if (more > maxBytes) {
            return;
        }
        if (added == names.length) {
            grow();
        }
        newest = newest + 1 & names.length - 1;
        names[newest] = name;
        values[newest] = value;
        added++;
        bytes += more;
    }

    private void grow() {
        @Nullable HttpString[] moreNames = new HttpString[2 * added];
        @Nullable String[] moreValues = new String[2 * added];
        for (int age = 0; age < added; age++) {
            moreNames[added - 1 - age] = names[slot(age)];
            moreValues[added - 1 - age] = values[slot(age)];
        }
        names = moreNames;
        values = moreValues;
        newest = added - 1;
    }

    /** Sets how many bytes the added fields may take, {@link #MAX_BYTES} at most. */
    void resize(int most) {
        maxBytes = most;
        shrinkTo(most);
    }

    @SuppressWarnings("NullAway") // as long as bytes are counted, a field is there
    private void shrinkTo(int most) {
        while (bytes > most) {
            int oldest = slot(added - 1);
            bytes -= size(names[oldest].length(), values[oldest].length());
            names[oldest] = null;
            values[oldest] = null;
            added--;
        }
    }
}
