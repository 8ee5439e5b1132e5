package io.millau.docker;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;

/** A Docker Engine by script: answers what it is told to, or nothing, or nonsense. */
final class FakeEngine implements AutoCloseable {

    /** Ends an event stream. */
    private static final String END = "";

    /** What it does with a request. */
    interface Behaviour {
        void answer(HttpExchange exchange) throws IOException;
    }

    private final Map<String, String> answers = new ConcurrentHashMap<>();
    private final Map<String, Integer> statuses = new ConcurrentHashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final List<BlockingQueue<String>> streams = new CopyOnWriteArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile Behaviour behaviour = this::properly;
    private HttpServer server;

    FakeEngine() {
        server = listen(0);
        answers.put("/info", "{\"Swarm\":{\"LocalNodeState\":\"inactive\",\"ControlAvailable\":false}}");
        answers.put("/containers/json", "[]");
        answers.put("/networks", "[]");
        answers.put("/services", "[]");
        answers.put("/tasks", "[]");
        answers.put("/nodes", "[]");
    }

    private HttpServer listen(int port) {
        try {
            HttpServer listening = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
            listening.setExecutor(threads);
            listening.createContext("/", exchange -> {
                requests.add(exchange.getRequestMethod() + " "
                        + URLDecoder.decode(exchange.getRequestURI().toString(), StandardCharsets.UTF_8));
                behaviour.answer(exchange);
            });
            listening.start();
            return listening;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String host() {
        return "tcp://127.0.0.1:" + server.getAddress().getPort();
    }

    DockerSource source() {
        return DockerSource.at(host()).seenFrom(() -> Interfaces.of("10.0.1.250/24", "172.17.0.9/16"));
    }

    /** Everything that was asked for, decoded, with the method. */
    List<String> requests() {
        return requests;
    }

    FakeEngine on(String path, String json) {
        answers.put(path, json);
        return this;
    }

    FakeEngine refusing(String path, int status) {
        statuses.put(path, status);
        return this;
    }

    FakeEngine manager() {
        return on("/info", "{\"Swarm\":{\"LocalNodeState\":\"active\",\"ControlAvailable\":true}}");
    }

    /** Tells all who listen. */
    void event(String json) {
        streams.forEach(stream -> stream.add(json));
    }

    void endStreams() {
        streams.forEach(stream -> stream.add(END));
        streams.clear();
    }

    void behave(Behaviour behaviour) {
        this.behaviour = behaviour;
    }

    void behaveAgain() {
        this.behaviour = this::properly;
    }

    /** Stops listening and breaks every connection. */
    void stop() {
        endStreams();
        server.stop(0);
    }

    /** Listens again where it did. */
    void startAgain() {
        server = listen(server.getAddress().getPort());
    }

    /** Accepts and never answers. */
    void hang(HttpExchange exchange) throws IOException {
        try {
            closed.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    void properly(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        if (path.equals("/events")) {
            stream(exchange);
            return;
        }
        int status = statuses.getOrDefault(path, answers.containsKey(path) ? 200 : 404);
        send(exchange, status, status == 200 ? answers.get(path) : "{\"message\":\"not for you\"}");
    }

    static void send(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(bytes);
        }
    }

    private void stream(HttpExchange exchange) throws IOException {
        BlockingQueue<String> stream = new LinkedBlockingQueue<>();
        streams.add(stream);
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream out = exchange.getResponseBody()) {
            out.flush();
            for (String event = stream.take(); !event.equals(END); event = stream.take()) {
                out.write(event.getBytes(StandardCharsets.UTF_8));
                out.flush();
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void close() {
        closed.countDown();
        stop();
        threads.shutdownNow();
    }
}
