package io.millau.docker;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Collects what happened since {@link #take} was last called. Safe for use by several threads. */
final class PendingEvents {

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

    /** A container or network changed. */
    synchronized void changed() {
        changed = true;
        notifyAll();
    }

    /** A container of a Swarm service's task changed. */
    synchronized void taskChanged(String serviceId) {
        services.add(serviceId);
        changed();
    }

    /** A Swarm service changed. */
    synchronized void swarmChanged() {
        swarmChanged = true;
        changed();
    }

    /** A node changed. */
    synchronized void nodesChanged() {
        nodesChanged = true;
        swarmChanged();
    }

    /** A read was requested, though no event came. */
    synchronized void suspicion() {
        suspicion = true;
        notifyAll();
    }

    /** No more events will come. */
    synchronized void streamEnded() {
        streamEnded = true;
        notifyAll();
    }

    /** Waits until something happens or the time is over. */
    synchronized void await(long nanos) throws InterruptedException {
        long end = System.nanoTime() + nanos;
        long left = nanos;
        while (left > 0 && !changed && !suspicion && !streamEnded) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
            left = end - System.nanoTime();
        }
    }

    /** Returns what happened, and clears it. */
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
