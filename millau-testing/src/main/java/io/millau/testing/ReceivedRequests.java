package io.millau.testing;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** The requests that an upstream got. Safe for use by several threads. */
final class ReceivedRequests {

    private final Object upstream;
    private final List<RecordedRequest> all = new ArrayList<>();
    private int taken;
    private boolean closed;

    /** @param upstream by its name in messages */
    ReceivedRequests(Object upstream) {
        this.upstream = upstream;
    }

    synchronized void add(RecordedRequest request) {
        all.add(request);
        notifyAll();
    }

    synchronized List<RecordedRequest> all() {
        return List.copyOf(all);
    }

    /** Nothing more comes: nobody has to wait. */
    synchronized void close() {
        closed = true;
        notifyAll();
    }

    synchronized RecordedRequest take(Duration atMost) {
        TestTime.check("at most", Objects.requireNonNull(atMost, "atMost"));
        if (comes(() -> all.size() > taken, atMost)) {
            return all.get(taken++);
        }
        throw new AssertionError("expected a request at " + upstream + " within " + atMost.toMillis() + " ms, but "
                + end(all.isEmpty() ? "none has come" : "none came after " + all));
    }

    synchronized List<RecordedRequest> await(int inAll, Duration atMost) {
        TestTime.check("at most", Objects.requireNonNull(atMost, "atMost"));
        if (inAll < 1) {
            throw new IllegalArgumentException(inAll + " requests: expected at least 1");
        }
        if (comes(() -> all.size() >= inAll, atMost)) {
            return all();
        }
        throw new AssertionError("expected " + inAll + " requests in all at " + upstream + " within "
                + atMost.toMillis() + " ms, but " + end(all.size() + " came: " + all));
    }

    private String end(String came) {
        return closed ? "it is closed, and " + came : came;
    }

    /** Waits until it is so, for as long as it can become so. */
    private boolean comes(BooleanSupplier there, Duration atMost) {
        long end = System.nanoTime() + atMost.toNanos();
        try {
            for (long left = atMost.toNanos();
                    left > 0 && !there.getAsBoolean() && !closed;
                    left = end - System.nanoTime()) {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return there.getAsBoolean();
    }
}
