package io.millau.core.testing;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Captures the log, and prints it when closed. Only for tests that do not run concurrently with others. */
public final class CapturedLog implements AutoCloseable {

    private final PrintStream before = System.err;
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    /** Starts to capture. */
    public CapturedLog() {
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    }

    /** The captured lines that contain the text. */
    public List<String> about(String part) {
        return said.toString(StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.contains("io.millau") && line.contains(part))
                .toList();
    }

    @Override
    public void close() {
        System.setErr(before);
        before.print(said.toString(StandardCharsets.UTF_8));
    }
}
