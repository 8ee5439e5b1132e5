package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.core.testing.CapturedLog;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.EOFException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The proxy shuts down, for example to be replaced: no request is lost. */
class EndTest extends ProxyTest {

    private final CountDownLatch arrived = new CountDownLatch(1);
    private final CountDownLatch mayRespond = new CountDownLatch(1);
    private Thread shutdown;

    /** The grace period lasts until the test ends it. */
    @Override
    public Millau.Builder builder() {
        return super.builder().telemetry("127.0.0.1:0").grace(Duration.ofDays(1));
    }

    private Thread beginShutdown() {
        Thread thread = new Thread(millau::close);
        thread.start();
        shutdown = thread;
        return thread;
    }

    @AfterEach
    void endGrace() {
        if (shutdown != null) {
            shutdown.interrupt(); // a test that failed did not
        }
    }

    private static void endGrace(Thread closing) throws InterruptedException {
        closing.interrupt();
        closing.join();
    }

    /** Responds to /slow when the test allows it, and to other requests at once. */
    private ScriptedEndpoint slow() {
        return endpoint(connection -> {
            for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
                if (request.startLine().contains("/slow")) {
                    arrived.countDown();
                    awaitQuietly(mayRespond);
                }
                connection.respond(request, "done");
            }
        });
    }

    private void awaitDown() throws Exception {
        try (RawClient telemetry = new RawClient(millau.telemetryPort())) {
            while (telemetry.get("/").status() != 503) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void duringTheGracePeriodItReportsDownAndServesAndClosesConnectionsAfterTheirNextResponse() throws Exception {
        startWith(endpointThatSays("ok"));
        RawClient idle = client();
        assertThat(idle.get("/").field("Connection")).isNull();

        Thread closing = beginShutdown();
        awaitDown();

        for (RawClient client : new RawClient[] {idle, client()}) {
            Message last = client.get("/");
            assertThat(last.body()).isEqualTo("ok");
            assertThat(last.field("Connection")).isEqualTo("close");
            assertThat(client.ended()).isTrue();
        }
        int port = millau.port();
        endGrace(closing);
        assertThatThrownBy(() -> new RawClient(port)).isInstanceOf(ConnectException.class);
    }

    @Test
    void whoIsToldToStopSaysSo() throws Exception {
        startWith(endpointThatSays("ok"));
        try (CapturedLog log = new CapturedLog()) {
            Thread closing = beginShutdown();
            awaitDown();
            assertThat(log.about("INFO io.millau.server.Millau - Down listens=86400s inProgress=0"))
                    .hasSize(1);
            endGrace(closing);
        }
    }

    @Test
    void anHttp2ClientGetsGoAwayBeforeItsConnectionIsClosed() throws Exception {
        startWith(slow());
        try (RawHttp2Client client = new RawHttp2Client(millau.port())) {
            get(client, 1, "/slow");
            awaitQuietly(arrived);

            Thread closing = beginShutdown();
            assertThat(client.lastStreamOfGoAway()).isEqualTo(Integer.MAX_VALUE);
            client.send(RawHttp2Client.GO_AWAY, 0, 0, new byte[8]); // as many clients do that still wait for responses
            get(client, 3, "/");
            assertThat(client.body(3))
                    .as("a request sent before the client saw GOAWAY")
                    .isEqualTo("done");
            mayRespond.countDown();
            assertThat(client.body(1)).isEqualTo("done");
            endGrace(closing);

            assertThat(client.lastStreamOfGoAway()).isEqualTo(3);
            assertThatThrownBy(() -> client.next(1)).isInstanceOf(EOFException.class);
        }
    }

    @Test
    void anHttp2ClientThatConnectsDuringShutdownGetsGoAwayAfterTheSettings() throws Exception {
        startWith(endpointThatSays("ok"));
        Thread closing = beginShutdown();
        awaitDown();
        try (RawHttp2Client client = new RawHttp2Client(millau.port())) {
            get(client, 1, "/");
            assertThat(client.lastStreamOfGoAway()).isEqualTo(Integer.MAX_VALUE);
            assertThat(client.body(1)).isEqualTo("ok");
        }
        endGrace(closing);
    }

    @Test
    void anIdleHttp2ConnectionIsClosedWithTheNumberOfItsLastRequest() throws Exception {
        startWith(endpointThatSays("ok"));
        try (RawHttp2Client client = new RawHttp2Client(millau.port())) {
            get(client, 1, "/");
            assertThat(client.body(1)).isEqualTo("ok");
            endGrace(beginShutdown());

            assertThat(client.lastStreamOfGoAway()).isEqualTo(Integer.MAX_VALUE);
            assertThat(client.lastStreamOfGoAway()).isEqualTo(1);
        }
    }

    private static void get(RawHttp2Client client, int stream, String path) throws Exception {
        client.headers(stream, true, ":method", "GET", ":scheme", "http", ":path", path, ":authority", "test");
    }
}
