package io.millau.core;

import io.millau.core.internal.FirstFailures;
import io.millau.core.internal.UrlPath;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Routes requests to services and fails over between their endpoints. Does no I/O and has no threads, so it can be used
 * in any server.
 *
 * <p>Safe for use by several threads. {@link #open(String, String, Request)} is for I/O threads: it reads one volatile
 * field and matches once. {@link #replace} may be called by any other thread at any time. Health belongs to endpoints,
 * retry budgets to services, turns to routes: they survive a replacement.
 *
 * <pre>{@code
 * Router router = new Router();
 * router.replace(List.of(Service.named("orders").path("/orders/").endpoints(endpoint).build()));
 *
 * Delivery delivery = router.open("shop.example", "/orders/7", "GET");
 * if (delivery != null) { // otherwise no service matches
 *     Endpoint first = delivery.next();
 *     delivery.report(Outcome.DELIVERED);
 *     delivery.close();
 * }
 * }</pre>
 */
public final class Router {

    private static final Logger LOG = LoggerFactory.getLogger(Router.class);

    private static final long REMEMBERED_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final RetryPolicy retryPolicy;
    private final LoadBalancer balancer;
    private final FirstFailures failures = new FirstFailures(LOG);
    private final Ticker ticker;

    private volatile RouteTable table;

    /** For explanations only; guarded by this. */
    private List<Service> disabled = List.of();

    private volatile List<Pool.Member> members = List.of();

    private volatile Map<Endpoint, EndpointState> endpointStates = Map.of();

    /** Held while a failed response ejects an endpoint. */
    private final AtomicBoolean ejecting = new AtomicBoolean();

    // What survives a replacement; guarded by this.
    private Map<Route, AtomicInteger> routeTurns = Map.of();
    private Map<String, ServiceState> serviceStates = Map.of();
    private final Map<String, Removed> removed = new LinkedHashMap<>();
    private boolean filled;

    /** Whether endpoints that are new in a replacement may just have been started. */
    private boolean joining;

    private record Removed(Service service, long at) {}

    /** A router with the standard retry policy, round-robin and the system's time. Call {@link #replace} next. */
    public Router() {
        this(RetryPolicy.standard(), LoadBalancer.roundRobin(), Ticker.system());
    }

    /**
     * A router with the given rules and time source.
     *
     * @param balancer for services without their own
     */
    public Router(RetryPolicy retryPolicy, LoadBalancer balancer, Ticker ticker) {
        this.retryPolicy = GuardedRetryPolicy.of(retryPolicy, failures);
        this.balancer = balancer;
        this.ticker = ticker;
        this.table = new RouteTable(List.of(), route -> new AtomicInteger());
    }

    /**
     * Replaces all services. Requests in progress continue with the services they were opened with. For a minute, a
     * removed service still matches where no other does, as one without a running instance.
     *
     * @throws IllegalArgumentException if two enabled services have the same id, or an endpoint is not resolved; the
     *     services stay as they are
     */
    public synchronized void replace(Collection<Service> services) {
        replace(services, filled);
    }

    /**
     * As {@link #replace}, when one of several sources has its first services: their endpoints ran before, so they are not
     * given time to start.
     *
     * @throws IllegalArgumentException as {@link #replace}
     */
    public synchronized void replaceAtStart(Collection<Service> services) {
        replace(services, false);
    }

    private void replace(Collection<Service> services, boolean joining) {
        this.joining = joining;
        long now = ticker.nanoTime();
        Map<String, Service> enabled = new LinkedHashMap<>();
        services.stream().filter(Service::enabled).forEach(service -> {
            requireAddresses(service);
            if (enabled.put(service.id(), service) != null) {
                throw new IllegalArgumentException(
                        "two services have the id " + service.id() + ": expected different ids");
            }
        });

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

        connectLines(newStates, newMembers);
        endChecks(newStates, newMembers);
        table = new RouteTable(
                all,
                route -> newRouteTurns.computeIfAbsent(route, r -> routeTurns.getOrDefault(r, new AtomicInteger())));
        members = newMembers;
        disabled = services.stream().filter(service -> !service.enabled()).toList();
        endpointStates = newStates;
        Map<String, ServiceState> statesBefore = serviceStates;
        routeTurns = newRouteTurns;
        serviceStates = newServiceStates;
        filled = true;
        statesBefore.values().forEach(state -> state.line.wake());
    }

    /** Tells each endpoint which lines of requests may wait for a place there: those of all services that share a route. */
    private static void connectLines(Map<Endpoint, EndpointState> states, List<Pool.Member> members) {
        Map<EndpointState, Set<WaitingLine>> lines = new HashMap<>();
        if (members.stream().anyMatch(Pool.Member::limited)) {
            Map<Route, List<Pool.Member>> byRoute = new HashMap<>();
            for (Pool.Member member : members) {
                for (String host : member.service.hosts()) {
                    byRoute.computeIfAbsent(
                                    new Route(host, UrlPath.asSent(member.service.path())), r -> new ArrayList<>(1))
                            .add(member);
                }
            }
            for (List<Pool.Member> equals : byRoute.values()) {
                List<WaitingLine> limited = equals.stream()
                        .filter(Pool.Member::limited)
                        .map(member -> member.state.line)
                        .toList();
                for (Pool.Member member : equals) {
                    for (EndpointState endpoint : member.endpoints) {
                        lines.computeIfAbsent(endpoint, e -> new LinkedHashSet<>())
                                .addAll(limited);
                    }
                }
            }
        }
        for (EndpointState endpoint : states.values()) {
            Set<WaitingLine> of = lines.getOrDefault(endpoint, Set.of());
            endpoint.awaitedBy(of.isEmpty() ? null : of.toArray(WaitingLine[]::new));
        }
    }

    /** Ends health checks of endpoints that no service checks any more. */
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
        LoadBalancer own = service.balancer();
        LoadBalancer chooses = GuardedBalancer.of(own == null ? balancer : own, failures);
        return new Pool.Member(service, ofService, state, chooses, removedAt);
    }

    private static void requireAddresses(Service service) {
        for (Endpoint endpoint : service.endpoints()) {
            if (!endpoint.isResolved()) {
                throw new IllegalArgumentException("service " + service.name() + " has the endpoint " + endpoint
                        + ": expected an address, as a router resolves no host names");
            }
        }
    }

    private EndpointState joined(Endpoint endpoint, Service service, long now) {
        EndpointState state = new EndpointState(endpoint, now, joining);
        if (joining && service.health() != null) {
            state.health.awaitCheck(now);
        }
        return state;
    }

    /**
     * Takes the result of a health check, see {@link Service#health()}. Two failures in a row take an endpoint out of
     * rotation, and one passed check brings it back. A new endpoint waits for its first passed check. For one thread.
     * Results of unknown endpoints are ignored.
     *
     * @param reason the result as text
     * @return whether this took the endpoint out of rotation or brought it back; false for an endpoint that was joining
     */
    public boolean checked(Endpoint endpoint, boolean passed, String reason) {
        EndpointState state = endpointStates.get(endpoint);
        if (state == null) {
            return false;
        }
        boolean changed = state.health.check(passed, reason, ticker.nanoTime());
        if (passed) {
            state.wakeWaiting();
        }
        return changed;
    }

    /**
     * Opens the delivery of a request. The caller must close it.
     *
     * @param host the Host field's value; empty if there is none
     * @param path the path as the client sent it, without the query
     * @param method as in the request line
     * @return null if no service matches
     */
    public @Nullable Delivery open(String host, String path, String method) {
        return open(host, path, new PlainRequest(host, path, method));
    }

    /**
     * As {@link #open(String, String, String)}, with the request for the retry policy and balancers. It must stay valid
     * until the delivery is closed.
     */
    public @Nullable Delivery open(String host, String path, Request request) {
        Pool pool = match(host, path);
        return pool == null ? null : new Delivery(pool, request, retryPolicy, ticker, ejecting);
    }

    /**
     * As {@link #open(String, String, Request)}, for services of this host alone, not for those of all hosts.
     *
     * @return null if none of them has an instance and fits the path
     */
    public @Nullable Delivery openAt(String host, String path, Request request) {
        Pool pool = table.matchRunning(host, path);
        return pool == null || pool.route.host().equals(Service.ANY_HOST)
                ? null
                : new Delivery(pool, request, retryPolicy, ticker, ejecting);
    }

    /**
     * Opens the delivery of a request for the page of a failure: {@link Service#errors()}. The caller must close it.
     *
     * @param host the host of the request that failed, as in {@link #open(String, String, Request)}
     * @return null if no running service gives pages for this host
     */
    public @Nullable Delivery openErrorPage(String host) {
        Pool pool = table.errorPages(host);
        return pool == null
                ? null
                : new Delivery(pool, new PlainRequest(host, "/", "GET"), retryPolicy, ticker, ejecting);
    }

    private @Nullable Pool match(String host, String path) {
        Pool pool = table.match(host, path);
        return pool == null || isForgotten(pool) ? null : pool;
    }

    /**
     * Explains which services {@link #open(String, String, Request)} chooses for a request, and why not the others. Slow,
     * so not for I/O threads.
     *
     * @param host the Host field's value; empty if there is none
     * @param path the path as the client sent it, without the query
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
     * The CAs of client certificates for a host: those that all of its services with a {@link Service#clientCa} have in
     * common. For any thread.
     *
     * @param host a Host field's value, or the name in a handshake (SNI); empty if there is none
     * @return null if clients need no certificate; an empty set if the services have no CA in common, so that every
     *     client is rejected
     */
    public @Nullable Set<X509Certificate> clientCa(String host) {
        return table.clientCa(host);
    }

    /** Whether all services of a pool were removed more than a minute ago. The table keeps them until it is rebuilt. */
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

    /** The status of all enabled services and their endpoints. */
    public List<ServiceStatus> status() {
        long now = ticker.nanoTime();
        return members.stream()
                .<ServiceStatus>map(member -> new Statuses.OfService(
                        member.service,
                        Arrays.stream(member.endpoints)
                                .map(endpoint -> endpoint.status(now))
                                .toList(),
                        member.state.line.size()))
                .toList();
    }
}
