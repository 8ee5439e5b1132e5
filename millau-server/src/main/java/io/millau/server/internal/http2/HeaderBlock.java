package io.millau.server.internal.http2;

import io.undertow.util.HttpString;
import java.util.Arrays;

/**
 * A header block that is being written (RFC 7541, 6). Every field is a literal without Huffman coding, or from the static table:
 * a dynamic table saves bytes, but costs more time than they do. For one thread, which reuses it.
 */
public final class HeaderBlock {

    /** The overhead of each field, in bytes (RFC 7541, 4.1). */
    private static final int FIELD_OVERHEAD = 32;

    private byte[] bytes = new byte[4096];
    private int length;
    private long listBytes;

    public byte[] bytes() {
        return bytes;
    }

    public int length() {
        return length;
    }

    /** The size of the header list (RFC 9113, 6.5.2), in bytes. */
    public long listBytes() {
        return listBytes;
    }

    public void clear() {
        length = 0;
        listBytes = 0;
    }

    /** Sets the size of the dynamic table to 0 (RFC 7541, 6.3); only possible at the beginning. */
    public void noTable() {
        put(0x20);
    }

    /** Adds a field of the static table (RFC 7541, 6.1). */
    public void indexed(int index) {
        put(0x80 | index);
        listBytes += FIELD_OVERHEAD;
    }

    /** Begins a field whose name is in the static table; {@link #string} is to follow for its value (RFC 7541, 6.2.2). */
    public void indexedName(int index) {
        integer(15, index);
        listBytes += FIELD_OVERHEAD;
    }

    /** Begins a field with a name that becomes lower case; {@link #string} is to follow for its value. */
    public void name(byte[] from, int start, int end) {
        literalName();
        string(from, start, end);
        lowerCase(end - start);
    }

    /** Begins a field with a name that becomes lower case; {@link #string} is to follow for its value. */
    public void name(HttpString name) {
        literalName();
        int count = name.length();
        beginString(count);
        name.copyTo(bytes, length);
        length += count;
        lowerCase(count);
    }

    private void literalName() {
        put(0);
        listBytes += FIELD_OVERHEAD;
    }

    private void lowerCase(int count) {
        for (int i = length - count; i < length; i++) {
            if (bytes[i] >= 'A' && bytes[i] <= 'Z') {
                bytes[i] |= 0x20;
            }
        }
    }

    public void string(byte[] from, int start, int end) {
        beginString(end - start);
        System.arraycopy(from, start, bytes, length, end - start);
        length += end - start;
    }

    /** Adds a string of Latin-1 characters. */
    @SuppressWarnings("deprecation") // the only way to copy a string's characters as bytes without another array
    public void string(String latin1) {
        int count = latin1.length();
        beginString(count);
        latin1.getBytes(0, count, bytes, length);
        length += count;
    }

    private void beginString(int count) {
        integer(127, count);
        room(count);
        listBytes += count;
    }

    /** Appends an integer (RFC 7541, 5.1). */
    private void integer(int prefix, int value) {
        if (value < prefix) {
            put(value);
            return;
        }
        put(prefix);
        int rest = value - prefix;
        for (; rest >= 128; rest >>= 7) {
            put(rest & 127 | 128);
        }
        put(rest);
    }

    private void put(int b) {
        room(1);
        bytes[length++] = (byte) b;
    }

    private void room(int more) {
        if (bytes.length - length < more) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + more));
        }
    }
}
