package io.millau.server.internal.proxy;

import io.millau.server.internal.io.Deadlines;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Sends {@code 100 Continue} (RFC 9110, 10.1.1) to a client that waits for it, when the endpoint has not done so in time.
 */
final class ContinueTimer extends Deadlines.Deadline {

    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final ProxiedRequest request;

    ContinueTimer(ProxiedRequest request) {
        this.request = request;
    }

    /** How long the endpoint has time to send it. */
    static long nanos(Duration timeout) {
        return Math.min(LONGEST_NANOS, timeout.toNanos() / 2);
    }

    @Override
    public void passed() {
        request.continueNow();
    }
}
