package io.millau.server.internal.http;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Removes the framing from a chunked body (RFC 9112, 7.1) in place: afterwards the buffer holds only bytes of the body, and one
 * write passes many chunks on. For one body and one thread.
 */
public final class ChunkDecoder {

    private static final int MAX_EXTENSION_BYTES = 4096;
    private static final int MAX_DIGITS = 15;

    private enum State {
        SIZE,
        /** Blanks after the size, in a strict decoder. */
        BLANK,
        EXTENSION,
        SIZE_LF,
        DATA,
        DATA_CR,
        DATA_LF,
        TRAILERS,
        END
    }

    private final Message message;
    private final boolean strict;
    private State state = State.SIZE;
    private long size;
    private int digits;
    private int extensionBytes;

    private ChunkDecoder(Message message, boolean strict) {
        this.message = message;
        this.strict = strict;
    }

    /** What differs between requests and responses. */
    public interface Message {

        /**
         * Reads trailers, which end with an empty line, and moves the position behind what it has read.
         *
         * @return whether it has read all of them
         */
        boolean readTrailers(ByteBuffer buffer) throws IOException;

        /** The framing is malformed. */
        IOException malformed(String reason);
    }

    /**
     * A decoder of requests: what another server could read differently is malformed, such as a line that ends with a line feed
     * alone (RFC 9112, 11.2).
     */
    public static ChunkDecoder strict(Message request) {
        return new ChunkDecoder(request, true);
    }

    /** A decoder of responses: lines may end with a line feed alone, as in a head. */
    public static ChunkDecoder tolerant(Message response) {
        return new ChunkDecoder(response, false);
    }

    public boolean ended() {
        return state == State.END;
    }

    /** Whether the next chunk has not begun: the sender may take its time. */
    public boolean betweenChunks() {
        return state == State.SIZE && digits == 0;
    }

    /**
     * Decodes what is between position and limit. Afterwards the body's bytes are between position and limit; behind the
     * limit, up to the returned index, is what can't be decoded yet (the beginning of trailers) or, once {@link #ended}, what
     * does not belong to the body.
     *
     * @throws IOException from the message, if it is malformed
     */
    public int decode(ByteBuffer buffer) throws IOException {
        int start = buffer.position();
        int end = buffer.limit();
        int body = start; // where the next body byte goes
        int at = start;
        while (at < end && state != State.END) {
            if (state == State.DATA) {
                int length = (int) Math.min(size, end - at);
                if (at != body) {
                    buffer.put(body, buffer, at, length);
                }
                body += length;
                at += length;
                size -= length;
                if (size == 0) {
                    state = State.DATA_CR;
                }
            } else if (state == State.TRAILERS) {
                buffer.position(at);
                boolean complete = message.readTrailers(buffer);
                at = buffer.position();
                buffer.position(start);
                if (!complete) {
                    break;
                }
                state = State.END;
            } else {
                framing(buffer.get(at++));
            }
        }
        int rest = end - at;
        if (rest > 0 && at != body) {
            buffer.put(body, buffer, at, rest);
        }
        buffer.limit(body);
        return body + rest;
    }

    private void framing(byte b) throws IOException {
        switch (state) {
            case SIZE -> size(b);
            case BLANK, EXTENSION -> extension(b);
            case SIZE_LF -> {
                expect(b, '\n', "a chunk's size");
                sizeRead();
            }
            case DATA_CR -> {
                state = State.DATA_LF;
                if (b == '\n' && !strict) {
                    state = State.SIZE;
                } else {
                    expect(b, '\r', "a chunk");
                }
            }
            case DATA_LF -> {
                expect(b, '\n', "a chunk");
                state = State.SIZE;
            }
            default -> throw new IllegalStateException(state.name());
        }
    }

    private void size(byte b) throws IOException {
        int digit = Character.digit(b, 16);
        if (digit >= 0) {
            if (digits == MAX_DIGITS) {
                throw message.malformed("chunk size of more than " + MAX_DIGITS + " digits");
            }
            size = digits++ == 0 ? digit : size * 16 + digit;
        } else if (digits == 0) {
            throw message.malformed(found(b) + " instead of a chunk's size, expected a hexadecimal digit");
        } else if (!endOfLine(b)) {
            if (b == ';') {
                state = State.EXTENSION;
            } else if (b == ' ' || b == '\t') {
                state = strict ? State.BLANK : State.EXTENSION;
            } else {
                throw message.malformed(found(b) + " in a chunk's size, expected hexadecimal digits and CRLF");
            }
        }
    }

    private void extension(byte b) throws IOException {
        if (endOfLine(b)) {
            return;
        }
        if (++extensionBytes > MAX_EXTENSION_BYTES) {
            throw message.malformed("chunk extension of more than " + MAX_EXTENSION_BYTES + " bytes");
        }
        boolean blank = b == ' ' || b == '\t';
        if (strict && (b >= 0 && b < ' ' && !blank || b == 127)) {
            throw message.malformed(found(b) + " in a chunk extension, expected CRLF at its end");
        }
        if (state == State.BLANK && b == ';') {
            state = State.EXTENSION;
        } else if (state == State.BLANK && !blank) {
            throw message.malformed(found(b) + " in a chunk's size, expected hexadecimal digits and CRLF");
        }
    }

    /** Whether this is the end of the line with the size, or its first byte. */
    private boolean endOfLine(byte b) {
        if (b == '\r') {
            state = State.SIZE_LF;
            return true;
        }
        if (b == '\n' && !strict) {
            sizeRead();
            return true;
        }
        return false;
    }

    private void sizeRead() {
        digits = 0;
        extensionBytes = 0;
        state = size == 0 ? State.TRAILERS : State.DATA;
    }

    private void expect(byte b, char expected, String before) throws IOException {
        if (b != expected) {
            throw message.malformed(found(b) + " after " + before + ", expected CRLF");
        }
    }

    private static String found(byte b) {
        return String.format("byte 0x%02X", b);
    }
}
