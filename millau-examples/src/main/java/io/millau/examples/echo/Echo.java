package io.millau.examples.echo;

import io.undertow.Handlers;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.ConnectorStatistics;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.SameThreadExecutor;
import io.undertow.util.StatusCodes;
import io.undertow.websockets.WebSocketProtocolHandshakeHandler;
import io.undertow.websockets.core.AbstractReceiveListener;
import io.undertow.websockets.core.BufferedTextMessage;
import io.undertow.websockets.core.CloseMessage;
import io.undertow.websockets.core.WebSocketChannel;
import io.undertow.websockets.core.WebSockets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioWorker;

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
 * <p>The instance is in the header {@code X-Instance} too, and the checksum of the answer's own body in {@code
 * X-Crc32}. {@code ?status=404} asks for that status and {@code ?delay=500} for an answer that comes so many
 * milliseconds later. {@code GET /health} answers 200 at once. {@code /socket} is a WebSocket that sends every text back.
 *
 * <p>Environment: {@code PORT} (80), {@code NAME} (the host name), {@code DELAY} (ms before each answer), {@code
 * STATUS} (200; of each answer), {@code STARTUP} (ms before it listens), {@code IGNORE_SIGTERM} ({@code true}: works on until it is
 * killed).
 */
public final class Echo implements AutoCloseable {
    private static final Duration GRACE = Duration.ofSeconds(2);
    private static final Pattern STATUS = Pattern.compile("(?:^|&)status=([1-5][0-9][0-9])(?:&|$)");
    private static final Pattern MILLIS = Pattern.compile("(?:^|&)delay=([0-9]{1,9})(?:&|$)");
    private static final HttpString INSTANCE = new HttpString("X-Instance");
    private static final HttpString CRC_32 = new HttpString("X-Crc32");

    private final String name;
    private final String instance = hostName();
    private final Duration delay;
    private final int status;
    private final XnioWorker worker;
    private final Undertow server;
    private final WebSocketProtocolHandshakeHandler sockets =
            Handlers.websocket((exchange, socket) -> echoTexts(socket));
    private volatile boolean ending;

    /** Listens on the port, 0 for any that is free, before it returns. */
    public Echo(String name, int port, Duration delay) throws IOException {
        this(name, port, delay, StatusCodes.OK);
    }

