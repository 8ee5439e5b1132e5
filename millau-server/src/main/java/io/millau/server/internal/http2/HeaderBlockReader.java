package io.millau.server.internal.http2;

import io.millau.server.internal.http.HeaderNames;
import io.millau.server.internal.http2.Http2.ConnectionException;
import io.undertow.util.HttpString;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Reads the header blocks of one direction of an HTTP/2 connection (RFC 7541), each of which depends on the ones before. What
 * names and values say is not checked. For one thread at a time.
 *
 * <p>Fields that refer to earlier ones share their names and values; other names are shared by the thread.
 */
public final class HeaderBlockReader {

    private static final byte[] NOTHING = {};

    private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

    private final Receiver receiver;
    private final HeaderTable table = new HeaderTable();
    private Scratch scratch = SCRATCH.get();

    /** The block that is being read, where the next byte is, and where it ends. */
    private byte[] bytes = NOTHING;

    private int at;
    private int end;

    /** The string read last. */
    private byte[] text = NOTHING;

    private int textFrom;
    private int textLength;

    /** Gets the fields of a block, in order. */
    @FunctionalInterface
    public interface Receiver {

        /**
         * A field.
         *
         * @param name as it was sent: it can be empty, or no token. CR and LF, which it cannot hold, are NUL
         * @param value the bytes that were sent, as Latin-1
         */
        void field(HttpString name, String value);
    }

    /** What the readers of a thread share. Longer blocks and strings get arrays of their own, which are not kept. */
    private static final class Scratch {
        final HeaderNames names = new HeaderNames();
        private final byte[] block = new byte[Http2.MAX_PAYLOAD_BYTES];
        private final byte[] decoded = new byte[Huffman.mostBytes(Http2.MAX_PAYLOAD_BYTES)];

        static byte[] room(byte[] kept, int length) {
            return length <= kept.length ? kept : new byte[length];
        }
    }

    public HeaderBlockReader(Receiver receiver) {
        this.receiver = receiver;
    }

    /**
     * Reads a whole block.
     *
     * @throws ConnectionException if it can't be read; then no later block can be read either
     */
    public void read(ByteBuffer block) throws ConnectionException {
        scratch = SCRATCH.get();
        int length = block.remaining();
        if (block.hasArray()) {
            bytes = block.array();
            at = block.arrayOffset() + block.position();
            block.position(block.limit());
        } else {
            bytes = Scratch.room(scratch.block, length);
            at = 0;
            block.get(bytes, 0, length);
        }
        end = at + length;
        try {
            readSizes();
            while (at < end) {
                readField();
            }
        } finally {
            bytes = NOTHING;
            text = NOTHING;
        }
    }

    /** Reads how large the table is to be, which only the beginning of a block may say (RFC 7541, 4.2 and 6.3). */
    private void readSizes() throws ConnectionException {
        while (at < end && (bytes[at] & 0xe0) == 0x20) {
            int most = integer(5);
            if (most > HeaderTable.MAX_BYTES) {
                throw malformed("table of " + most + " bytes (expected " + HeaderTable.MAX_BYTES + " at most)");
            }
            table.resize(most);
        }
    }

    private void readField() throws ConnectionException {
        int first = bytes[at] & 0xff;
        if (first >= 0x80) { // RFC 7541, 6.1
            int index = index(7);
            receiver.field(table.name(index), table.value(index));
        } else if (first >= 0x40) { // 6.2.1
            HttpString name = name(6);
            String value = value();
            table.add(name, value);
            receiver.field(name, value);
        } else if (first >= 0x20) {
            throw malformed("size of the table after a field (expected at the beginning)");
        } else { // 6.2.2 and 6.2.3
            HttpString name = name(4);
            receiver.field(name, value());
        }
    }

    private int index(int prefixBits) throws ConnectionException {
        int index = integer(prefixBits);
        if (index == 0 || index > table.highest()) {
            throw malformed("index " + index + " (expected one from 1 to " + table.highest() + ")");
        }
        return index;
    }

    /** Reads the index of a name, or after 0 the name itself. */
    private HttpString name(int prefixBits) throws ConnectionException {
        if ((bytes[at] & (1 << prefixBits) - 1) != 0) {
            return table.name(index(prefixBits));
        }
        at++;
        readString();
        for (int i = textFrom; i < textFrom + textLength; i++) {
            if (text[i] == '\r' || text[i] == '\n') {
                return withoutLineEnds();
            }
        }
        return scratch.names.get(text, textFrom, textLength);
    }

    private HttpString withoutLineEnds() {
        byte[] name = new byte[textLength];
        for (int i = 0; i < textLength; i++) {
            byte b = text[textFrom + i];
            name[i] = b == '\r' || b == '\n' ? 0 : b;
        }
        return new HttpString(name);
    }

    private String value() throws ConnectionException {
        readString();
        return new String(text, textFrom, textLength, StandardCharsets.ISO_8859_1);
    }

    /** Reads a string (RFC 7541, 5.2). */
    private void readString() throws ConnectionException {
        boolean huffman = at < end && (bytes[at] & 0x80) != 0;
        int length = integer(7);
        if (length > end - at) {
            throw malformed("string of " + length + " bytes (expected " + (end - at) + " at most)");
        }
        if (huffman) {
            text = Scratch.room(scratch.decoded, Huffman.mostBytes(length));
            textFrom = 0;
            textLength = Huffman.decode(bytes, at, at + length, text);
            if (textLength < 0) {
                throw malformed("Huffman code with EOS or wrong padding");
            }
        } else {
            text = bytes;
            textFrom = at;
            textLength = length;
        }
        at += length;
    }

    /** Reads an integer (RFC 7541, 5.1). Larger ones than four bytes after the prefix can say are good for nothing. */
    private int integer(int prefixBits) throws ConnectionException {
        int prefix = (1 << prefixBits) - 1;
        int value = next() & prefix;
        if (value < prefix) {
            return value;
        }
        for (int shift = 0; shift < 28; shift += 7) {
            int b = next();
            value += (b & 127) << shift;
            if (b < 128) {
                return value;
            }
        }
        throw malformed("integer of more than 28 bits");
    }

    private int next() throws ConnectionException {
        if (at == end) {
            throw malformed("end in the middle of a field");
        }
        return bytes[at++] & 0xff;
    }

    private static ConnectionException malformed(String problem) {
        return new ConnectionException(Http2.COMPRESSION_ERROR, "header block that can't be read: " + problem);
    }
}
