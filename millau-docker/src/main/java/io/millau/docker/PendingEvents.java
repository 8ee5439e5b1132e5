package io.millau.docker;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** What happened since the loop last looked, however often it happened. For several threads. */
final class PendingEvents {

    /** What happened. */
    record Taken(boolean changed, boolean swarmChanged, boolean nodesChanged, boolean suspicion, Set<String> services) {
        Taken and(Taken later) {
            Set<String> both = new HashSet<>(services);
            both.addAll(later.services);
            return new Taken(
                    changed || later.changed,
                    swarmChanged || later.swarmChanged,
                    nodesChanged || later.nodesChanged,
                    suspicion || later.suspicion,
                    both);
        }
    }

    private final Set<String> services = new HashSet<>();
    private boolean changed;
    private boolean swarmChanged;
    private boolean nodesChanged;
    private boolean suspicion;
    private boolean streamEnded;

    /** Something is not as it was. */
    synchronized void changed() {
        changed = true;
        notifyAll();
    }

    /** A container of a Swarm service's task is not as it was. */
    synchronized void taskChanged(String serviceId) {
        services.add(serviceId);
        changed();
    }

    /** A service is not as it was. */
    synchronized void swarmChanged() {
        swarmChanged = true;
        changed();
    }

    /** A node is not as it was. */
    synchronized void nodesChanged() {
        nodesChanged = true;
        swarmChanged();
    }

    /** Somebody wants a look. */
    synchronized void suspicion() {
        suspicion = true;
        notifyAll();
    }

    /** No more events will come. */
    synchronized void streamEnded() {
        streamEnded = true;
        notifyAll();
    }

    /** Waits until something happened, or a time is over. */
    synchronized void await(long nanos) throws InterruptedException {
        long end = System.nanoTime() + nanos;
        long left = nanos;
        while (left > 0 && !changed && !suspicion && !streamEnded) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
            left = end - System.nanoTime();
        }
    }

    /** Forgets what it tells. */
    synchronized Taken take() {
        Taken taken = new Taken(changed, swarmChanged, nodesChanged, suspicion, Set.copyOf(services));
        changed = false;
        swarmChanged = false;
        nodesChanged = false;
        suspicion = false;
        streamEnded = false;
        services.clear();
        return taken;
    }
}
