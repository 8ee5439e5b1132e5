package io.millau.server.internal.io;

import io.millau.core.Ticker;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The system's time, which a test can advance. The deadlines of the proxies that use it need not wait for their next tick then. Safe
 * for use by several threads.
 */
public final class MovableTicker implements Ticker {

    /** An I/O thread that takes longer hangs, or has ended. */
    private static final Duration MAX_WAIT = Duration.ofSeconds(10);

    private final AtomicLong ahead = new AtomicLong();
    private final List<EventLoops> moved = new CopyOnWriteArrayList<>();
    private final ThreadLocal<Long> behind = ThreadLocal.withInitial(() -> 0L);

    @Override
    public long nanoTime() {
        return System.nanoTime() + ahead.get() - behind.get();
    }

    /** Lets time pass. Returns when all deadlines have passed whose time has come. Not for I/O threads. */
    public void advance(Duration by) {
        onEachThread(loop -> {}); // who has begun something has set its deadline then
        ahead.addAndGet(by.toNanos());
        onEachThread(EventLoop::checkDeadlines);
    }

    /** Runs an action to which it is earlier by so much. */
    public void runEarlier(Duration by, Runnable action) {
        behind.set(by.toNanos());
        try {
            action.run();
        } finally {
            behind.remove();
        }
    }

    void moves(EventLoops loops) {
        moved.add(loops);
    }

    private void onEachThread(Consumer<EventLoop> action) {
        for (EventLoops loops : moved) {
            loops.forEach(loop -> runOn(loop, action));
        }
    }

    private static void runOn(EventLoop loop, Consumer<EventLoop> action) {
        CountDownLatch done = new CountDownLatch(1);
        try {
            loop.execute(() -> {
                action.accept(loop);
                done.countDown();
            });
            done.await(MAX_WAIT.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            // its proxy was closed
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
