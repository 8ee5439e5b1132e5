package io.millau.server;

import io.millau.core.Endpoint;
import io.millau.core.Overview;
import io.millau.core.Request;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Counts the calls of a traffic listener, and sees which endpoints of {@link RunRoute#STEADY} are out of rotation. */
final class RunTraffic implements TrafficListener {

    private final AtomicLong busy = new AtomicLong();
    private final AtomicLong open = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final AtomicLong retried = new AtomicLong();
    private final AtomicInteger steadyEjections = new AtomicInteger();
    private final AtomicInteger steadyExhausted = new AtomicInteger();
    private volatile Overview overview;

    @Override
    public void started(Overview overview) {
        this.overview = overview;
    }

    @Override
    public void connectionBusy(Ingress ingress) {
        busy.incrementAndGet();
    }

    @Override
    public void connectionIdle(Ingress ingress) {
        busy.decrementAndGet();
    }

    @Override
    public void requestBegan(Ingress ingress, Request request) {
        open.incrementAndGet();
    }

    @Override
    public void requestEnded(Ended request) {
        open.decrementAndGet();
    }

    @Override
    public void attemptFailed(Failed attempt) {
        failed.incrementAndGet();
        retried.addAndGet(attempt.retried() ? 1 : 0);
    }

    @Override
    public void endpointEjected(Service service, Endpoint endpoint, String reason) {
        if (isSteady(service)) {
            steadyEjections.incrementAndGet();
        }
    }

    @Override
    public void retriesExhausted(Service service) {
        if (isSteady(service)) {
            steadyExhausted.incrementAndGet();
        }
    }

    private static boolean isSteady(Service service) {
        return service.name().equals(RunRoute.STEADY.services().get(0).name());
    }

    /** How often an endpoint of {@link RunRoute#STEADY} was ejected. */
    int steadyEjections() {
        return steadyEjections.get();
    }

    /** How often a request to {@link RunRoute#STEADY} was not retried since the service's retry budget was spent. */
    int steadyExhausted() {
        return steadyExhausted.get();
    }

    /** The number of endpoints of {@link RunRoute#STEADY} that are out of rotation. */
    int steadyOut() {
        return (int) overview.services().stream()
                .filter(status -> isSteady(status.service()))
                .flatMap(status -> status.endpoints().stream())
                .filter(status -> !status.inRotation())
                .count();
    }

    /** Whether every request has ended and every connection is idle again. */
    boolean over() {
        return open.get() == 0 && busy.get() == 0;
    }

    @Override
    public String toString() {
        return failed + " attempts failed, " + retried + " retried, " + steadyEjections
                + " endpoints ejected by poison requests";
    }
}
