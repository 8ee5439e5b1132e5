package io.millau.examples.docker;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
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

/**
 * Steady requests on several connections that stay open, runs until it is closed. Each request has to get the one right
 * answer, whole; a connection is replaced only where its last answer said that it ends. A connection that had to wait
 * catches up, so that the rate is kept.
 */
final class Load implements AutoCloseable {

    private static final int PER_SECOND = 400;
    private static final int MOST_BODY_BYTES = 10_000;

    private final Front front;
    private final boolean posts;
    private final ScheduledExecutorService threads;
    private final List<OneConnection> clients = new ArrayList<>();
    private final long started = System.nanoTime();
    private final AtomicInteger requests = new AtomicInteger();
    private final Queue<Failure> failures = new ConcurrentLinkedQueue<>();
    private final Set<String> instances = ConcurrentHashMap.newKeySet();
    private final Queue<Duration> durations = new ConcurrentLinkedQueue<>();

    /** A request without the one right answer. */
    record Failure(Instant begun, Instant ended, String method, String host, String what) {
        @Override
        public String toString() {
            return "\n" + method + " " + host + ", " + begun + " to " + ended + ": " + what;
        }
    }

    private Load(Front front, List<String> hosts, int connections, boolean posts) {
        this.front = front;
        this.posts = posts;
        threads = Executors.newScheduledThreadPool(connections);
        long period = TimeUnit.SECONDS.toMicros(connections) / PER_SECOND;
        for (int i = 0; i < connections; i++) {
            OneConnection connection = new OneConnection(i, hosts.get(i % hosts.size()));
            clients.add(connection);
            threads.scheduleAtFixedRate(connection, i * period / connections, period, TimeUnit.MICROSECONDS);
        }
    }

    /** {@code GET} requests. */
    static Load ofGets(Front front, String host, int connections) {
        return new Load(front, List.of(host), connections, false);
    }

    /** {@code GET} and {@code POST} requests in turn, the latter with a body that has to arrive whole, once. */
    static Load ofGetsAndPosts(Front front, String host, int connections) {
        return ofGetsAndPosts(front, List.of(host), connections);
    }

    /** The same, the connections shared by several hosts. */
    static Load ofGetsAndPosts(Front front, List<String> hosts, int connections) {
        return new Load(front, hosts, connections, true);
    }

    /** Requests made so far. */
    int requests() {
        return requests.get();
    }

    /** Requests a second so far, on average. */
    long perSecond() {
        return requests() * TimeUnit.SECONDS.toNanos(1) / (System.nanoTime() - started);
    }

    /** The instances that have answered so far. */
    Set<String> instances() {
        return instances;
    }

    /** What went wrong so far: anything but a good answer to each request on the same old connection. */
    List<Failure> failures() {
        return List.copyOf(failures);
    }

    /** How long requests took since this was last asked. */
    List<Duration> takeDurations() {
        List<Duration> taken = new ArrayList<>();
        for (Duration next = durations.poll(); next != null; next = durations.poll()) {
            taken.add(next);
        }
        return taken;
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
            client.disconnect();
        }
    }

    private final class OneConnection implements Runnable {
        private final int number;
        private final String host;
        private final Random random;
        private @Nullable KeptAlive client;
        private int turn;

        OneConnection(int number, String host) {
            this.number = number;
            this.host = host;
            random = new Random(number);
            turn = number;
        }

        @Override
        public void run() {
            requests.incrementAndGet();
            String method = posts && turn++ % 2 == 0 ? "POST" : "GET";
            byte[] body = new byte[method.equals("POST") ? 1 + random.nextInt(MOST_BODY_BYTES) : 0];
            random.nextBytes(body);
            Instant begun = Instant.now();
            long start = System.nanoTime();
            try {
                String path = "/?request=" + number + "-" + turn;
                Answer answer = send(method, path, body);
                durations.add(Duration.ofNanos(System.nanoTime() - start));
                instances.add(answer.instance());
                if (!isRight(answer, method, path, body)) {
                    failures.add(new Failure(begun, Instant.now(), method, host, answer.toString()));
                }
            } catch (IOException | RuntimeException e) {
                failures.add(new Failure(begun, Instant.now(), method, host, e.toString()));
                disconnect();
            }
        }

        private Answer send(String method, String path, byte[] body) throws IOException {
            if (client == null) {
                client = front.connect();
            }
            Answer answer = body.length > 0 ? client.post(host, path, body) : client.get(host, path);
            if ("close".equalsIgnoreCase(answer.headers().get("connection"))) {
                disconnect();
            }
            return answer;
        }

        private void disconnect() {
            try {
                if (client != null) {
                    client.close();
                }
            } catch (IOException e) {
                // It is closed all the same.
            }
            client = null;
        }
    }

    private static boolean isRight(Answer answer, String method, String path, byte[] body) {
        int status = answer.fact("name").equals("maintenance") ? 503 : 200;
        return answer.status() == status
                && answer.fact("method").equals(method)
                && answer.fact("path").equals(path)
                && answer.fact("body").equals(body.length + " bytes, crc32 " + crc32(body))
                && crc32(answer.body().getBytes(StandardCharsets.UTF_8))
                        .equals(answer.headers().get("x-crc32"));
    }

    private static String crc32(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return String.format("%08x", crc.getValue());
    }
}
