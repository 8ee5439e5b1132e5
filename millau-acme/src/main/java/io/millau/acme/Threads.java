package io.millau.acme;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Daemon threads with numbered names. */
final class Threads implements ThreadFactory {

    private final String name;
    private final AtomicInteger started = new AtomicInteger();

    Threads(String name) {
        this.name = name;
    }

    /** Runs a clean-up even if the thread is interrupted, in which state files can't be written. */
    static void uninterrupted(Runnable cleanup) {
        boolean interrupted = Thread.interrupted();
        try {
            cleanup.run();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public Thread newThread(Runnable task) {
        Thread thread = new Thread(task, name + "-" + started.incrementAndGet());
        thread.setDaemon(true);
        return thread;
    }
}
