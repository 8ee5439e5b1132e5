package io.millau.examples.docker;

import io.undertow.connector.ByteBufferPool;
import io.undertow.server.DefaultByteBufferPool;
import io.undertow.websockets.client.WebSocketClient;
import io.undertow.websockets.client.WebSocketClientNegotiation;
import io.undertow.websockets.core.AbstractReceiveListener;
import io.undertow.websockets.core.BufferedTextMessage;
import io.undertow.websockets.core.CloseMessage;
import io.undertow.websockets.core.WebSocketChannel;
import io.undertow.websockets.core.WebSockets;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.xnio.IoFuture;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioWorker;

/**
 * WebSockets on {@code /socket} of the echo service, each of which sends a text several times a second and has to get it
 * back. One that ends is noted, with the instance it was on, and opened again. Runs until it is closed.
 */
final class Sockets implements AutoCloseable {

    private static final int PERIOD_MS = 150;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Front front;
    private final ByteBufferPool buffers = new DefaultByteBufferPool(false, 4096);
    private final XnioWorker worker;
    private final ScheduledExecutorService threads;
    private final List<OneSocket> all = new ArrayList<>();
    private final AtomicInteger echoes = new AtomicInteger();
    private final Queue<Ended> ended = new ConcurrentLinkedQueue<>();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;

    /**
     * A WebSocket that ended before this was closed.
     *
     * @param code of the close frame; negative if none came
     */
    record Ended(Instant when, String instance, int code) {

        /** Whether its instance was told to stop and said so, which nobody between can say for it. */
        boolean byInstance() {
            return code == CloseMessage.GOING_AWAY;
        }

        @Override
        public String toString() {
            return "\nWebSocket on " + instance + ", " + when + ": " + (code < 0 ? "cut off" : "closed with " + code);
        }
    }

    private Sockets(Front front, List<String> hosts, int number) throws IOException {
        this.front = front;
        worker = Xnio.getInstance().createWorker(OptionMap.create(Options.WORKER_IO_THREADS, 1));
        threads = Executors.newScheduledThreadPool(number);
        for (int i = 0; i < number; i++) {
            OneSocket socket = new OneSocket(i, hosts.get(i % hosts.size()));
            all.add(socket);
            threads.scheduleAtFixedRate(socket, i * PERIOD_MS / number, PERIOD_MS, TimeUnit.MILLISECONDS);
        }
    }

    /** Opens so many, shared by several hosts. */
    static Sockets open(Front front, List<String> hosts, int number) throws IOException {
        return new Sockets(front, hosts, number);
    }

    /** Whether each is open and got a text back. */
    boolean allWork() {
        return all.stream().allMatch(socket -> socket.echoes > 0);
    }

    /** How many never ended. */
    long livedOn() {
        return all.stream().filter(socket -> socket.opened == 1).count();
    }

    /** Texts that came back so far. */
    int echoes() {
        return echoes.get();
    }

    /** Those that ended so far. */
    List<Ended> ended() {
        return List.copyOf(ended);
    }

    /** What went wrong so far: one that could not be opened, a text that came back wrong or not at all. */
    List<String> failures() {
        return List.copyOf(failures);
    }

    @Override
    public void close() {
        closed = true;
        threads.shutdown();
        try {
            if (!threads.awaitTermination(60, TimeUnit.SECONDS)) {
                failures.add("one can't be opened");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        all.forEach(socket -> IoUtils.safeClose(socket.channel));
        worker.shutdownNow();
    }

    private final class OneSocket implements Runnable {
        private final int number;
        private final String host;
        private volatile @Nullable WebSocketChannel channel;
        private volatile @Nullable String awaited;
        private volatile int echoes;
        private volatile int opened;
        private int texts;
        private long sent;

        OneSocket(int number, String host) {
            this.number = number;
            this.host = host;
        }

        @Override
        public void run() {
            WebSocketChannel open = channel;
            try {
                if (open == null) {
                    open();
                } else if (awaited == null) {
                    String text = "text " + ++texts + " of " + number;
                    awaited = text;
                    sent = System.nanoTime();
                    WebSockets.sendText(text, open, null);
                } else if (System.nanoTime() - sent > PATIENCE.toNanos()) {
                    failed("no echo within " + PATIENCE);
                    IoUtils.safeClose(open);
                }
            } catch (IOException | RuntimeException e) {
                failed(e.toString());
            }
        }

        private void open() throws IOException {
            Handshake handshake = new Handshake(host);
            URI uri = URI.create("ws://" + front.host() + ":" + front.port() + "/socket");
            IoFuture<WebSocketChannel> opening = WebSocketClient.connectionBuilder(worker, buffers, uri)
                    .setClientNegotiation(handshake)
                    .connect();
            if (opening.await(PATIENCE.toSeconds(), TimeUnit.SECONDS) == IoFuture.Status.WAITING) {
                opening.cancel();
                throw new IOException("not open within " + PATIENCE);
            }
            WebSocketChannel now = opening.get();
            awaited = null;
            opened++;
            channel = now;
            now.addCloseTask(gone -> ended(now, handshake.instance));
            now.getReceiveSetter().set(new AbstractReceiveListener() {
                @Override
                protected void onFullTextMessage(WebSocketChannel from, BufferedTextMessage message) {
                    received(message.getData());
                }
            });
            now.resumeReceives();
        }

        private void received(String text) {
            if (text.equals(awaited)) {
                echoes++;
                Sockets.this.echoes.incrementAndGet();
                awaited = null;
            } else {
                failed("got '" + text + "' for '" + awaited + "'");
            }
        }

        private void ended(WebSocketChannel gone, String instance) {
            if (!closed) {
                ended.add(new Ended(Instant.now(), instance, gone.getCloseCode()));
            }
            channel = null;
        }

        private void failed(String how) {
            if (!closed) {
                failures.add("\nWebSocket of " + host + ", " + Instant.now() + ": " + how);
            }
        }
    }

    /** Asks for a host, and learns which instance answers. */
    private static final class Handshake extends WebSocketClientNegotiation {
        private final String host;
        private volatile String instance = "unknown";

        Handshake(String host) {
            super(null, null);
            this.host = host;
        }

        @Override
        public void beforeRequest(Map<String, List<String>> headers) {
            headers.put("Host", List.of(host));
        }

        @Override
        public void afterRequest(Map<String, List<String>> headers) {
            headers.forEach((name, values) -> {
                if (name.equalsIgnoreCase("X-Instance")) {
                    instance = values.get(0);
                }
            });
        }
    }
}