    private Echo(String name, int port, Duration delay, int status) throws IOException {
        this.name = name;
        this.delay = delay;
        this.status = status;
        // Of its own: the server then ends without it, and requests in flight go on.
        worker = Xnio.getInstance()
                .createWorker(OptionMap.builder()
                        .set(Options.WORKER_IO_THREADS, 1)
                        .set(Options.WORKER_TASK_CORE_THREADS, 1)
                        .set(Options.WORKER_TASK_MAX_THREADS, 1)
                        .getMap());
        server = Undertow.builder()
                .setWorker(worker)
                .setSocketOption(Options.BACKLOG, 1024)
                .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, -1L)
                .setServerOption(UndertowOptions.ALLOW_UNESCAPED_CHARACTERS_IN_URL, true)
                .setServerOption(UndertowOptions.ENABLE_STATISTICS, true)
                .addHttpListener(port, "0.0.0.0")
                .setHandler(Handlers.path(this::echo)
                        .addExactPath("/health", exchange -> answer(exchange, 200, "ok\n"))
                        .addExactPath("/socket", this::openSocket))
                .build();
        server.start();
    }

    public static void main(String[] args) throws Exception {
        Logger.getLogger("").setLevel(Level.WARNING); // Undertow and XNIO would say their versions
        Map<String, String> environment = System.getenv();
        boolean ignoreSigterm = Boolean.parseBoolean(environment.get("IGNORE_SIGTERM"));
        Thread.sleep(Long.parseLong(environment.getOrDefault("STARTUP", "0")));
        Echo echo = new Echo(
                environment.getOrDefault("NAME", hostName()),
                Integer.parseInt(environment.getOrDefault("PORT", "80")),
                Duration.ofMillis(Long.parseLong(environment.getOrDefault("DELAY", "0"))),
                Integer.parseInt(environment.getOrDefault("STATUS", "200")));
        // A JVM ends when its last shutdown hook has: one that never does is how to ignore the signal.
        Runtime.getRuntime().addShutdownHook(new Thread(ignoreSigterm ? Echo::waitForEver : echo::close));
        System.out.println(echo.name + " listens on port " + echo.port());
    }

    private static void waitForEver() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The port it listens on. */
    public int port() {
        return ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
    }

    /**
     * Stops accepting connections, and says goodbye to the open ones: WebSockets are closed, and any other ends with its
     * next answer, within two seconds.
     */
    @Override
    public void close() {
        if (ending) {
            return;
        }
        ending = true;
        ConnectorStatistics open = server.getListenerInfo().get(0).getConnectorStatistics();
        server.stop();
        CloseMessage goodbye = new CloseMessage(CloseMessage.GOING_AWAY, "");
        sockets.getPeerConnections().forEach(socket -> WebSockets.sendClose(goodbye, socket, null));
        try {
            long end = System.nanoTime() + GRACE.toNanos();
            while (open.getActiveConnections() > 0 && System.nanoTime() - end < 0) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        worker.shutdownNow();
    }

    private void openSocket(HttpServerExchange exchange) throws Exception {
        exchange.getResponseHeaders().put(INSTANCE, instance);
        sockets.handleRequest(exchange);
    }

    private static void echoTexts(WebSocketChannel socket) {
        socket.getReceiveSetter().set(new AbstractReceiveListener() {
            @Override
            protected void onFullTextMessage(WebSocketChannel from, BufferedTextMessage message) {
                WebSockets.sendText(message.getData(), from, null);
            }
        });
        socket.resumeReceives();
    }

    private void echo(HttpServerExchange exchange) {
        CRC32 crc = new CRC32();
        long[] length = {0};
        exchange.getRequestReceiver().receivePartialBytes((from, bytes, last) -> {
            length[0] += bytes.length;
            crc.update(bytes);
            if (last) {
                String query = from.getQueryString();
                int wanted = (int) number(STATUS, query, status);
                String text = facts(from, String.format("%d bytes, crc32 %08x", length[0], crc.getValue()));
                after(number(MILLIS, query, delay.toMillis()), from, () -> answer(from, wanted, text));
            }
        });
    }

    private String facts(HttpServerExchange exchange, String body) {
        StringBuilder text = new StringBuilder();
        text.append("name: ").append(name).append('\n');
        text.append("instance: ").append(instance).append('\n');
        text.append("method: ").append(exchange.getRequestMethod()).append('\n');
        text.append("path: ").append(exchange.getRequestURI());
        if (!exchange.getQueryString().isEmpty()) {
            text.append('?').append(exchange.getQueryString());
        }
        text.append("\nbody: ").append(body).append('\n');
        for (HeaderValues header : exchange.getRequestHeaders()) {
            for (String value : header) {
                text.append("header ").append(header.getHeaderName()).append(": ");
                text.append(value).append('\n');
            }
        }
        return text.toString();
    }

    private static void after(long millis, HttpServerExchange exchange, Runnable answer) {
        if (millis == 0) {
            answer.run();
        } else {
            exchange.dispatch(
                    SameThreadExecutor.INSTANCE,
                    () -> exchange.getIoThread().executeAfter(answer, millis, TimeUnit.MILLISECONDS));
        }
    }

    private void answer(HttpServerExchange exchange, int status, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        CRC32 crc = new CRC32();
        crc.update(bytes);
        exchange.setStatusCode(status);
        exchange.getResponseHeaders()
                .put(Headers.CONTENT_TYPE, "text/plain; charset=utf-8")
                .put(INSTANCE, instance)
                .put(CRC_32, String.format("%08x", crc.getValue()));
        if (ending) {
            exchange.setPersistent(false);
        }
        if (status == StatusCodes.NO_CONTENT || status == StatusCodes.NOT_MODIFIED) {
            exchange.endExchange();
        } else {
            exchange.getResponseSender().send(text);
        }
    }

    private static long number(Pattern parameter, String query, long otherwise) {
        Matcher found = parameter.matcher(query);
        return found.find() ? Long.parseLong(found.group(1)) : otherwise;
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown";
        }
    }
}
