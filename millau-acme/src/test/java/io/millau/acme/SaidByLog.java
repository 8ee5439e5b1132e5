package io.millau.acme;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What is said to the operator: the log's lines, which are printed when it is closed. */
final class SaidByLog implements AutoCloseable {

    private final PrintStream before = System.err;
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    void listen() {
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    }

    List<String> about(String part) {
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
