package io.millau.docker;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Collects what happened since {@link #take} was last called. Safe for use by several threads. */
final class PendingEvents {

    /**
     * What happened.
     *
     * @param services ids of services that changed
     * @param tasks ids of services of whose tasks a local container changed
     * @param containers whether a container that is no task, or a network changed
     * @param nodes whether a node changed
     * @param suspicion whether a read was requested
     */
    record Taken(Set<String> services, Set<String> tasks, boolean containers, boolean nodes, boolean suspicion) {

        boolean changed() {
            return !services.isEmpty() || !tasks.isEmpty() || containers || nodes;
        }

        Taken and(Taken later) {
            return new Taken(
                    both(services, later.services),
                    both(tasks, later.tasks),
                    containers || later.containers,
                    nodes || later.nodes,
                    suspicion || later.suspicion);
        }

        private static Set<String> both(Set<String> some, Set<String> others) {
            Set<String> both = new HashSet<>(some);
            both.addAll(others);
            return both;
        }
    }

    private Set<String> services = new HashSet<>();
    private Set<String> tasks = new HashSet<>();
    private boolean containers;
    private boolean nodes;
    private boolean suspicion;
    private boolean streamEnded;

    /** A container that is no task, or a network changed. */
    synchronized void containersChanged() {
        containers = true;
        notifyAll();
    }

    /** A container of a Swarm service's task changed. */
    synchronized void taskChanged(String serviceId) {
        tasks.add(serviceId);
        notifyAll();
    }

    /** A Swarm service changed. */
    synchronized void serviceChanged(String id) {
        services.add(id);
        notifyAll();
    }

    /** A node changed. */
    synchronized void nodesChanged() {
        nodes = true;
        notifyAll();
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
        while (left > 0
                && services.isEmpty()
                && tasks.isEmpty()
                && !containers
                && !nodes
                && !suspicion
                && !streamEnded) {
            TimeUnit.NANOSECONDS.timedWait(this, left);
            left = end - System.nanoTime();
        }
    }

    /** Returns what happened, and clears it. */
    synchronized Taken take() {
        Taken taken = new Taken(services, tasks, containers, nodes, suspicion);
        services = new HashSet<>();
        tasks = new HashSet<>();
        containers = false;
        nodes = false;
        suspicion = false;
        streamEnded = false;
        return taken;
    }
}
