package io.millau.server;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.Ticker;
import io.undertow.connector.ByteBufferPool;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.xnio.XnioIoThread;

/** A lane for each I/O thread, made when the thread first needs it. */
final class Lanes {

    private final Map<XnioIoThread, Lane> all = new ConcurrentHashMap<>();
    private final ByteBufferPool tlsBuffers = TlsThread.newPool();
    private final UpstreamEngines upstreamEngines = new UpstreamEngines();
    private final ThreadLocal<Lane> own;

    /** How long connections to an endpoint may go on when it is removed. */
    private volatile Map<Endpoint, Duration> drains = Map.of();

    /** How many connections to an endpoint are open, to one that was removed too; changed only when one opens or closes. */
    private final Map<Endpoint, Integer> connections = new ConcurrentHashMap<>();

    Lanes(Ticker ticker) {
        own = ThreadLocal.withInitial(() -> {
            XnioIoThread thread = XnioIoThread.requireCurrentThread();
            Lane lane = new Lane(thread, ticker, tlsBuffers, upstreamEngines, this);
            all.put(thread, lane);
            return lane;
        });
    }

    /** The calling I/O thread's. */
    Lane current() {
        return own.get();
    }

    /** Whether an endpoint is none of any service any more. */
    boolean removed(Endpoint endpoint) {
        return !drains.containsKey(endpoint);
    }

    /** One is open more, or less. */
    void countConnections(Endpoint endpoint, int more) {
        connections.merge(endpoint, more, (one, other) -> one + other == 0 ? null : one + other);
    }

    /** How many connections to an endpoint are open. */
    int connections(Endpoint endpoint) {
        return connections.getOrDefault(endpoint, 0);
    }

    /** Buffers in use. */
    int buffersTaken() {
        return all.values().stream().mapToInt(lane -> lane.buffers.taken()).sum();
    }

    /**
     * Replaces the endpoints: connections to others end, idle ones at once, those in use when they had their time.
     *
     * @param route lets requests come to the new ones
     */
    void replace(List<Service> services, Runnable route) {
        Map<Endpoint, Duration> before = drains;
        Map<Endpoint, Duration> now = new HashMap<>(2 * before.size());
        services.stream()
                .filter(Service::enabled)
                .forEach(service ->
                        service.endpoints().forEach(endpoint -> now.merge(endpoint, service.drain(), Lanes::longer)));
        drains = now; // first: a request that is on its way to a removed endpoint finds out when it connects
        route.run();
        all.forEach((thread, lane) -> thread.execute(
                () -> lane.upstream.retain(now.keySet(), endpoint -> before.getOrDefault(endpoint, Duration.ZERO))));
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }
}
