package io.millau.server.internal.status;

import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;

/** The latest changes, for the status page. Safe for use by several threads; never blocks. */
public final class ChangeHistory {

    static final int REMEMBERED = 50;

    private final Clock clock;
    private final Deque<Change> last = new ConcurrentLinkedDeque<>();
    private final AtomicInteger size = new AtomicInteger();

    /**
     * A change.
     *
     * @param isTrouble whether it is a problem that needs the operator's attention
     * @param text the text of its log line
     */
    record Change(Instant at, boolean isTrouble, String text) {}

    public ChangeHistory(Clock clock) {
        this.clock = clock;
    }

    /** The latest first. */
    List<Change> last() {
        return List.copyOf(last);
    }

    void remember(boolean isTrouble, String text) {
        last.addFirst(new Change(clock.instant(), isTrouble, text));
        if (size.incrementAndGet() > REMEMBERED && last.pollLast() != null) {
            size.decrementAndGet();
        }
    }

    @Override
    public String toString() {
        return "changes " + new ArrayList<>(last);
    }
}
