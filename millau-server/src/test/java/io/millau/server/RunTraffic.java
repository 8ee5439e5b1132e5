package io.millau.server;

import io.millau.core.Endpoint;
import io.millau.core.Outcome;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import java.util.concurrent.atomic.AtomicLong;

/** Counts the calls of a traffic listener. */
final class RunTraffic implements TrafficListener {

    private final AtomicLong busy = new AtomicLong();
    private final AtomicLong open = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final AtomicLong retried = new AtomicLong();

    @Override
    public void connectionBusy(Ingress ingress) {
        busy.incrementAndGet();
    }

    @Override
    public void connectionIdle(Ingress ingress) {
        busy.decrementAndGet();
    }

    @Override
    public void requestBegan(Ingress ingress, String method) {
        open.incrementAndGet();
    }

    @Override
    public void requestEnded(Ended request) {
        open.decrementAndGet();
    }

    @Override
    public void attemptFailed(Service service, Endpoint endpoint, Outcome outcome, boolean again) {
        failed.incrementAndGet();
        retried.addAndGet(again ? 1 : 0);
    }

    /** Whether every request has ended and every connection is idle again. */
    boolean over() {
        return open.get() == 0 && busy.get() == 0;
    }

    @Override
    public String toString() {
        return failed + " attempts failed, " + retried + " retried";
    }
}
