package io.millau.examples.docker;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/** Steady requests on several connections that stay open, each request checked; runs until it is closed. */
final class Load implements AutoCloseable {

    private static final int PAUSE_MS = 10;
    private static final int BODY_BYTES = 20_000;

    private final Front front;
    private final String host;
    private final boolean posts;
    private final ScheduledExecutorService threads;
    private final List<OneConnection> clients = new ArrayList<>();
    private final AtomicInteger requests = new AtomicInteger();
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final Set<String> instances = ConcurrentHashMap.newKeySet();

    private Load(Front front, String host, int connections, boolean posts) {
        this.front = front;
        this.host = host;
        this.posts = posts;
        threads = Executors.newScheduledThreadPool(connections);
        for (int i = 0; i < connections; i++) {
            OneConnection connection = new OneConnection(i);
            clients.add(connection);
            threads.scheduleWithFixedDelay(connection, 0, PAUSE_MS, TimeUnit.MILLISECONDS);
        }
    }

    /** {@code GET} requests. */
    static Load ofGets(Front front, String host, int connections) {
        return new Load(front, host, connections, false);
    }

    /** {@code GET} and {@code POST} requests in turn, the latter with a body that has to arrive whole, once. */
    static Load ofGetsAndPosts(Front front, String host, int connections) {
        return new Load(front, host, connections, true);
    }

    /** Requests made so far. */
    int requests() {
        return requests.get();
    }

    /** The instances that have answered so far. */
    Set<String> instances() {
        return instances;
    }

    /** What went wrong so far: anything but a good answer to each request on the same old connection. */
    List<String> failures() {
        return List.copyOf(failures);
    }

    @Override
    public void close() throws IOException {
        threads.shutdown();
        try {
            if (!threads.awaitTermination(60, TimeUnit.SECONDS)) {
                throw new IOException("a request is still without an answer");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (OneConnection client : clients) {
            client.close();
        }
    }

    private final class OneConnection implements Runnable, AutoCloseable {
        private final Random random;
        private @Nullable KeptAlive client;
        private int turn;

        OneConnection(int number) {
            random = new Random(number);
            turn = number;
        }

        @Override
        public void run() {
            requests.incrementAndGet();
            String request = posts && turn++ % 2 == 0 ? "POST" : "GET";
            try {
                if (client == null) {
                    client = front.connect();
                }
                String fault = request.equals("POST") ? post(client) : get(client);
                if (!fault.isEmpty()) {
                    failures.add(Instant.now() + " " + request + ": " + fault);
                }
            } catch (IOException | RuntimeException e) {
                failures.add(Instant.now() + " " + request + ": " + e);
                client = null;
            }
        }

        private String get(KeptAlive client) throws IOException {
            Answer answer = client.get(host, "/");
            return answer.fact("method").equals("GET") ? check(answer) : answer.toString();
        }

        private String post(KeptAlive client) throws IOException {
            byte[] body = new byte[BODY_BYTES];
            random.nextBytes(body);
            CRC32 crc = new CRC32();
            crc.update(body);
            String expected = String.format("%d bytes, crc32 %08x", body.length, crc.getValue());
            Answer answer = client.post(host, "/", body);
            return answer.fact("body").equals(expected) ? check(answer) : answer + ", expected " + expected;
        }

        private String check(Answer answer) {
            instances.add(answer.instance());
            return answer.status() == 200 ? "" : answer.toString();
        }

        @Override
        public void close() throws IOException {
            if (client != null) {
                client.close();
            }
        }
    }
}
