package io.millau.core.testing;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Asks whether a property holds for whatever is sent: first for each file in {@code src/test/resources/fuzz/NAME}, then for files
 * that are changed at random. {@code -Dmillau.fuzz.seconds} says for how long, {@code -Dmillau.fuzz.seed} which change comes
 * first. An input for which it does not hold is cut down as far as it still does not, and kept in {@code target/fuzz}: it belongs
 * to the files from then on.
 */
public final class Fuzz {

    /** A failing input is cut down for as long as this. */
    private static final long SHRINKING_NANOS = TimeUnit.SECONDS.toNanos(20);

    private static final int SHOWN_BYTES = 2000;

    private final String name;
    private final List<Path> files = new ArrayList<>();
    private final List<byte[]> seeds = new ArrayList<>();
    private final Mutations mutations;

    /** What has to hold. */
    @FunctionalInterface
    public interface Property {

        /** Throws if it does not hold. Decides by these random numbers alone, so that it can be repeated. */
        void holds(byte[] input, Random random) throws Exception;
    }

    private Fuzz(String name, String... dictionary) throws IOException {
        this.name = name;
        URL folder = Fuzz.class.getResource("/fuzz/" + name);
        if (folder == null) {
            throw new IllegalArgumentException(
                    "no folder src/test/resources/fuzz/" + name + ", expected one with inputs");
        }
        try (Stream<Path> all = Files.list(Path.of(folder.toURI()))) {
            all.sorted().forEach(files::add);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(e);
        }
        for (Path file : files) {
            seeds.add(Files.readAllBytes(file));
        }
        mutations = new Mutations(seeds, List.of(dictionary));
    }

    /**
     * @param name the folder with the inputs
     * @param dictionary what is put into them, besides other changes; one byte for each character
     */
    public static Fuzz of(String name, String... dictionary) throws IOException {
        return new Fuzz(name, dictionary);
    }

    /** How long one fuzz test lasts, in nanoseconds. */
    public static long nanos() {
        return TimeUnit.SECONDS.toNanos(Long.getLong("millau.fuzz.seconds", 3));
    }

    /** Which change comes first: always the same, so that a test that passed passes again, unless it is to be at random. */
    public static long firstSeed() {
        String seed = System.getProperty("millau.fuzz.seed", "1");
        return seed.equals("random") ? System.nanoTime() : Long.parseLong(seed);
    }

    /** The random numbers of a seed; those of seeds side by side have nothing in common. */
    public static Random random(long seed) {
        return new Random(seed * 0x9E3779B97F4A7C15L);
    }

    /** Fails at the first input for which the property does not hold. */
    public void check(Property property) {
        for (int i = 0; i < seeds.size(); i++) {
            Throwable failure = failure(property, seeds.get(i), i);
            if (failure != null) {
                throw new AssertionError("file " + files.get(i) + ": " + failure.getMessage(), failure);
            }
        }
        long end = System.nanoTime() + nanos();
        long seed = firstSeed();
        do {
            byte[] input = mutations.next(random(seed));
            Throwable failure = failure(property, input, seed);
            if (failure != null) {
                report(property, input, seed, failure);
            }
            seed++;
        } while (System.nanoTime() < end);
    }

    private static @Nullable Throwable failure(Property property, byte[] input, long seed) {
        try {
            property.holds(input.clone(), random(~seed));
            return null;
        } catch (Exception | AssertionError | StackOverflowError e) {
            return e;
        }
    }

    private void report(Property property, byte[] input, long seed, Throwable failure) {
        byte[] shortest = shortened(property, input, seed, failure.getClass());
        Throwable last = failure(property, shortest, seed);
        Path kept = Path.of("target", "fuzz", name + "-" + Long.toHexString(seed));
        try {
            Files.createDirectories(kept.getParent());
            Files.write(kept, shortest);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
        throw new AssertionError(
                (last == null ? failure : last).getMessage() + "\nfuzz/" + name
                        + ", repeat with -Dmillau.fuzz.seed=" + seed + ", kept as " + kept + " (" + shortest.length
                        + " bytes):\n" + shown(shortest),
                last == null ? failure : last);
    }

    /** Leaves out what can be left out: halves first, single bytes at the end. */
    private static byte[] shortened(Property property, byte[] input, long seed, Class<?> kind) {
        byte[] shortest = input;
        long end = System.nanoTime() + SHRINKING_NANOS;
        for (int length = Math.max(1, input.length / 2); ; length = Math.max(1, length / 2)) {
            boolean shorter = false;
            for (int at = 0; at < shortest.length && System.nanoTime() < end; ) {
                byte[] candidate = without(shortest, at, Math.min(length, shortest.length - at));
                Throwable failure = failure(property, candidate, seed);
                if (failure != null && failure.getClass() == kind) {
                    shortest = candidate;
                    shorter = true;
                } else {
                    at += length;
                }
            }
            if (length == 1 && !shorter || System.nanoTime() >= end) {
                return shortest;
            }
        }
    }

    private static byte[] without(byte[] bytes, int at, int length) {
        byte[] rest = Arrays.copyOf(bytes, bytes.length - length);
        System.arraycopy(bytes, at + length, rest, at, rest.length - at);
        return rest;
    }

    /** The bytes as text: what can't be printed as an escape. */
    public static String shown(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < bytes.length && i < SHOWN_BYTES; i++) {
            int b = bytes[i] & 0xff;
            switch (b) {
                case '\n' -> text.append("\\n\n");
                case '\r' -> text.append("\\r");
                case '\\' -> text.append("\\\\");
                default -> text.append(b < ' ' || b >= 127 ? String.format("\\x%02X", b) : String.valueOf((char) b));
            }
        }
        return bytes.length > SHOWN_BYTES ? text + "…" : text.toString();
    }

    /** Where to cut an input into pieces, in ascending order; the last one is its length. */
    public static List<Integer> cuts(int length, Random random) {
        List<Integer> cuts = new ArrayList<>();
        int most = random.nextBoolean() ? 8 : random.nextBoolean() ? 100 : Math.max(1, length);
        for (int at = 0; at < length; ) {
            at = Math.min(length, at + 1 + random.nextInt(most));
            cuts.add(at);
        }
        return cuts;
    }
}
