package io.millau.core.internal;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The part of DER (ITU-T X.690) that keys and our own certificates need. A DER value is a tag, a length and a content.
 * Pure functions.
 */
public final class Der {

    private static final int BOOLEAN = 0x01;
    public static final int INTEGER = 0x02;
    public static final int BIT_STRING = 0x03;
    public static final int OCTET_STRING = 0x04;
    static final int OBJECT_IDENTIFIER = 0x06;
    static final int UTF8_STRING = 0x0c;
    public static final int GENERALIZED_TIME = 0x18;
    static final int SEQUENCE = 0x30;
    public static final int SET = 0x31;

    private Der() {}

    /** Encodes a value with several parts as its content. */
    public static byte[] value(int tag, byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(length + 6);
        bytes.write(tag);
        if (length < 0x80) {
            bytes.write(length);
        } else {
            byte[] digits = BigInteger.valueOf(length).toByteArray();
            int from = digits[0] == 0 ? 1 : 0;
            bytes.write(0x80 | digits.length - from);
            bytes.write(digits, from, digits.length - from);
        }
        for (byte[] part : parts) {
            bytes.writeBytes(part);
        }
        return bytes.toByteArray();
    }

    public static byte[] sequence(byte[]... parts) {
        return value(SEQUENCE, parts);
    }

    public static byte[] bool(boolean value) {
        return value(BOOLEAN, new byte[] {(byte) (value ? 0xff : 0)});
    }

    public static byte[] integer(BigInteger number) {
        return value(INTEGER, number.toByteArray());
    }

    public static byte[] text(String text) {
        return value(UTF8_STRING, text.getBytes(StandardCharsets.UTF_8));
    }

    /** @param dotted the arcs, each less than 2^31 */
    public static byte[] objectIdentifier(String dotted) {
        int[] arcs =
                Arrays.stream(dotted.split("\\.")).mapToInt(Integer::parseInt).toArray();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(arcs[0] * 40 + arcs[1]);
        for (int i = 2; i < arcs.length; i++) {
            for (int shift = 28; shift > 0; shift -= 7) {
                if (arcs[i] >>> shift != 0) {
                    bytes.write(arcs[i] >>> shift & 0x7f | 0x80);
                }
            }
            bytes.write(arcs[i] & 0x7f);
        }
        return value(OBJECT_IDENTIFIER, bytes.toByteArray());
    }

    /** A decoded value. */
    public record Value(int tag, ByteBuffer content) {

        /**
         * Reads the next value and moves the buffer's position.
         *
         * @throws IllegalArgumentException if there is no complete value
         */
        public static Value read(ByteBuffer from) {
            if (from.remaining() < 2) {
                throw new IllegalArgumentException("not DER");
            }
            int tag = from.get() & 0xff;
            int length = from.get() & 0xff;
            if (length >= 0x80) {
                int digits = length & 0x7f;
                if (digits == 0 || digits > 3 || digits > from.remaining()) {
                    throw new IllegalArgumentException("not DER");
                }
                length = 0;
                for (int i = 0; i < digits; i++) {
                    length = length << 8 | from.get() & 0xff;
                }
            }
            if (length > from.remaining()) {
                throw new IllegalArgumentException("not DER, or incomplete");
            }
            ByteBuffer content = from.slice(from.position(), length);
            from.position(from.position() + length);
            return new Value(tag, content);
        }

        /** The encoded value. */
        public byte[] bytes() {
            byte[] bytes = new byte[content.remaining()];
            content.duplicate().get(bytes);
            return value(tag, bytes);
        }
    }
}
