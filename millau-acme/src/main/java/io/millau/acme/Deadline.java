package io.millau.acme;

import java.time.Duration;

/** The time limit of an order, whose lock expires by itself. Uses real time. For one thread. */
final class Deadline {

    private final Duration all;
    private final long end;

    Deadline(Duration all) {
        this.all = all;
        this.end = System.nanoTime() + all.toNanos();
    }

    /** The time left; zero or negative if it is over. */
    Duration left() {
        return Duration.ofNanos(end - System.nanoTime());
    }

    /** @throws OrderException if the time is over */
    void check() throws OrderException {
        if (left().isNegative()) {
            throw OrderException.atDirectory("is too slow: the order was not done after " + all.toSeconds() + " s");
        }
    }

    /**
     * Sleeps.
     *
     * @throws OrderException if the time is over, or ends during the pause
     */
    void pause(Duration pause) throws OrderException, InterruptedException {
        Thread.sleep(Math.max(0, Math.min(pause.toMillis(), left().toMillis())));
        check();
    }
}
