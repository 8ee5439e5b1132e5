package io.millau.core;

import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Knows which endpoints a request may go to, and how each of them fared. Without I/O and threads of its own: a routing and
 * failover engine for any server.
 *
 * <p>{@link #open} is for I/O threads: one volatile read and one match. {@link #replace} may be called from any other
 * thread at any time. Health, turns and what was retried belong to endpoints, services and routes, so they
 * survive what is replaced.
 */
public final class Router {

    private static final long REMEMBERED_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final RetryPolicy retryPolicy;
    private final LoadBalancer balancer;
    private final Ticker ticker;

    private volatile RouteTable table;

    /** Only to be explained; guarded by this. */
    private List<Service> disabled = List.of();

    private volatile List<Pool.Member> members = List.of();

    private volatile Map<Endpoint, EndpointState> endpointStates = Map.of();

    // What survives a replacement; guarded by this.
    private Map<Route, AtomicInteger> routeTurns = Map.of();
    private Map<String, ServiceState> serviceStates = Map.of();
    private final Map<String, Removed> removed = new LinkedHashMap<>();
    private boolean filled;

    private record Removed(Service service, long at) {}

    /** A router with the usual rules. */
    public Router() {
        this(RetryPolicy.standard(), LoadBalancer.roundRobin(), Ticker.system());
    }

    /**
     * A router with rules and a clock of one's own.
     *
     * @param balancer for services that don't have their own
     */
    public Router(RetryPolicy retryPolicy, LoadBalancer balancer, Ticker ticker) {
        this.retryPolicy = retryPolicy;
        this.balancer = balancer;
        this.ticker = ticker;
        this.table = new RouteTable(List.of(), route -> new AtomicInteger());
    }

    /**
     * Replaces all services; requests that are open go on with those they were opened with. For a minute a service that
     * is gone still answers for itself where nothing else fits, as one that has no running instance.
     */
    public synchronized void replace(Collection<Service> services) {
        long now = ticker.nanoTime();
        Map<String, Service> enabled = new LinkedHashMap<>();
        services.stream().filter(Service::enabled).forEach(service -> enabled.put(service.id(), service));

        for (Pool.Member member : members) {
            Service before = member.service;
            if (!enabled.containsKey(before.id())) {
                removed.put(before.id(), new Removed(before.withEndpoints(List.of()), now));
            }
        }
        removed.keySet().removeAll(enabled.keySet());
        removed.values().removeIf(gone -> now - gone.at() >= REMEMBERED_NANOS);

        Map<Endpoint, EndpointState> newStates = new HashMap<>(2 * endpointStates.size());
        Map<Route, AtomicInteger> newRouteTurns = new HashMap<>();
        Map<String, ServiceState> newServiceStates = new HashMap<>();
        List<Pool.Member> newMembers = new ArrayList<>(enabled.size());
        for (Service service : enabled.values()) {
            newMembers.add(member(service, null, now, newStates, newServiceStates));
        }
        List<Pool.Member> all = new ArrayList<>(newMembers);
        removed.values().forEach(gone -> all.add(member(gone.service(), gone.at(), now, newStates, newServiceStates)));

        endChecks(newStates, newMembers);
        table = new RouteTable(
                all,
                route -> newRouteTurns.computeIfAbsent(route, r -> routeTurns.getOrDefault(r, new AtomicInteger())));
        members = newMembers;
        disabled = services.stream().filter(service -> !service.enabled()).toList();
        endpointStates = newStates;
        routeTurns = newRouteTurns;
        serviceStates = newServiceStates;
        filled = true;
    }

    /** Of endpoints that no service has checked any more. */
    private static void endChecks(Map<Endpoint, EndpointState> all, List<Pool.Member> members) {
        Set<Endpoint> checked = new HashSet<>();
        members.stream()
                .filter(member -> member.service.health() != null)
                .forEach(member -> checked.addAll(member.service.endpoints()));
        all.forEach((endpoint, state) -> {
            if (!checked.contains(endpoint)) {
                state.health.endChecks();
            }
        });
    }

    private Pool.Member member(
            Service service,
            @Nullable Long removedAt,
            long now,
            Map<Endpoint, EndpointState> newStates,
            Map<String, ServiceState> newServiceStates) {
        EndpointState[] ofService = new EndpointState[service.endpoints().size()];
        Arrays.setAll(
                ofService,
                i -> newStates.computeIfAbsent(service.endpoints().get(i), endpoint -> {
                    EndpointState known = endpointStates.get(endpoint);
                    return known != null ? known : joined(endpoint, service, now);
                }));
        ServiceState state = newServiceStates.computeIfAbsent(service.id(), id -> {
            ServiceState known = serviceStates.get(id);
            return known != null ? known : new ServiceState(now);
        });
        return new Pool.Member(service, ofService, state, balancer, removedAt);
    }

    private EndpointState joined(Endpoint endpoint, Service service, long now) {
        EndpointState state = new EndpointState(endpoint, now, filled);
        if (filled && service.health() != null) {
            state.health.awaitCheck(now);
        }
        return state;
    }

    /**
     * Takes the result of a check of {@link Service#health()}. Two that failed in a row take an endpoint out of rotation, one
     * that passes brings it back; an endpoint that joins waits for the first one that passes. For one thread.
     *
     * @param reason what came of it, for people
     * @return whether this took the endpoint out of rotation, or brought it back; one that joins was never out
     */
    public boolean checked(Endpoint endpoint, boolean passed, String reason) {
        EndpointState state = endpointStates.get(endpoint);
        return state != null && state.health.check(passed, reason, ticker.nanoTime());
    }

    /**
     * Opens the delivery of a request.
     *
     * @param host the Host field's value; empty if there is none
     * @param path the path, decoded, without the query
     * @param method as in the request line
     * @return null if no service fits
     */
    public @Nullable Delivery open(String host, String path, String method) {
        Pool pool = match(host, path);
        return pool == null ? null : new Delivery(pool, method, retryPolicy, ticker);
    }

    private @Nullable Pool match(String host, String path) {
        Pool pool = table.match(host, path);
        return pool == null || isForgotten(pool) ? null : pool;
    }

    /**
     * Explains which services {@link #open} chooses for a request, and why not the others. Takes its time, so not for I/O
     * threads.
     *
     * @param host the Host field's value; empty if there is none
     * @param path the path, decoded, without the query
     */
    public Explanation explain(String host, String path) {
        Pool chosen;
        Set<X509Certificate> caOfHost;
        List<Pool.Member> enabledNow;
        List<Service> disabledNow;
        synchronized (this) {
            chosen = match(host, path);
            caOfHost = table.clientCa(host);
            enabledNow = members;
            disabledNow = disabled;
        }
        return new Explainer(host, path, chosen, caOfHost, ticker.nanoTime()).explain(enabledNow, disabledNow);
    }

    /**
     * The CAs of client certificates for a host: those that all of its services with a {@link Service#clientCa} name. For I/O
     * threads.
     *
     * @param host a Host field's value, or the name of a handshake (SNI); empty if there is none
     * @return null if clients need no certificate; an empty set if the services have no CA in common, so that no client can satisfy them
     */
    public @Nullable Set<X509Certificate> clientCa(String host) {
        return table.clientCa(host);
    }

    /** The table keeps removed services until it is built again, which may be long after their minute is over. */
    private boolean isForgotten(Pool pool) {
        if (pool.running()) {
            return false;
        }
        long now = ticker.nanoTime();
        for (Pool.Member member : pool.members) {
            if (member.removedAt == null || now - member.removedAt < REMEMBERED_NANOS) {
                return false;
            }
        }
        return true;
    }

    /** All enabled services, and how their endpoints are now. */
    public List<ServiceStatus> status() {
        long now = ticker.nanoTime();
        return members.stream()
                .map(member -> new ServiceStatus(
                        member.service,
                        Arrays.stream(member.endpoints)
                                .map(endpoint -> endpoint.status(now))
                                .toList()))
                .toList();
    }
}
