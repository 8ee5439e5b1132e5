package io.millau.acme;

import java.time.Duration;

/** Until when an order may go on, since its lock ends by itself; in real time. For one thread. */
final class Deadline {

    private final Duration all;
    private final long end;

    Deadline(Duration all) {
        this.all = all;
        this.end = System.nanoTime() + all.toNanos();
    }

    /** What is left; none or less if it is over. */
    Duration left() {
        return Duration.ofNanos(end - System.nanoTime());
    }

    /** @throws OrderException if it is over */
    void check() throws OrderException {
        if (left().isNegative()) {
            throw OrderException.atDirectory("is too slow: the order was not done after " + all.toSeconds() + " s");
        }
    }

    /**
     * Waits.
     *
     * @throws OrderException if it is over, or will be
     */
    void pause(Duration pause) throws OrderException, InterruptedException {
        Thread.sleep(Math.max(0, Math.min(pause.toMillis(), left().toMillis())));
        check();
    }
}
