package io.millau.core.testing;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Changes inputs at random. The same random numbers make the same changes. */
final class Mutations {

    private static final int MOST_BYTES = 64 * 1024;

    private static final String[] NUMBERS = {
        "",
        "0",
        "00",
        "-1",
        "+1",
        "1",
        "7",
        "9",
        "a",
        "f",
        "10",
        "255",
        "256",
        "65535",
        "65536",
        "2147483647",
        "2147483648",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999",
        "1.5",
        "1e3",
        "0x1"
    };

    private final List<byte[]> seeds;
    private final List<byte[]> dictionary;

    Mutations(List<byte[]> seeds, List<String> dictionary) {
        this.seeds = seeds;
        this.dictionary = dictionary.stream()
                .map(token -> token.getBytes(StandardCharsets.ISO_8859_1))
                .toList();
    }

    /** One of the seeds with one to five changes. */
    byte[] next(Random random) {
        byte[] bytes = seeds.get(random.nextInt(seeds.size()));
        for (int changes = 1 + random.nextInt(random.nextBoolean() ? 2 : 5); changes > 0; changes--) {
            bytes = changed(bytes, random);
        }
        return bytes.length > MOST_BYTES ? Arrays.copyOf(bytes, MOST_BYTES) : bytes;
    }

    private byte[] changed(byte[] bytes, Random random) {
        int at = random.nextInt(bytes.length + 1);
        int length = Math.min(bytes.length - at, 1 + random.nextInt(random.nextInt(4) == 0 ? 64 : 4));
        return switch (random.nextInt(12)) {
            case 0 -> flipped(bytes, random);
            case 1 -> replaced(bytes, at, Math.min(1, length), one(random.nextInt(256)));
            case 2 -> replaced(bytes, at, 0, one(random.nextInt(256)));
            case 3 -> replaced(bytes, at, length, new byte[0]);
            case 4 -> replaced(bytes, at, 0, Arrays.copyOfRange(bytes, at, at + length));
            case 5 -> spliced(bytes, seeds.get(random.nextInt(seeds.size())), random);
            case 6 -> replaced(bytes, at, 0, token(random));
            case 7 -> replaced(bytes, at, length, token(random));
            case 8, 9 -> withOtherNumber(bytes, random);
            case 10 -> withOtherLines(bytes, random);
            default -> random.nextInt(3) == 0 ? Arrays.copyOf(bytes, at) : flipped(bytes, random);
        };
    }

    private static byte[] one(int b) {
        return new byte[] {(byte) b};
    }

    private byte[] token(Random random) {
        return dictionary.isEmpty() ? one(random.nextInt(256)) : dictionary.get(random.nextInt(dictionary.size()));
    }

    private static byte[] flipped(byte[] bytes, Random random) {
        byte[] changed = bytes.clone();
        if (changed.length > 0) {
            changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return changed;
    }

    private static byte[] replaced(byte[] bytes, int at, int length, byte[] by) {
        byte[] changed = new byte[bytes.length - length + by.length];
        System.arraycopy(bytes, 0, changed, 0, at);
        System.arraycopy(by, 0, changed, at, by.length);
        System.arraycopy(bytes, at + length, changed, at + by.length, bytes.length - at - length);
        return changed;
    }

    /** The beginning of one, and the end of the other. */
    private static byte[] spliced(byte[] bytes, byte[] other, Random random) {
        int from = random.nextInt(other.length + 1);
        int to = random.nextInt(bytes.length + 1);
        return replaced(bytes, to, bytes.length - to, Arrays.copyOfRange(other, from, other.length));
    }

    /** Another number in the place of one in ASCII digits. */
    private static byte[] withOtherNumber(byte[] bytes, Random random) {
        List<Integer> starts = new ArrayList<>();
        for (int i = 0; i < bytes.length; i++) {
            if (isDigit(bytes[i]) && (i == 0 || !isDigit(bytes[i - 1]))) {
                starts.add(i);
            }
        }
        if (starts.isEmpty()) {
            return flipped(bytes, random);
        }
        int start = starts.get(random.nextInt(starts.size()));
        int end = start;
        while (end < bytes.length && isDigit(bytes[end])) {
            end++;
        }
        String before = new String(bytes, start, end - start, StandardCharsets.US_ASCII);
        String after = switch (random.nextInt(5)) {
            case 0 -> "0" + before;
            case 1 -> before + random.nextInt(10);
            case 2, 3 ->
                before.length() < 9 ? String.valueOf(Integer.parseInt(before) + (random.nextBoolean() ? 1 : -1)) : "0";
            default -> NUMBERS[random.nextInt(NUMBERS.length)];
        };
        return replaced(bytes, start, end - start, after.getBytes(StandardCharsets.US_ASCII));
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    /** One line more or less, or two of them in each other's place. */
    private static byte[] withOtherLines(byte[] bytes, Random random) {
        List<byte[]> lines = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == '\n' || i == bytes.length - 1) {
                lines.add(Arrays.copyOfRange(bytes, start, i + 1));
                start = i + 1;
            }
        }
        if (lines.size() < 2) {
            return flipped(bytes, random);
        }
        int one = random.nextInt(lines.size());
        int other = random.nextInt(lines.size());
        switch (random.nextInt(3)) {
            case 0 -> lines.remove(one);
            case 1 -> lines.add(other, lines.get(one));
            default -> lines.set(other, lines.set(one, lines.get(other)));
        }
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        lines.forEach(all::writeBytes);
        return all.toByteArray();
    }
}
