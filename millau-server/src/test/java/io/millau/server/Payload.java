package io.millau.server;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.zip.CRC32;

/** Message bodies that differ from each other and that both sides can compute from the message's name. */
final class Payload {

    static final int MOST = 1024 * 1024;

    private static final byte[] RANDOM = new byte[4 * MOST];

    static {
        new SplittableRandom(0).nextBytes(RANDOM);
    }

    private Payload() {}

    /** The body of a message, with the given length. */
    static byte[] of(String message, int length) {
        int from = Math.floorMod(message.hashCode() * 0x9E3779B1, RANDOM.length - MOST);
        return Arrays.copyOfRange(RANDOM, from, from + length);
    }

    /** Describes how bytes differ from a message's body; empty if they don't. */
    static String difference(byte[] bytes, String message, int length) {
        if (bytes.length != length) {
            return bytes.length + " bytes, expected " + length;
        }
        return checksum(bytes) == checksum(of(message, length)) ? "" : "not the checksum of its " + length + " bytes";
    }

    private static long checksum(byte[] bytes) {
        CRC32 sum = new CRC32();
        sum.update(bytes);
        return sum.getValue();
    }
}
