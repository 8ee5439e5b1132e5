package io.millau.server;

import io.millau.core.testing.Fuzz;
import io.millau.server.ReadRequests.Request;
import io.millau.testing.ScriptedEndpoint;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.BlockingHandler;
import io.undertow.util.Headers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/**
 * Undertow's parser and ours read the same bytes as the same requests, or one of them refuses what the other one reads. Known
 * differences, all of them wanted:
 *
 * <ul>
 *   <li>Undertow takes any transfer coding for chunked, and chunks that are malformed: we refuse them, as {@code odd-requests.md}
 *       says.
 *   <li>Undertow keeps the target in absolute form: we make an origin form of it, and its host counts.
 *   <li>Undertow joins the lines of a folded value in its own way: values are not compared, only what says where a request goes
 *       and ends.
 * </ul>
 */
class UndertowDifferentialFuzzTest extends ProxyTest {

    private static final int KEPT = 2000;
    private static final byte[] LAST =
            "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    /** What each parser has read of each client. */
    private final Map<String, List<String>> ours = new ConcurrentHashMap<>();

    private final Map<String, List<String>> undertows = new ConcurrentHashMap<>();

    private int client;

    @Test
    void bothReadTheSameOrOneRefuses() throws Exception {
        Undertow server = Undertow.builder()
                .addHttpListener(0, "127.0.0.1", new BlockingHandler(this::echo))
                .setServerOption(UndertowOptions.ALLOW_UNESCAPED_CHARACTERS_IN_URL, true)
                .setServerOption(UndertowOptions.DECODE_URL, false)
                .setIoThreads(1)
                .setWorkerThreads(4)
                .build();
        server.start();
        closing(server::stop);
        InetSocketAddress address =
                (InetSocketAddress) server.getListenerInfo().get(0).getAddress();
        startWith(endpoint(this::serve));
        Fuzz.of("requests", FuzzedRequests.DICTIONARY)
                .check((input, random) -> compare(input, random, address.getPort()));
    }

    private void echo(HttpServerExchange exchange) throws IOException {
        String body = new String(exchange.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        String query = exchange.getQueryString();
        String read = read(
                exchange.getRequestMethod().toString(),
                exchange.getRequestURI() + (query.isEmpty() ? "" : "?" + query),
                exchange.getRequestHeaders().getFirst(Headers.HOST),
                body);
        undertows.get(exchange.getSourceAddress().getAddress().getHostAddress()).add(read);
        exchange.getResponseSender().send("ok");
    }

    private void serve(ScriptedEndpoint.Connection connection) throws IOException {
        ReadRequests requests = ReadRequests.strict(connection.wire().in());
        for (Request request = requests.next(); request != null; request = requests.next()) {
            String read =
                    read(request.method(), request.target(), request.all("host").get(0), request.body());
            ours.get(request.all("x-forwarded-for").get(0)).add(read);
            connection.send(
                    "HTTP/1.1 200 OK\r\nContent-Length: " + (request.method().equals("HEAD") ? 2 : 0) + "\r\n\r\n");
        }
    }

    /** In origin form, with the host that counts. */
    private static String read(String method, String target, String host, String body) {
        String counts = host == null ? "" : host;
        String path = target;
        if (target.matches("(?is)https?://[^/?].*")) {
            String rest = target.substring(target.indexOf("://") + 3);
            int end = rest.split("[/?]", 2)[0].length();
            counts = rest.substring(0, end);
            path = rest.substring(end);
            path = path.isEmpty() && method.equals("OPTIONS") ? "*" : path.startsWith("/") ? path : "/" + path;
        }
        return method + " " + path + " " + counts.toLowerCase(Locale.ROOT) + " " + body;
    }

    private void compare(byte[] input, Random random, int undertow) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(input);
        all.writeBytes(LAST);
        client++;
        String address = NumberedClient.addressOf(client);
        List<String> readByUs = new CopyOnWriteArrayList<>();
        List<String> readByUndertow = new CopyOnWriteArrayList<>();
        ours.put(address, readByUs);
        undertows.put(address, readByUndertow);
        ours.remove(NumberedClient.addressOf(client - KEPT));
        undertows.remove(NumberedClient.addressOf(client - KEPT));
        exchange(all.toByteArray(), random, millau.port());
        exchange(all.toByteArray(), random, undertow);
        int common = Math.min(readByUs.size(), readByUndertow.size());
        for (int i = 0; i < common; i++) {
            if (!readByUs.get(i).equals(readByUndertow.get(i))) {
                throw new AssertionError(
                        "Undertow reads “" + readByUndertow.get(i) + "”, and we “" + readByUs.get(i) + "”");
            }
        }
    }

    private void exchange(byte[] bytes, Random random, int port) throws IOException {
        try (NumberedClient connected = new NumberedClient(client, port)) {
            connected.send(bytes, random);
            connected.in().readAllBytes();
        } catch (SocketException e) {
            // A reset ends it, too.
        }
    }
}
