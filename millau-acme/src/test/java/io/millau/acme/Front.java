package io.millau.acme;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.millau.acme.testing.Pebble;
import io.millau.core.Certificate;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** An ACME directory in front of pebble: it counts requests, and sends scripted responses to some of them. */
final class Front implements AutoCloseable {

    private static final char[] PASSWORD = "front".toCharArray();

    private static final Pattern PAYLOAD = Pattern.compile("\"payload\":\"([A-Za-z0-9_-]*)\"");

    private final Pebble ca;
    private final Certificate certificate = Certificate.selfSigned("localhost");
    private final SSLContext context;
    private final HttpsServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool(new Threads("front"));
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final List<String> payloads = new CopyOnWriteArrayList<>();
    private volatile @Nullable Script script;
    private volatile @Nullable Rewriting rewriting;

    /** The response to a path instead of the CA's; null to forward the request to the CA. */
    interface Script {
        @Nullable
        Response respond(String path);
    }

    /** Changes a response of the CA. */
    interface Rewriting {
        String rewrite(String path, String body);
    }

    /** @param headers names and values in turn */
    record Response(int status, String type, String body, String... headers) {}

    Front(Pebble ca) throws Exception {
        this.ca = ca;
        this.context = context();
        this.server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(context));
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    /** A context with its own certificate, which trusts pebble's. */
    private SSLContext context() throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        keys.setKeyEntry(
                "front", certificate.key(), PASSWORD, certificate.chain().toArray(X509Certificate[]::new));
        KeyManagerFactory keyManagers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keyManagers.init(keys, PASSWORD);
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("pebble", ca.trusted().get(0));
        TrustManagerFactory trustManagers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trustManagers.init(trusted);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), null);
        return tls;
    }

    URI directory() {
        return URI.create(base() + "/dir");
    }

    String base() {
        return "https://localhost:" + server.getAddress().getPort();
    }

    List<X509Certificate> trusted() {
        return certificate.chain();
    }

    /** Uses the script from now on; null for none. */
    void play(@Nullable Script script) {
        this.script = script;
    }

    /** Changes the CA's responses from now on. */
    void rewrite(Rewriting rewriting) {
        this.rewriting = rewriting;
    }

    /** The number of requests whose path has this prefix. */
    long asked(String path) {
        return asked.stream().filter(other -> other.startsWith(path)).count();
    }

    /** The payloads of all signed requests (RFC 8555, 6.2). */
    List<String> payloads() {
        return payloads;
    }

    private void payload(byte[] request) {
        Matcher payload = PAYLOAD.matcher(new String(request, StandardCharsets.UTF_8));
        if (payload.find()) {
            payloads.add(new String(Base64.getUrlDecoder().decode(payload.group(1)), StandardCharsets.UTF_8));
        }
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            asked.add(path);
            byte[] request = exchange.getRequestBody().readAllBytes();
            payload(request);
            Script played = script;
            Response response = played == null ? null : played.respond(path);
            if (response == null) {
                forward(exchange, path, request);
            } else {
                exchange.getResponseHeaders().set("Content-Type", response.type);
                for (int i = 0; i < response.headers.length; i += 2) {
                    exchange.getResponseHeaders().set(response.headers[i], response.headers[i + 1]);
                }
                send(exchange, response.status, response.body.getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    /** Written by hand, since the JDK's client can't set Host to our own name, for which pebble expects the signatures. */
    private void forward(HttpExchange exchange, String path, byte[] request) throws IOException {
        byte[] response;
        URI directory = ca.directory();
        try (Socket socket = context.getSocketFactory().createSocket(directory.getHost(), directory.getPort())) {
            String head = exchange.getRequestMethod() + " " + path + " HTTP/1.0\r\nHost: "
                    + exchange.getRequestHeaders().getFirst("Host") + "\r\nUser-Agent: front\r\nContent-Type: "
                    + exchange.getRequestHeaders().getFirst("Content-Type") + "\r\nContent-Length: " + request.length
                    + "\r\n\r\n";
            OutputStream out = socket.getOutputStream();
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            all.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
            all.writeBytes(request);
            out.write(all.toByteArray());
            out.flush();
            response = socket.getInputStream().readAllBytes();
        }
        String text = new String(response, StandardCharsets.UTF_8);
        int end = text.indexOf("\r\n\r\n");
        List<String> lines = new ArrayList<>(text.substring(0, end).lines().toList());
        int status = Integer.parseInt(lines.remove(0).split(" ")[1]);
        for (String line : lines) {
            String name = line.substring(0, line.indexOf(':'));
            if (!name.equalsIgnoreCase("Content-Length") && !name.equalsIgnoreCase("Connection")) {
                exchange.getResponseHeaders()
                        .add(name, line.substring(name.length() + 1).strip());
            }
        }
        Rewriting rewritten = rewriting;
        String body = text.substring(end + 4);
        send(
                exchange,
                status,
                (rewritten == null ? body : rewritten.rewrite(path, body)).getBytes(StandardCharsets.UTF_8));
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0 && !exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
