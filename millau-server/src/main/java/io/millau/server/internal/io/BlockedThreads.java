package io.millau.server.internal.io;

import io.millau.core.internal.LogText;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.XnioIoThread;

/**
 * Reports I/O threads that something blocks, such as a filter that waits for a database: all their requests wait. A thread of its own
 * asks each of them again and again to run a task. Safe for use by several threads.
 */
public final class BlockedThreads implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger("io.millau.server.Millau");

    private static final long PAUSE_MILLIS = 500;

    /** Pauses are counted, not the time, so that no thread is reported after the whole process was stopped. */
    private static final int LONGEST = 4;

    private final List<Pulse> pulses;
    private final Thread thread = new Thread(this::run, "millau-blocked-threads");
    private volatile boolean closed;

    /** Watches the threads that may run these event loops, from now on. */
    public BlockedThreads(EventLoops loops) {
        pulses = loops.threads().stream().map(Pulse::new).toList();
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        while (!closed) {
            try {
                Thread.sleep(PAUSE_MILLIS);
                pulses.forEach(Pulse::check);
            } catch (InterruptedException | RejectedExecutionException e) {
                return; // the proxy ends
            } catch (RuntimeException e) {
                LOG.error("Internal error while I/O threads were looked after; they still are", e);
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }

    /** Whether a thread runs its tasks. */
    private static final class Pulse implements Runnable {
        private final XnioIoThread thread;
        private volatile boolean hasRun = true;

        /** For how many pauses it has run none. */
        private int missed;

        Pulse(XnioIoThread thread) {
            this.thread = thread;
        }

        @Override
        public void run() {
            hasRun = true;
        }

        void check() {
            if (!hasRun) {
                missed++;
                if (missed == LONGEST) {
                    report();
                }
                return;
            }
            if (missed >= LONGEST) {
                LOG.info("Unblocked thread={}", LogText.value(thread.getName()));
            }
            missed = 0;
            hasRun = false;
            thread.execute(this);
        }

        private void report() {
            Throwable where = new Throwable("what it does now");
            where.setStackTrace(thread.getStackTrace());
            LOG.error(
                    "Blocked thread={} meanwhile=\"its requests wait\" expected=\"filters, listeners and the like wait for nothing\"",
                    LogText.value(thread.getName()),
                    where);
        }
    }
}
