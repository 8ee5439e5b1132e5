package io.millau.server.internal.upstream;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.server.internal.io.EventLoop;
import io.millau.server.internal.io.EventLoops;
import io.millau.server.internal.io.OpenFiles;
import io.millau.server.internal.tls.TlsThreads;
import io.millau.server.internal.tls.UpstreamEngines;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.xnio.XnioIoThread;

/**
 * The connections of a proxy to endpoints: a pool for each I/O thread, and the shared knowledge about endpoints. Safe for use
 * by several threads.
 */
public final class UpstreamPools {

    private final Map<XnioIoThread, UpstreamPool> all = new ConcurrentHashMap<>();
    private final ThreadLocal<UpstreamPool> own;

    /** The current endpoints, and how long their connections may drain after removal. */
    private volatile Map<Endpoint, Duration> drains = Map.of();

    /** The number of open connections to each endpoint, including removed ones. */
    private final Map<Endpoint, Integer> connections = new ConcurrentHashMap<>();

    /** All of them, and attempts to connect. */
    private final AtomicInteger allConnections = new AtomicInteger();

    private final int mostConnections = OpenFiles.forEachSide();

    public UpstreamPools(EventLoops loops, TlsThreads tls) {
        UpstreamEngines engines = new UpstreamEngines();
        own = ThreadLocal.withInitial(() -> {
            EventLoop loop = loops.current();
            UpstreamPool pool = new UpstreamPool(loop, engines, tls, this);
            all.put(loop.thread(), pool);
            return pool;
        });
    }

    /** The pool of the calling I/O thread. */
    public UpstreamPool current() {
        return own.get();
    }

    /** Whether no service has this endpoint any more. */
    boolean removed(Endpoint endpoint) {
        return !drains.containsKey(endpoint);
    }

    /** Counts connections that were opened, or, with a negative number, closed. */
    void countConnections(Endpoint endpoint, int more) {
        allConnections.getAndAdd(more);
        connections.merge(endpoint, more, (one, other) -> one + other == 0 ? null : one + other);
    }

    /** Counts an attempt to connect that began (1) or ended (-1). */
    void countAttempt(int more) {
        allConnections.getAndAdd(more);
    }

    /** Whether there are as many connections as this process may have open for endpoints. */
    boolean full() {
        return allConnections.get() >= mostConnections;
    }

    /** How many connections to an endpoint are open. */
    public int connections(Endpoint endpoint) {
        return connections.getOrDefault(endpoint, 0);
    }

    /**
     * Replaces the endpoints. Connections to all others are closed: idle ones at once, those in use when their drain is over.
     *
     * @param route makes the router send requests to the new endpoints
     */
    public void replace(List<Service> services, Runnable route) {
        Map<Endpoint, Duration> before = drains;
        Map<Endpoint, Duration> now = new HashMap<>(2 * before.size());
        services.stream()
                .filter(Service::enabled)
                .forEach(service -> service.endpoints()
                        .forEach(endpoint -> now.merge(endpoint, service.drain(), UpstreamPools::longer)));
        drains = now; // first: a request that is just connecting to a removed endpoint notices it then
        route.run();
        all.forEach((thread, pool) -> thread.execute(
                () -> pool.retain(now.keySet(), endpoint -> before.getOrDefault(endpoint, Duration.ZERO))));
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }
}
