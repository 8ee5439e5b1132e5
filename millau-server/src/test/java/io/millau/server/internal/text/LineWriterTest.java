package io.millau.server.internal.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

public class LineWriterTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** Records what is written; blocks the writer until it is opened. */
    public static final class Gate extends OutputStream {
        private final CountDownLatch opened = new CountDownLatch(1);
        private final CountDownLatch reached = new CountDownLatch(1);
        private final List<String> writes = new ArrayList<>();

        @Override
        public void write(int b) {
            throw new AssertionError("a single byte");
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            reached.countDown();
            try {
                opened.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            synchronized (writes) {
                writes.add(new String(bytes, offset, length, StandardCharsets.UTF_8));
            }
        }

        public void open() {
            opened.countDown();
        }

        public void awaitWriter() throws InterruptedException {
            reached.await();
        }

        List<String> writes() {
            synchronized (writes) {
                return List.copyOf(writes);
            }
        }

        public String text() {
            return String.join("", writes());
        }
    }

    private final Gate gate = new Gate();
    private final LineWriter writer = new LineWriter(gate, "test", lost -> "", failure -> {});

    @Test
    void linesAreWrittenCompleteAndInOrder() {
        gate.open();
        StringBuilder expected = new StringBuilder();
        for (int i = 0; i < 5000; i++) {
            String line = "line " + i + " é😀 " + "x".repeat(i % 100) + "\n";
            expected.append(line);
            while (!writer.hasRoom()) {
                Thread.onSpinWait();
            }
            writer.write(line);
        }
        writer.close();

        assertThat(gate.text()).isEqualTo(expected.toString());
        assertThat(gate.writes()).allSatisfy(write -> assertThat(write).endsWith("\n"));
    }

    @Test
    void linesOfSeveralThreadsAreNotMixed() throws Exception {
        gate.open();
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            String line = String.valueOf(i).repeat(50) + "\n";
            threads[i] = new Thread(() -> {
                for (int j = 0; j < 1000; j++) {
                    writer.write(line);
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        writer.close();

        assertThat(gate.text().lines().count()).isEqualTo(4000);
        assertThat(gate.text().lines()).allMatch(line -> line.matches("(\\d)\\1{49}"));
        assertThat(writer.dropped()).isZero();
    }

    @Test
    void whileTheOutputBlocksLinesBeyondTheLimitAreDroppedAndCounted() throws Exception {
        writer.write("first\n");
        gate.awaitWriter();
        for (int i = 0; i < LineWriter.MOST_WAITING; i++) {
            assertThat(writer.hasRoom()).isTrue();
            writer.write(i + "\n");
        }
        assertThat(writer.dropped()).isZero();

        assertThat(writer.hasRoom()).isFalse();
        writer.write("too much\n");
        assertThat(writer.dropped()).isEqualTo(2);

        gate.open();
        await().atMost(PATIENCE).until(() -> gate.text().endsWith((LineWriter.MOST_WAITING - 1) + "\n"));
        assertThat(gate.text()).startsWith("first\n0\n1\n").doesNotContain("too much");
        writer.write("again\n");
        writer.close();
        assertThat(gate.text()).endsWith("again\n");
        assertThat(writer.dropped()).isEqualTo(2);
    }

    @Test
    void waitingLinesAreWrittenInBoundedBatches() throws Exception {
        writer.write("first\n");
        gate.awaitWriter();
        String line = "x".repeat(999) + "\n";
        for (int i = 0; i < 200; i++) {
            writer.write(line);
        }
        gate.open();
        writer.close();

        assertThat(gate.writes()).hasSizeBetween(6, 20);
        assertThat(gate.writes()).allSatisfy(write -> assertThat(write.length()).isLessThan(34_000));
    }

    @Test
    void closeWritesTheWaitingLines() {
        IntStream.range(0, 1000).forEach(i -> writer.write(i + "\n"));
        gate.open();
        writer.close();

        assertThat(gate.text().lines()).hasSize(1000);
    }

    @Test
    void closeDoesNotWaitForABlockedOutput() throws Exception {
        writer.write("first\n");
        gate.awaitWriter();

        writer.close();
        assertThat(gate.writes()).isEmpty();
        gate.open();
    }

    /** The output stream may throw anything: the writer continues and counts the lost lines. */
    @Test
    void linesThatCannotBeWrittenAreCountedAndLaterOnesAreWritten() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        OutputStream failing = new OutputStream() {
            private int failures;

            @Override
            public void write(int b) {
                throw new AssertionError("a single byte");
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                failures++;
                if (failures == 1) {
                    throw new IOException("no space left");
                }
                if (failures == 2) {
                    throw new IllegalStateException("on purpose");
                }
                out.write(bytes, offset, length);
            }
        };
        LineWriter failed = new LineWriter(failing, "test", lost -> "", failure -> {});
        failed.write("one\n");
        await().atMost(PATIENCE).until(() -> failed.dropped() == 1);
        failed.write("two\n");
        await().atMost(PATIENCE).until(() -> failed.dropped() == 2);
        failed.write("three\n");
        failed.close();

        assertThat(out).hasToString("three\n");
        assertThat(failed.dropped()).isEqualTo(2);
    }

    /** A client can make a line a hundred times longer than usual: eight thousand such lines filled the heap. */
    @Test
    void theTotalLengthOfWaitingLinesIsLimited() {
        String megabyte = "x".repeat(1_000_000) + "\n";
        for (int i = 0; i < 20; i++) {
            writer.write(megabyte);
        }

        assertThat(writer.dropped()).isGreaterThanOrEqualTo(20 - LineWriter.MOST_CHARACTERS / 1_000_000 - 1);
        gate.open();
    }

    @Test
    void allLinesOfAFailedBatchAreCounted() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch reached = new CountDownLatch(1);
        LineWriter failed = new LineWriter(
                new OutputStream() {
                    @Override
                    public void write(int b) throws IOException {
                        reached.countDown();
                        try {
                            go.await();
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                        throw new IOException("broken pipe");
                    }
                },
                "test",
                lost -> "",
                failure -> {});
        failed.write("first\n");
        reached.await();
        IntStream.range(0, 10).forEach(i -> failed.write(i + "\n"));
        go.countDown();
        failed.close();

        assertThat(failed.dropped()).isEqualTo(11);
    }

    @Test
    void theStreamWritesWholeLines() {
        gate.open();
        try (PrintStream print = new PrintStream(writer.stream(), false, StandardCharsets.UTF_8)) {
            print.print("a");
            print.print("b é");
            print.println("c");
            print.print("d\ne\nf");
        }

        assertThat(gate.text()).isEqualTo("ab éc\nd\ne\nf");
        assertThat(gate.writes()).noneMatch(write -> write.startsWith("b"));
    }

    @Test
    void theStreamNeverBlocks() throws Exception {
        PrintStream print = new PrintStream(writer.stream(), false, StandardCharsets.UTF_8);
        print.println("first");
        gate.awaitWriter();
        for (int i = 0; i < 2 * LineWriter.MOST_WAITING; i++) {
            print.println(i);
        }

        assertThat(writer.dropped()).isEqualTo(LineWriter.MOST_WAITING);
        gate.open();
    }
}
