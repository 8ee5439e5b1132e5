package io.millau.server.internal.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How many files and sockets this process may have open at once. */
public final class OpenFiles {

    private static final Pattern LIMIT = Pattern.compile("(?m)^Max open files +([0-9]+)");

    /** For what is neither a client's connection nor one to an endpoint: jars, selectors, telemetry, sources, certificates. */
    private static final int RESERVED = 64;

    private static final int LEAST = 16;
    private static final int MOST = 1_000_000;

    private OpenFiles() {}

    /** What fails where no more may be opened. */
    public static IOException exhausted() {
        return new IOException("Too many open files and connections of this proxy");
    }

    /** Whether something failed because this process, or this machine, has too many files open. */
    public static boolean areExhausted(IOException failure) {
        String message = failure.getMessage();
        return message != null && message.contains("Too many open files"); // EMFILE, ENFILE
    }

    /** How many connections of clients there may be at once, and as many to endpoints. */
    public static int forEachSide() {
        try {
            return forEachSide(Files.readString(Path.of("/proc/self/limits")));
        } catch (IOException e) {
            return MOST; // not Linux
        }
    }

    static int forEachSide(String limits) {
        Matcher limit = LIMIT.matcher(limits);
        if (!limit.find() || limit.group(1).length() > 9) {
            return MOST;
        }
        int each = (Integer.parseInt(limit.group(1)) - RESERVED) / 2;
        return Math.min(MOST, Math.max(LEAST, each));
    }
}
