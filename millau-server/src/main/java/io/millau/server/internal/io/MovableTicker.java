package io.millau.server.internal.io;

import io.millau.core.Endpoint;
import io.millau.core.Ticker;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.xnio.XnioIoThread;

/**
 * The system's time, which a test can stop and move. The deadlines of the proxies that use it need not wait for their next tick then.
 * Safe for use by several threads, of which one at a time stops it; what waits for I/O threads is not for them.
 */
public final class MovableTicker implements Ticker {

    /** An I/O thread that takes longer hangs. */
    private static final Duration MAX_WAIT = Duration.ofSeconds(10);

    /** How often to see whether an I/O thread has ended, which does not do what it was given last. */
    private static final long LOOK_MILLIS = 10;

    /**
     * More than follow from each other without an endpoint or a client in between: to pass, to connect, to be connected, to write what
     * waited for the end of the reads.
     */
    private static final int TURNS = 10;

    private final List<EventLoops> moved = new CopyOnWriteArrayList<>();
    private final Map<XnioIoThread, FullTurns> turns = new ConcurrentHashMap<>();
    private final ThreadLocal<Long> behind = ThreadLocal.withInitial(() -> 0L);

    /** Who looked just before it was stopped must not be ahead of it. */
    private final AtomicLong latest = new AtomicLong(Long.MIN_VALUE);

    private volatile Clock clock = new Clock(false, 0);

    /** @param nanos the time if it stands, else how far ahead it is of the system's */
    private record Clock(boolean stands, long nanos) {
        long read() {
            return stands ? nanos : System.nanoTime() + nanos;
        }
    }

    @Override
    public long nanoTime() {
        return latest.accumulateAndGet(clock.read(), Math::max) - behind.get();
    }

    /** Stops it until {@link #goOn}. */
    public void stand() {
        clock = new Clock(true, nanoTime());
    }

    /** Moves it while it stands. Nothing passes by that: see {@link #passDeadlines}. */
    public void move(long nanos) {
        clock = new Clock(true, nanoTime() + nanos);
    }

    /** Lets it go on by itself. */
    public void goOn() {
        clock = new Clock(false, nanoTime() - System.nanoTime());
    }

    /** Lets all deadlines pass whose time has come. */
    public void passDeadlines() {
        onEachLoop(EventLoop::checkDeadlines);
    }

    /** How long it is to the next deadline: less than 0 if its time has come, {@link Long#MAX_VALUE} if there is none. */
    public long nanosToDeadline() {
        AtomicLong least = new AtomicLong(Long.MAX_VALUE);
        onEachLoop(loop -> least.accumulateAndGet(loop.nanosToDeadline(), Math::min));
        return least.get();
    }

    /** The endpoints that have not responded to their health checks yet. */
    public Set<Endpoint> awaited() {
        Set<Endpoint> awaited = ConcurrentHashMap.newKeySet();
        onEachLoop(loop -> loop.longDeadlines.forEachAwaited(awaited::add));
        return awaited;
    }

    /** Returns when each I/O thread has looked at its sockets some times, and done each time what there was to do. */
    public void awaitTurns() {
        for (EventLoops loops : moved) {
            loops.threads()
                    .forEach(thread -> runOn(thread, done -> turns(thread).take(TURNS, done)));
        }
    }

    private FullTurns turns(XnioIoThread thread) {
        return turns.computeIfAbsent(thread, FullTurns::new);
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

    private void onEachLoop(Consumer<EventLoop> action) {
        for (EventLoops loops : moved) {
            loops.forEach(loop -> runOn(loop.thread(), done -> {
                action.accept(loop);
                done.run();
            }));
        }
    }

    /** @param action calls its argument when it is done */
    private static void runOn(XnioIoThread thread, Consumer<Runnable> action) {
        CountDownLatch done = new CountDownLatch(1);
        try {
            thread.execute(() -> action.accept(done::countDown));
            long end = System.nanoTime() + MAX_WAIT.toNanos();
            while (!done.await(LOOK_MILLIS, TimeUnit.MILLISECONDS) && thread.isAlive() && System.nanoTime() - end < 0) {
                // it has something else to do first
            }
        } catch (RejectedExecutionException e) {
            // its proxy was closed
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
