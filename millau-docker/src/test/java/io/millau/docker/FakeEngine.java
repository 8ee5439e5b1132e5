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

/** A scripted Docker Engine: it sends the responses of a test, or garbage, or no response at all. */
final class FakeEngine implements AutoCloseable {

    /** Ends an event stream. */
    private static final String END = "";

    /** How it handles a request. */
    interface Behaviour {
        void respond(HttpExchange exchange) throws IOException;
    }

    private final Map<String, String> responses = new ConcurrentHashMap<>();
    private final Map<String, Integer> statuses = new ConcurrentHashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final List<BlockingQueue<String>> streams = new CopyOnWriteArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile Behaviour behaviour = this::normally;
    private HttpServer server;

    FakeEngine() {
        server = listen(0);
        responses.put("/info", "{\"Swarm\":{\"LocalNodeState\":\"inactive\",\"ControlAvailable\":false}}");
        responses.put("/containers/json", "[]");
        responses.put("/networks", "[]");
        responses.put("/services", "[]");
        responses.put("/tasks", "[]");
        responses.put("/nodes", "[]");
    }

    private HttpServer listen(int port) {
        try {
            HttpServer listening = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
            listening.setExecutor(threads);
            listening.createContext("/", exchange -> {
                requests.add(exchange.getRequestMethod() + " "
                        + URLDecoder.decode(exchange.getRequestURI().toString(), StandardCharsets.UTF_8));
                behaviour.respond(exchange);
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

    /** All requests so far: method and decoded path. */
    List<String> requests() {
        return requests;
    }

    FakeEngine on(String path, String json) {
        responses.put(path, json);
        return this;
    }

    FakeEngine refusing(String path, int status) {
        statuses.put(path, status);
        return this;
    }

    FakeEngine manager() {
        return on("/info", "{\"Swarm\":{\"LocalNodeState\":\"active\",\"ControlAvailable\":true}}");
    }

    /** Sends an event to all open streams. */
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
        this.behaviour = this::normally;
    }

    /** Stops listening and closes all connections. */
    void stop() {
        endStreams();
        server.stop(0);
    }

    /** Listens again on the same port. */
    void startAgain() {
        server = listen(server.getAddress().getPort());
    }

    /** Accepts the request and never responds. */
    void hang(HttpExchange exchange) throws IOException {
        try {
            closed.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    void normally(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        if (path.equals("/events")) {
            stream(exchange);
            return;
        }
        int status = statuses.getOrDefault(path, responses.containsKey(path) ? 200 : 404);
        send(exchange, status, status == 200 ? responses.get(path) : "{\"message\":\"not for you\"}");
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
