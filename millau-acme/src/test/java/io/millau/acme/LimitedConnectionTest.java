package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.exception.AcmeNetworkException;

class LimitedConnectionTest {

    private final ExecutorService threads = Executors.newCachedThreadPool(new Threads("slow"));
    private final CountDownLatch end = new CountDownLatch(1);
    private HttpServer server;

    @BeforeEach
    void open() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.start();
    }

    @AfterEach
    void close() {
        end.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    private Session session(Duration longest) {
        URI directory = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/dir");
        return new Session(directory, new HttpProvider(List.of(), longest));
    }

    @Test
    void aResponseThatHangsAfterItsHeadTimesOut() {
        server.createContext("/dir", exchange -> {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, 0);
            OutputStream body = exchange.getResponseBody();
            body.write('{');
            body.flush();
            try {
                end.await();
            } catch (InterruptedException e) {
                exchange.close();
            }
        });
        assertThatThrownBy(() -> session(Duration.ofSeconds(1)).getMetadata())
                .isInstanceOf(AcmeNetworkException.class)
                .hasRootCauseMessage("no complete response from 127.0.0.1 within 1 s");
    }

    @Test
    void aResponseThatNeverEndsTimesOut() {
        server.createContext("/dir", exchange -> {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, 0);
            byte[] blanks = new byte[8192];
            while (end.getCount() > 0) {
                exchange.getResponseBody().write(blanks); // fails when the client has closed the connection
            }
        });
        assertThatThrownBy(() -> session(Duration.ofSeconds(30)).getMetadata())
                .isInstanceOf(AcmeNetworkException.class)
                .hasRootCauseMessage("the response body exceeds 524288 bytes");
    }
}
