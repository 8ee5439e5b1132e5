package io.millau.server.internal.http;

import io.undertow.util.HeaderMap;
import java.nio.ByteBuffer;

/**
 * Removes the framing from a chunked body (RFC 9112, 7.1) in place: afterwards the buffer holds only bytes of the body, and one
 * write passes many chunks on. Lines may end with a line feed alone, as in a head. For one body and one thread.
 */
public final class ChunkDecoder {

    private static final int MAX_EXTENSION_BYTES = 4096;

    private enum State {
        SIZE,
        EXTENSION,
        SIZE_LF,
        DATA,
        DATA_CR,
        DATA_LF,
        TRAILERS,
        END
    }

    private final ResponseHead fields;
    private final HeaderMap trailers = new HeaderMap();
    private State state = State.SIZE;
    private long size;
    private int digits;
    private int extensionBytes;

    public ChunkDecoder(ResponseHead fields) {
        this.fields = fields;
    }

    public boolean ended() {
        return state == State.END;
    }

    public HeaderMap trailers() {
        return trailers;
    }

    /**
     * Decodes what is between position and limit. Afterwards the body's bytes are between position and limit; behind the
     * limit, up to the returned index, is what can't be decoded yet (the beginning of trailers) or, once {@link #ended}, what
     * does not belong to the body.
     *
     * @throws MalformedResponseException if the framing is malformed
     */
    public int decode(ByteBuffer buffer) throws MalformedResponseException {
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
                boolean complete = fields.readTrailers(buffer, trailers);
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

    private void framing(byte b) throws MalformedResponseException {
        switch (state) {
            case SIZE -> size(b);
            case EXTENSION -> extension(b);
            case SIZE_LF -> {
                expect(b, '\n');
                sizeRead();
            }
            case DATA_CR -> {
                state = State.DATA_LF;
                if (b == '\n') {
                    state = State.SIZE;
                } else {
                    expect(b, '\r');
                }
            }
            case DATA_LF -> {
                expect(b, '\n');
                state = State.SIZE;
            }
            default -> throw new IllegalStateException(state.name());
        }
    }

    private void size(byte b) throws MalformedResponseException {
        int digit = Character.digit(b, 16);
        if (digit >= 0 && digits < 15) {
            size = digits++ == 0 ? digit : size * 16 + digit;
        } else if (digits == 0) {
            throw new MalformedResponseException("chunk without a size");
        } else if (b == '\r') {
            state = State.SIZE_LF;
        } else if (b == '\n') {
            sizeRead();
        } else if (b == ';' || b == ' ' || b == '\t') {
            state = State.EXTENSION;
        } else {
            throw new MalformedResponseException("chunk size");
        }
    }

    private void extension(byte b) throws MalformedResponseException {
        if (b == '\r') {
            state = State.SIZE_LF;
        } else if (b == '\n') {
            sizeRead();
        } else if (++extensionBytes > MAX_EXTENSION_BYTES) {
            throw new MalformedResponseException("chunk extension of more than " + MAX_EXTENSION_BYTES + " bytes");
        }
    }

    private void sizeRead() {
        digits = 0;
        extensionBytes = 0;
        state = size == 0 ? State.TRAILERS : State.DATA;
    }

    private static void expect(byte b, char expected) throws MalformedResponseException {
        if (b != expected) {
            throw new MalformedResponseException("chunk framing");
        }
    }
}
