package io.millau.examples.echo;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/**
 * The application behind the proxy in demos and tests: each answer is plain text, one fact a line, and says who
 * answered and what arrived.
 *
 * <pre>
 * name: blue
 * instance: 1f0c6b0d2a3e
 * method: POST
 * path: /api/orders?id=7
 * body: 5 bytes, crc32 3610a686
 * header Host: company.com
 * </pre>
 *
 * <p>{@code ?status=404} asks for that status and {@code ?delay=500} for an answer that comes so many milliseconds
 * later. {@code GET /health} answers 200 at once. Environment: {@code PORT} (80), {@code NAME} (the host name),
 * {@code DELAY} (ms before each answer), {@code STARTUP} (ms before it listens).
 */
public final class Echo implements AutoCloseable {
    private static final int GRACE_SECONDS = 2;
    private static final Pattern STATUS = Pattern.compile("(?:^|&)status=([1-5][0-9][0-9])(?:&|$)");
    private static final Pattern MILLIS = Pattern.compile("(?:^|&)delay=([0-9]{1,9})(?:&|$)");

    private final String name;
    private final String instance = hostName();
    private final Duration delay;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    /** Listens on the port, 0 for any that is free, before it returns. */
    public Echo(String name, int port, Duration delay) throws IOException {
        this.name = name;
        this.delay = delay;
        server = HttpServer.create(new InetSocketAddress(port), 1024);
        server.setExecutor(threads);
        server.createContext("/", this::echo);
        server.createContext("/health", exchange -> answer(exchange, 200, "ok\n"));
        server.start();
    }

    public static void main(String[] args) throws Exception {
        // Head and body of an answer are two writes: without this the second waits for the client's delayed ACK.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        Map<String, String> environment = System.getenv();
        Thread.sleep(Long.parseLong(environment.getOrDefault("STARTUP", "0")));
        Echo echo = new Echo(
                environment.getOrDefault("NAME", hostName()),
                Integer.parseInt(environment.getOrDefault("PORT", "80")),
                Duration.ofMillis(Long.parseLong(environment.getOrDefault("DELAY", "0"))));
        Runtime.getRuntime().addShutdownHook(new Thread(echo::close));
        System.out.println(echo.name + " listens on port " + echo.port());
    }

    /** The port it listens on. */
    public int port() {
        return server.getAddress().getPort();
    }

    /** Stops accepting connections and gives the requests in flight up to two seconds to end. */
    @Override
    public void close() {
        server.stop(GRACE_SECONDS);
        threads.shutdownNow();
    }

    private void echo(HttpExchange exchange) throws IOException {
        long length = 0;
        CRC32 crc = new CRC32();
        InputStream body = exchange.getRequestBody();
        byte[] buffer = new byte[64 * 1024];
        for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
            length += n;
            crc.update(buffer, 0, n);
        }

        StringBuilder text = new StringBuilder();
        text.append("name: ").append(name).append('\n');
        text.append("instance: ").append(instance).append('\n');
        text.append("method: ").append(exchange.getRequestMethod()).append('\n');
        text.append("path: ").append(exchange.getRequestURI()).append('\n');
        text.append(String.format("body: %d bytes, crc32 %08x%n", length, crc.getValue()));
        for (Map.Entry<String, List<String>> header :
                exchange.getRequestHeaders().entrySet()) {
            for (String value : header.getValue()) {
                text.append("header ").append(header.getKey()).append(": ");
                text.append(value).append('\n');
            }
        }

        String query = exchange.getRequestURI().getRawQuery();
        sleep(number(MILLIS, query, delay.toMillis()));
        answer(exchange, (int) number(STATUS, query, 200), text.toString());
    }

    private void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        exchange.getResponseHeaders().set("X-Instance", instance);
        boolean head = exchange.getRequestMethod().equals("HEAD");
        if (head || status == 204 || status == 304) {
            if (head) {
                exchange.getResponseHeaders().set("Content-Length", Integer.toString(bytes.length));
            }
            exchange.sendResponseHeaders(status, -1);
        } else {
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
        exchange.close();
    }

    private static long number(Pattern parameter, String query, long otherwise) {
        Matcher found = parameter.matcher(query == null ? "" : query);
        return found.find() ? Long.parseLong(found.group(1)) : otherwise;
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // stopping: answer now
        }
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown";
        }
    }
}
