package io.millau.server.internal.io;

import io.millau.core.Ticker;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/** The event loops of a proxy, one for each I/O thread, created when the thread needs it. Safe for use by several threads. */
public final class EventLoops {

    private final Map<XnioIoThread, EventLoop> all = new ConcurrentHashMap<>();
    private final List<XnioIoThread> threads = new CopyOnWriteArrayList<>();
    private final ThreadLocal<EventLoop> own;

    public EventLoops(Ticker ticker) {
        own = ThreadLocal.withInitial(() -> {
            XnioIoThread thread = XnioIoThread.requireCurrentThread();
            EventLoop loop = new EventLoop(thread, ticker);
            all.put(thread, loop);
            return loop;
        });
        if (ticker instanceof MovableTicker movable) {
            movable.moves(this);
        }
    }

    /**
     * The event loop of the calling I/O thread.
     *
     * @throws IllegalStateException on any other thread
     */
    public EventLoop current() {
        return own.get();
    }

    /** The I/O threads of a worker may have some. */
    public void mayRunOn(XnioWorker worker) {
        for (int i = 0; i < worker.getIoThreadCount(); i++) {
            threads.add(worker.getIoThread(i));
        }
    }

    /** The threads that may have one; some may have none yet. */
    List<XnioIoThread> threads() {
        return threads;
    }

    /** Calls an action with each of them, on the calling thread. */
    public void forEach(Consumer<EventLoop> action) {
        all.values().forEach(action);
    }

    /** How many buffers for bodies are in use. */
    public int buffersTaken() {
        return all.values().stream().mapToInt(EventLoop::buffersTaken).sum();
    }
}
