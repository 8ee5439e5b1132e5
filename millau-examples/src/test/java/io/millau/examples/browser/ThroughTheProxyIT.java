package io.millau.examples.browser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.millau.core.testing.StandaloneServer;
import io.millau.examples.echo.Echo;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chromium uses an application through the packaged server, over HTTPS. */
@RequiresBrowser
class ThroughTheProxyIT {

    @TempDir
    private Path folder;

    private final CountDownLatch heard = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private HttpServer application;
    private Echo echo;
    private StandaloneServer server;
    private Browser browser;
    private String base;

    @BeforeEach
    void start() throws Exception {
        application = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        application.setExecutor(threads);
        application.createContext("/", exchange -> respond(exchange, "text/html", "<title>page</title>"));
        application.createContext("/upload", exchange -> {
            int length = exchange.getRequestBody().readAllBytes().length;
            respond(exchange, "text/plain", "received " + length);
        });
        application.createContext("/heard", exchange -> {
            heard.countDown();
            respond(exchange, "text/plain", "");
        });
        application.createContext("/events", this::sendEvents);
        application.start();
        echo = new Echo("echo", 0, Duration.ZERO);
        Path services = Files.writeString(folder.resolve("services.properties"), """
                app.endpoints    = http://127.0.0.1:%1$d
                socket.endpoints = http://127.0.0.1:%2$d
                socket.path      = /socket
                echo.endpoints   = http://127.0.0.1:%2$d
                echo.path        = /echo
                """.formatted(
                        application.getAddress().getPort(), echo.port()));
        server = new StandaloneServer(
                folder.resolve("server.log"),
                Map.of("SERVICES", services.toString(), "ACME", "off", "ACCESS_LOG", "json"));
        server.awaitLine("Listens on");
        base = "https://localhost:" + server.httpsPort();
        browser = new Browser(folder);
    }

    private static void respond(HttpExchange exchange, String type, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(200, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    /** The second event is sent when the browser has told that it got the first one. */
    private void sendEvents(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        exchange.sendResponseHeaders(200, 0);
        exchange.getResponseBody().write("data: one\n\n".getBytes(StandardCharsets.UTF_8));
        exchange.getResponseBody().flush();
        try {
            if (heard.await(60, TimeUnit.SECONDS)) {
                exchange.getResponseBody().write("data: two\n\n".getBytes(StandardCharsets.UTF_8));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        exchange.close();
    }

    @AfterEach
    void end() throws Exception {
        if (browser != null) {
            browser.close();
        }
        if (server != null) {
            server.close();
        }
        if (echo != null) {
            echo.close();
        }
        application.stop(0);
        threads.shutdownNow();
    }

    @Test
    void aPageIsLoadedOverHttp2WithAnOddQuery() throws Exception {
        browser.open(base + "/echo?a=1|2&f={%22b%22:[1]}&g=^`&h=größe");
        assertThat(browser.run("return document.body.innerText").asText())
                .contains("path: /echo?a=1|2&f={%22b%22:[1]}&g=^`&h=gr%C3%B6%C3%9Fe\n");
        assertThat(browser.run("return performance.getEntriesByType('navigation')[0].nextHopProtocol")
                        .asText())
                .isEqualTo("h2");
    }

    @Test
    void aFileIsUploaded() throws Exception {
        browser.open(base + "/");
        browser.run("""
                const form = new FormData();
                form.append('file', new Blob(['x'.repeat(3_000_000)]), 'größe.bin');
                fetch('/upload', { method: 'POST', body: form }).then(r => r.text()).then(t => window.answer = t);
                """);
        browser.awaitTrue("return /^received 300\\d{4}$/.test(window.answer)");
    }

    @Test
    void aWebSocketSendsTextsBackOverHttp2() throws Exception {
        browser.open(base + "/");
        browser.run("""
                window.socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
                socket.onopen = () => socket.send('größe €');
                socket.onmessage = event => window.answer = event.data;
                """);
        browser.awaitTrue("return window.answer === 'größe €'");
        browser.run("socket.close()");
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(server.output().lines())
                        .filteredOn(line -> line.contains("\"path\":\"/socket\""))
                        .singleElement()
                        .asString()
                        .contains("\"protocol\":\"HTTP/2.0\"", "\"status\":101"));
    }

    @Test
    void eachEventArrivesAtOnce() throws Exception {
        browser.open(base + "/");
        browser.run("""
                window.events = [];
                const source = new EventSource('/events');
                source.onmessage = event => { window.events.push(event.data); fetch('/heard'); };
                source.onerror = () => source.close();
                """);
        browser.awaitTrue("return window.events.join() === 'one,two'");
    }
}
