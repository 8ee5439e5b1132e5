package io.millau.server;

import io.millau.core.InMemoryServices;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The endpoints of a random run, which join, leave and crash while requests are running, except those of {@link
 * RunRoute#STEADY}. Thread-safe; changed by one thread.
 */
final class RunFleet implements Closeable {

    /** The number of endpoints of {@link RunRoute#STEADY}. */
    static final int STEADY = 4;

    private static final List<FaultUpstream> KINDS =
            List.of(FaultUpstream.HTTP, FaultUpstream.HTTP, FaultUpstream.HTTPS, FaultUpstream.H2C);

    private static final int FEWEST_OF_A_ROUTE = 2;
    private static final int MOST_OF_A_SERVICE = 5;

    /** Which endpoints each route had, from their publication until the next version was in force. */
    private static final class Version {
        private final Map<RunRoute, Set<RunEndpoint>> pools = new HashMap<>();
        private final long from = System.nanoTime();
        private volatile long until = Long.MAX_VALUE;
    }

    /** A service and its current endpoints. */
    private record Running(RunRoute route, Service service, List<RunEndpoint> endpoints) {}

    final InMemoryServices services = ServiceSource.of();
    private final RunRequests requests;
    private final RunDice dice;
    private final List<Running> running = new ArrayList<>();
    private final List<Running> changing;
    private final List<Version> versions = new ArrayList<>();
    private final List<RunEndpoint> leaving = new ArrayList<>();
    private final Set<Integer> usedPorts = new HashSet<>();
    private int joined;

    RunFleet(RunRequests requests, RunDice dice) throws IOException {
        this.requests = requests;
        this.dice = dice;
        for (RunRoute route : RunRoute.ALL) {
            for (Service service : route.services()) {
                Running one = new Running(route, service, new ArrayList<>());
                running.add(one);
                for (int i = 0; i < (route == RunRoute.STEADY ? STEADY : FEWEST_OF_A_ROUTE); i++) {
                    join(one, false);
                }
            }
        }
        changing = running.stream().filter(one -> one.route != RunRoute.STEADY).toList();
        publish();
    }

    /** Makes a random change; endpoints that crashed earlier are removed now. */
    void change() throws IOException {
        for (Running each : running) {
            each.endpoints.removeIf(endpoint -> endpoint.goneAt(System.nanoTime()) && !endpoint.refuses());
        }
        endSomeThatLeft();
        Running one = dice.any(changing);
        switch (dice.between(0, 4)) {
            case 0 -> join(one, dice.oneIn(4));
            case 1 -> leave(one);
            case 2 -> crash(one);
            default -> {
                join(one, false);
                leave(one);
            }
        }
        publish();
    }

    private void join(Running one, boolean refuses) throws IOException {
        if (one.endpoints.size() >= MOST_OF_A_SERVICE) {
            return;
        }
        String name = one.service.name() + "-" + ++joined;
        // The steady service has each kind; the others have what the dice say.
        FaultUpstream kind = one.route == RunRoute.STEADY ? KINDS.get(joined % KINDS.size()) : dice.any(KINDS);
        RunEndpoint endpoint = new RunEndpoint(name, one.route, kind, requests, refuses);
        while (!usedPorts.add(endpoint.address().port())) {
            endpoint.close(); // the port was used before: a request to the former endpoint may still be on its way
            endpoint = new RunEndpoint(name, one.route, kind, requests, refuses);
        }
        one.endpoints.add(endpoint);
    }

    /** Removes an endpoint: it gets no new requests, and may stop before it has finished the old ones. */
    private void leave(Running one) {
        RunEndpoint endpoint = dispensable(one);
        if (endpoint != null) {
            one.endpoints.remove(endpoint);
            leaving.add(endpoint);
        }
    }

    private void crash(Running one) throws IOException {
        RunEndpoint endpoint = dispensable(one);
        if (endpoint != null) {
            endpoint.close();
        }
    }

    private RunEndpoint dispensable(Running one) {
        long now = System.nanoTime();
        long there = running.stream()
                .filter(each -> each.route == one.route)
                .flatMap(each -> each.endpoints.stream())
                .filter(endpoint -> !endpoint.goneAt(now))
                .count();
        return one.endpoints.isEmpty() || there <= FEWEST_OF_A_ROUTE ? null : dice.any(one.endpoints);
    }

    private void endSomeThatLeft() throws IOException {
        for (Iterator<RunEndpoint> each = leaving.iterator(); each.hasNext(); ) {
            RunEndpoint endpoint = each.next();
            if (dice.oneIn(5)) {
                endpoint.close();
                each.remove();
            }
        }
    }

    private synchronized void publish() {
        Version version = new Version();
        List<Service> all = new ArrayList<>();
        for (Running each : running) {
            version.pools.computeIfAbsent(each.route, route -> new HashSet<>()).addAll(each.endpoints);
            all.add(each.service.withEndpoints(
                    each.endpoints.stream().map(RunEndpoint::address).toList()));
        }
        services.replace(all);
        if (!versions.isEmpty()) {
            versions.get(versions.size() - 1).until = System.nanoTime();
        }
        versions.add(version);
    }

    /** The endpoints that a request may have gone to: those of each version in force while it ran. */
    synchronized List<Set<RunEndpoint>> pools(RunRequest request) {
        return versions.stream()
                .filter(version -> version.from <= request.ended() && version.until >= request.began())
                .map(version -> version.pools.get(request.plan.route()))
                .toList();
    }

    synchronized int changes() {
        return versions.size() - 1;
    }

    /** Removes all services from the proxy. */
    void retire() {
        running.forEach(each -> leaving.addAll(each.endpoints));
        services.replace();
    }

    /** Open connections to removed endpoints that were not stopped. */
    int openConnections() {
        return leaving.stream().mapToInt(RunEndpoint::openConnections).sum();
    }

    @Override
    public void close() throws IOException {
        for (RunEndpoint endpoint : leaving) {
            endpoint.close();
        }
    }
}
