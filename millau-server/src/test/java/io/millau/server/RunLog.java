package io.millau.server;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Collects errors from the log, and passes the log on. */
final class RunLog extends OutputStream implements Closeable {

    private final PrintStream before = System.err;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    /** Lines that report a bug in Millau itself. */
    final List<String> errors = new CopyOnWriteArrayList<>();

    RunLog() {
        System.setErr(new PrintStream(this, true, StandardCharsets.UTF_8));
    }

    @Override
    public synchronized void write(int b) {
        before.write(b);
        line.write(b);
        if (b == '\n') {
            String said = line.toString(StandardCharsets.UTF_8);
            line.reset();
            if (said.contains("ERROR")) {
                errors.add(said);
            }
        }
    }

    @Override
    public void close() {
        System.setErr(before);
    }
}
