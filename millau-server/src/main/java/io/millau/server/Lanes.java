package io.millau.server;

import io.millau.core.Endpoint;
import io.millau.core.Ticker;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.xnio.XnioIoThread;

/** A lane for each I/O thread, made when the thread first needs it. */
final class Lanes {

    private final Map<XnioIoThread, Lane> all = new ConcurrentHashMap<>();
    private final ThreadLocal<Lane> own;

    Lanes(Ticker ticker) {
        own = ThreadLocal.withInitial(() -> {
            XnioIoThread thread = XnioIoThread.requireCurrentThread();
            Lane lane = new Lane(thread, ticker);
            all.put(thread, lane);
            return lane;
        });
    }

    /** The calling I/O thread's. */
    Lane current() {
        return own.get();
    }

    /** Buffers in use. */
    int buffersTaken() {
        return all.values().stream().mapToInt(lane -> lane.buffers.taken()).sum();
    }

    /** Has every thread close its idle connections to other endpoints than these. */
    void retain(Set<Endpoint> endpoints) {
        all.forEach((thread, lane) -> thread.execute(() -> lane.upstream.retain(endpoints)));
    }
}
