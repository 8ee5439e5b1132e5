package io.millau.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** The table in {@code docs/reference/fault-matrix.md}. */
record FaultTable(List<Row> rows) {

    private static final List<String> COLUMNS = List.of(
            "fault",
            "method",
            "body",
            "protocol",
            "upstream",
            "client sees",
            "faulty",
            "other",
            "ejected",
            "failed attempt",
            "counted");

    /** Some combinations, and the expected result of each. */
    record Row(
            List<String> faults, String methods, String bodies, String protocols, String upstreams, Expected expected) {

        boolean fits(String fault, String method, FaultMatrixTest.Body body, String protocol, FaultUpstream upstream) {
            return isFor(fault, upstream)
                    && (methods.equals("any") || List.of(methods.split(" ")).contains(method))
                    && (bodies.equals("any") || bodies.equals(body.kept() ? "kept" : "beyond"))
                    && (protocols.equals("any") || protocols.equals(protocol));
        }

        boolean isFor(String fault, FaultUpstream upstream) {
            return faults.contains(fault)
                    && upstream.canHave(fault)
                    && (upstreams.equals("any") || List.of(upstreams.split(" ")).contains(upstream.toString()));
        }
    }

    /** What the client, the two endpoints, a listener and the metrics see. */
    record Expected(String client, int faulty, int other, int ejected, String failedAttempt, String counted) {}

    static FaultTable read(Path document) throws IOException {
        List<List<String>> lines = cells(document);
        if (lines.size() < 3 || !lines.get(0).equals(COLUMNS)) {
            throw new AssertionError(document + ": expected a table of " + COLUMNS + ", found " + lines);
        }
        return new FaultTable(lines.stream().skip(2).map(FaultTable::row).toList());
    }

    /** The names in the fault column, with the stars that set them in italics. */
    static List<String> namesAsWritten(Path document) throws IOException {
        return cells(document).stream()
                .skip(2)
                .flatMap(cells -> Arrays.stream(cells.get(0).split(", ")))
                .toList();
    }

    private static List<List<String>> cells(Path document) throws IOException {
        return Files.readAllLines(document).stream()
                .filter(line -> line.startsWith("|"))
                .map(line -> Arrays.stream(line.substring(1).split("\\|"))
                        .map(String::strip)
                        .toList())
                .toList();
    }

    private static Row row(List<String> cells) {
        Expected expected = new Expected(
                cells.get(5),
                Integer.parseInt(cells.get(6)),
                Integer.parseInt(cells.get(7)),
                Integer.parseInt(cells.get(8)),
                cells.get(9),
                cells.get(10));
        return new Row(
                List.of(cells.get(0).replace("*", "").split(", ")),
                cells.get(1),
                cells.get(2),
                cells.get(3),
                cells.get(4),
                expected);
    }

    /** The names in the fault column of the rows for this kind of upstream. */
    List<String> faults(FaultUpstream upstream) {
        return rows.stream()
                .flatMap(row -> row.faults.stream().filter(fault -> row.isFor(fault, upstream)))
                .distinct()
                .toList();
    }

    /** The row of a combination: exactly one must match. */
    Row rowFor(String fault, String method, FaultMatrixTest.Body body, String protocol, FaultUpstream upstream) {
        List<Row> fitting = rows.stream()
                .filter(row -> row.fits(fault, method, body, protocol, upstream))
                .toList();
        if (fitting.size() != 1) {
            throw new AssertionError("expected one row for " + fault + ", " + method + ", " + body + ", " + protocol
                    + ", " + upstream + ", found " + fitting);
        }
        return fitting.get(0);
    }
}
