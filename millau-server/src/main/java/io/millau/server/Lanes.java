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
import java.util.concurrent.atomic.AtomicInteger;
import org.xnio.XnioIoThread;

/** A lane for each I/O thread, made when the thread first needs it. */
final class Lanes {

    private final Map<XnioIoThread, Lane> all = new ConcurrentHashMap<>();
    private final ByteBufferPool tlsBuffers = TlsThread.newPool();
    private final UpstreamEngines upstreamEngines = new UpstreamEngines();
    private final ThreadLocal<Lane> own;

    private volatile Map<Endpoint, Known> endpoints = Map.of();

    /**
     * What is known of an endpoint.
     *
     * @param drain how long connections to it may go on when it is removed
     * @param connections how many are open
     */
    private record Known(Duration drain, AtomicInteger connections) {}

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
        return !endpoints.containsKey(endpoint);
    }

    /** What counts the open connections to an endpoint. */
    AtomicInteger connections(Endpoint endpoint) {
        Known known = endpoints.get(endpoint);
        return known == null ? new AtomicInteger() : known.connections();
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
        Map<Endpoint, Known> before = endpoints;
        Map<Endpoint, Known> now = new HashMap<>(2 * before.size());
        services.stream()
                .filter(Service::enabled)
                .forEach(service -> service.endpoints()
                        .forEach(endpoint -> now.merge(
                                endpoint,
                                new Known(service.drain(), connections(endpoint)),
                                (one, other) -> new Known(longer(one.drain(), other.drain()), one.connections()))));
        endpoints = now; // first: a request that is on its way to a removed endpoint finds out when it connects
        route.run();
        all.forEach((thread, lane) -> thread.execute(() -> lane.upstream.retain(now.keySet(), endpoint -> {
            Known known = before.get(endpoint);
            return known == null ? Duration.ZERO : known.drain();
        })));
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }
}
