package io.millau.server;

import io.millau.server.internal.io.OpenFiles;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.Xnio;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;

/**
 * The listening sockets of a proxy, and the workers with their I/O threads. The sockets accept nothing yet: connections wait. While a
 * port has as many connections as it may, further ones wait, too.
 */
final class BoundSockets implements AutoCloseable {

    private static final OptionMap SOCKET = OptionMap.builder()
            .set(Options.REUSE_ADDRESSES, true)
            .set(Options.TCP_NODELAY, true)
            .set(Options.KEEP_ALIVE, true)
            .set(Options.BACKLOG, 4096)
            .getMap();

    /** Little is buffered, so that a viewer of the status page that stops reading is noticed. */
    private static final OptionMap TELEMETRY = OptionMap.builder()
            .addAll(SOCKET)
            .set(Options.SEND_BUFFER, 32 * 1024)
            .getMap();

    /** How much of the heap a client's connection may need. */
    private static final int CLIENT_HEAP_BYTES = 6 * 1024;

    /** How many proxies this process has started: their threads are told apart by it. */
    private static final AtomicInteger STARTED = new AtomicInteger();

    final XnioWorker worker;

    /** That of the telemetry port, which is to answer however much the other has to do; null if there is no such port. */
    private final @Nullable XnioWorker telemetryWorker;

    final List<AcceptingChannel<StreamConnection>> http = new ArrayList<>();
    final List<AcceptingChannel<StreamConnection>> https = new ArrayList<>();

    @Nullable
    AcceptingChannel<StreamConnection> telemetry;

    /** Binds all addresses, or none. */
    BoundSockets(Millau.Builder builder) throws IOException {
        // Only an application in front of the proxy may block.
        int tasks = builder.application == null ? 1 : 8 * builder.ioThreads;
        int number = STARTED.incrementAndGet();
        String name = number == 1 ? "millau" : "millau-" + number;
        worker = newWorker(name, builder.ioThreads, tasks);
        telemetryWorker = builder.telemetry == null ? null : newWorker(name + "-telemetry", 1, 1);
        long clients = Math.min(OpenFiles.forEachSide(), Runtime.getRuntime().maxMemory() / CLIENT_HEAP_BYTES);
        int clientsOfEach = (int) clients / Math.max(1, builder.addresses.size() + builder.secureAddresses.size());
        OptionMap client = OptionMap.builder()
                .addAll(SOCKET)
                .set(Options.CONNECTION_HIGH_WATER, clientsOfEach)
                .set(Options.CONNECTION_LOW_WATER, clientsOfEach)
                .getMap();
        try {
            for (InetSocketAddress address : builder.addresses) {
                http.add(bind(worker, address, client));
            }
            for (InetSocketAddress address : builder.secureAddresses) {
                https.add(bind(worker, address, client));
            }
            if (builder.telemetry != null && telemetryWorker != null) {
                telemetry = bind(telemetryWorker, builder.telemetry, TELEMETRY);
            }
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    private static XnioWorker newWorker(String name, int ioThreads, int taskThreads) throws IOException {
        return Xnio.getInstance(BoundSockets.class.getClassLoader())
                .createWorker(OptionMap.builder()
                        .set(Options.WORKER_NAME, name)
                        .set(Options.WORKER_IO_THREADS, ioThreads)
                        .set(Options.WORKER_TASK_CORE_THREADS, taskThreads)
                        .set(Options.WORKER_TASK_MAX_THREADS, taskThreads)
                        .set(Options.CONNECTION_HIGH_WATER, 1_000_000)
                        .set(Options.CONNECTION_LOW_WATER, 1_000_000)
                        .getMap());
    }

    /** All workers. */
    List<XnioWorker> workers() {
        return telemetryWorker == null ? List.of(worker) : List.of(worker, telemetryWorker);
    }

    /** Ends the threads, which closes the sockets. Waits for that. */
    @Override
    public void close() {
        workers().forEach(XnioWorker::shutdownNow);
        try {
            for (XnioWorker each : workers()) {
                each.awaitTermination(2, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static AcceptingChannel<StreamConnection> bind(
            XnioWorker worker, InetSocketAddress address, OptionMap options) throws Millau.BindFailedException {
        try {
            return worker.createStreamConnectionServer(address, null, options);
        } catch (IOException e) {
            throw new Millau.BindFailedException(address, e);
        }
    }
}
