package io.millau.server.internal.io;

import io.millau.core.Endpoint;
import io.millau.core.Ticker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.XnioExecutor;

/**
 * The deadlines of one I/O thread, of its requests or of its connections. For that thread alone. All times are in nanoseconds.
 *
 * <p>A timer for each request would be expensive. Instead, all deadlines that are set are checked at every tick; there are no
 * ticks while none is set.
 *
 * <p>At a tick that is late, because the thread had much to do or the whole machine stood still, only those pass whose time had come
 * at the tick before: since then, what has arrived was read. Otherwise everybody would seem to be late.
 */
public final class Deadlines {

    private static final Logger LOG = LoggerFactory.getLogger(Deadlines.class);

    /** How much later than planned a tick is late. */
    private static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final XnioExecutor thread;
    private final Ticker ticker;
    private final Ticker machine;
    private final long tickMillis;
    private @Nullable Deadline first;
    private boolean ticking;
    private long tickDue;
    private long lastTick;

    /** The one that the current tick checks next. */
    private @Nullable Deadline unchecked;

    /** @param tick the time between two checks: how late a deadline may be */
    Deadlines(XnioExecutor thread, Ticker ticker, Duration tick) {
        this(thread, ticker, Ticker.system(), tick);
    }

    /** @param machine the real time */
    Deadlines(XnioExecutor thread, Ticker ticker, Ticker machine, Duration tick) {
        this.thread = thread;
        this.ticker = ticker;
        this.machine = machine;
        this.tickMillis = tick.toMillis();
    }

    /** An action that is run at a certain time unless it is cancelled before; also an element of a linked list. */
    public abstract static class Deadline {
        private long at;
        private boolean waiting;
        private @Nullable Deadline previous;
        private @Nullable Deadline next;

        /** Called on the I/O thread, once, when the time has come. */
        public abstract void passed();

        /** Whether it may also pass before its time, to make room for others. */
        protected boolean mayPassEarly() {
            return false;
        }

        /** Called before it passes early: what has arrived may move it, though the thread has had no time for that yet. */
        protected void listen() {}

        /** The endpoint that is to do something before; for tests, which let no time pass until it has. */
        protected @Nullable Endpoint awaited() {
            return null;
        }

        /** For tests, which count the checks. */
        boolean isPast(long now) {
            return now - at >= 0;
        }
    }

    public long now() {
        return ticker.nanoTime();
    }

    /** Sets the deadline, or moves it. One that a passing deadline sets is checked at the next tick at the earliest. */
    public void set(Deadline deadline, long nanosFromNow) {
        deadline.at = ticker.nanoTime() + nanosFromNow;
        if (deadline.waiting) {
            return;
        }
        deadline.waiting = true;
        deadline.next = first;
        if (first != null) {
            first.previous = deadline;
        }
        first = deadline;
        if (!ticking) {
            lastTick = ticker.nanoTime();
            tickLater();
        }
    }

    public void cancel(Deadline deadline) {
        if (!deadline.waiting) {
            return;
        }
        deadline.waiting = false;
        if (deadline == unchecked) {
            unchecked = deadline.next;
        }
        if (deadline.previous != null) {
            deadline.previous.next = deadline.next;
        } else {
            first = deadline.next;
        }
        if (deadline.next != null) {
            deadline.next.previous = deadline.previous;
        }
        deadline.previous = null;
        deadline.next = null;
    }

    /** Checks each deadline once, even if passing deadlines set, move or cancel some. */
    private void tick() {
        long now = ticker.nanoTime();
        long until = machine.nanoTime() - tickDue > LATE_NANOS ? lastTick : now;
        lastTick = now;
        passThoseBefore(until);
        ticking = false;
        if (first != null) {
            tickLater();
        }
    }

    /** Lets all pass whose time has come, without waiting for a tick; for time that a test has moved. */
    void check() {
        passThoseBefore(ticker.nanoTime());
    }

    /** How long it is to the one whose time comes first: less than 0 if it has come, {@link Long#MAX_VALUE} if there is none. */
    long nanosToFirst() {
        long now = ticker.nanoTime();
        long least = Long.MAX_VALUE;
        for (Deadline deadline = first; deadline != null; deadline = deadline.next) {
            least = Math.min(least, deadline.at - now);
        }
        return least;
    }

    void forEachAwaited(Consumer<Endpoint> action) {
        for (Deadline deadline = first; deadline != null; deadline = deadline.next) {
            Endpoint awaited = deadline.awaited();
            if (awaited != null) {
                action.accept(awaited);
            }
        }
    }

    private void passThoseBefore(long until) {
        unchecked = first;
        Deadline deadline;
        while ((deadline = unchecked) != null) {
            unchecked = deadline.next;
            if (deadline.isPast(until)) {
                cancel(deadline);
                pass(deadline);
            }
        }
    }

    /**
     * Lets deadlines pass that may pass early: the ones whose time comes first. Each {@linkplain Deadline#listen listens} before:
     * otherwise somebody would be closed as idle whose request waits in the socket, since the thread has much to do.
     *
     * @param atMost how many
     * @param maxLeft only those whose time comes within so many nanoseconds from now
     */
    public void passEarly(int atMost, long maxLeft) {
        long now = ticker.nanoTime();
        List<Deadline> early = new ArrayList<>();
        for (Deadline deadline = first; deadline != null; deadline = deadline.next) {
            if (deadline.at - now <= maxLeft && deadline.mayPassEarly()) {
                early.add(deadline);
            }
        }
        early.sort(Comparator.comparingLong(deadline -> deadline.at - now));
        for (Deadline deadline : early.subList(0, Math.min(atMost, early.size()))) {
            long at = deadline.at;
            if (deadline.waiting) {
                deadline.listen();
            }
            if (deadline.waiting && deadline.at == at && deadline.mayPassEarly()) {
                cancel(deadline);
                pass(deadline);
            }
        }
    }

    private static void pass(Deadline deadline) {
        try {
            deadline.passed();
        } catch (RuntimeException e) {
            LOG.error("Internal error in a deadline; other deadlines are not affected", e);
        }
    }

    private void tickLater() {
        tickDue = machine.nanoTime() + TimeUnit.MILLISECONDS.toNanos(tickMillis);
        try {
            thread.executeAfter(this::tick, tickMillis, TimeUnit.MILLISECONDS);
            ticking = true;
        } catch (RejectedExecutionException e) {
            LOG.debug("Deadlines are not checked any more: the proxy stops");
        }
    }
}
