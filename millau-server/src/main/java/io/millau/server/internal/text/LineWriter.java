package io.millau.server.internal.text;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Writes lines on its own thread, so that callers never wait for the output. Lines that arrive faster than the output accepts
 * them are dropped and counted. Safe for use by several threads.
 */
public final class LineWriter implements AutoCloseable {

    /** The largest number of lines that wait: a few seconds of a busy proxy. */
    public static final int MOST_WAITING = 8192;

    static final int MOST_CHARACTERS = 4 * 1024 * 1024;

    /** Lines are written together until they have this many bytes; a line is never split. */
    private static final int BATCH_BYTES = 32 * 1024;

    private static final Duration CLOSE = Duration.ofSeconds(2);

    private final OutputStream out;
    private final LongFunction<String> note;
    private final Consumer<@Nullable Exception> changes;
    private final Queue<String> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger size = new AtomicInteger();
    private final AtomicInteger characters = new AtomicInteger();
    private final AtomicLong dropped = new AtomicLong();
    private final ByteArrayOutputStream batch = new ByteArrayOutputStream();
    private int batchLines;
    private final Thread thread;
    private long noted;
    private boolean failed;
    private volatile boolean idle;
    private volatile boolean closed;

    /**
     * @param out may block; is never closed by this class
     * @param note returns the text to write after the given number of lines was dropped
     * @param changes told by the thread of this writer of the first failure of the output, and with null when it works again
     */
    public LineWriter(
            OutputStream out, String threadName, LongFunction<String> note, Consumer<@Nullable Exception> changes) {
        this.out = out;
        this.note = note;
        this.changes = changes;
        this.thread = new Thread(this::run, threadName);
        thread.setDaemon(true);
        thread.start();
    }

    /** Whether there is room for a line. If not, counts a dropped line: the caller need not make it. */
    public boolean hasRoom() {
        if (!closed && size.get() < MOST_WAITING && characters.get() < MOST_CHARACTERS) {
            return true;
        }
        dropped.incrementAndGet();
        return false;
    }

    /** @param line with its end */
    public void write(String line) {
        boolean isOneTooMany = size.incrementAndGet() > MOST_WAITING;
        if (characters.addAndGet(line.length()) > MOST_CHARACTERS || isOneTooMany) {
            left(line);
            dropped.incrementAndGet();
            return;
        }
        waiting.add(line);
        if (idle) {
            LockSupport.unpark(thread);
        }
    }

    private void left(String line) {
        size.decrementAndGet();
        characters.addAndGet(-line.length());
    }

    /** How many lines were dropped so far. */
    public long dropped() {
        return dropped.get();
    }

    private void run() {
        while (true) {
            String line = waiting.poll();
            if (line != null) {
                left(line);
                batch.writeBytes(line.getBytes(StandardCharsets.UTF_8));
                batchLines++;
            }
            if (batch.size() >= BATCH_BYTES || line == null && batch.size() > 0) {
                writeBatch();
            } else if (line == null && closed) {
                return;
            } else if (line == null) {
                await();
            }
        }
    }

    private void writeBatch() {
        long lost = dropped.get();
        if (lost > noted) {
            batch.writeBytes(note.apply(lost - noted).getBytes(StandardCharsets.UTF_8));
            noted = lost;
        }
        Exception failure = null;
        try {
            out.write(batch.toByteArray());
            out.flush();
        } catch (IOException | RuntimeException e) {
            failure = e;
            dropped.addAndGet(batchLines);
        }
        batch.reset();
        batchLines = 0;
        if (failed != (failure != null)) {
            failed = failure != null;
            changes.accept(failure);
        }
    }

    private void await() {
        idle = true;
        if (waiting.isEmpty() && !closed) {
            LockSupport.parkNanos(this, TimeUnit.SECONDS.toNanos(1));
        }
        idle = false;
    }

    /** Returns a stream whose lines are written here. Closing it closes this writer. */
    public OutputStream stream() {
        return new OutputStream() {
            private final ByteArrayOutputStream line = new ByteArrayOutputStream();

            @Override
            public synchronized void write(int b) {
                line.write(b);
                if (b == '\n') {
                    end();
                }
            }

            private void end() {
                LineWriter.this.write(line.toString(StandardCharsets.UTF_8));
                line.reset();
            }

            @Override
            public void close() {
                synchronized (this) {
                    if (line.size() > 0) {
                        end();
                    }
                }
                LineWriter.this.close();
            }

            @Override
            public synchronized void write(byte[] bytes, int offset, int length) {
                for (int i = offset; i < offset + length; i++) {
                    write(bytes[i]);
                }
            }
        };
    }

    /** Writes the lines that wait, for at most 2 s, and ends the thread. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        try {
            thread.join(CLOSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
