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

    /** Tidies up in a thread that may have been interrupted: a file can't be written while it is. */
    static void undisturbed(Runnable tidying) {
        boolean interrupted = Thread.interrupted();
        try {
            tidying.run();
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
