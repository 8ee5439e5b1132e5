package io.millau.server;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Looks out for errors in what is logged, and passes all of it on. */
final class RunLog extends OutputStream implements Closeable {

    private final PrintStream before = System.err;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    /** Lines that say that something is wrong with Millau itself. */
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
