package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.server.testing.Message;
import io.millau.server.testing.ScriptedEndpoint;
import java.io.EOFException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** The proxy itself is replaced: nobody's request is lost. */
class EndTest extends ProxyTest {

    private final CountDownLatch arrived = new CountDownLatch(1);
    private final CountDownLatch answer = new CountDownLatch(1);

    /** A grace that ends when a test says so. */
    @Override
    public Millau.Builder builder() {
        return super.builder().telemetry("127.0.0.1:0").grace(Duration.ofDays(1));
    }

    private Thread beginToEnd() {
        Thread thread = new Thread(millau::close);
        thread.start();
        return thread;
    }

    private static void endGrace(Thread closing) throws InterruptedException {
        closing.interrupt();
        closing.join();
    }

    /** Answers a request for /slow when the test says so, and others at once. */
    private ScriptedEndpoint slow() {
        return endpoint(connection -> {
            for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
                if (request.startLine().contains("/slow")) {
                    arrived.countDown();
                    await(answer);
                }
                connection.answer(request, "done");
            }
        });
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void awaitDown() throws Exception {
        try (RawClient telemetry = new RawClient(millau.telemetryPort())) {
            while (telemetry.get("/").status() != 503) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void duringTheGraceItIsDownAndServesAndConnectionsEndWithTheirNextAnswer() throws Exception {
        startWith(endpointThatSays("ok"));
        RawClient idle = client();
        assertThat(idle.get("/").field("Connection")).isNull();

        Thread closing = beginToEnd();
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
    void anHttp2ClientIsToldToSendNoMoreBeforeItsConnectionEnds() throws Exception {
        startWith(slow());
        try (RawHttp2Client client = new RawHttp2Client(millau.port())) {
            get(client, 1, "/slow");
            await(arrived);

            Thread closing = beginToEnd();
            assertThat(client.lastStreamOfGoAway()).isEqualTo(Integer.MAX_VALUE);
            client.send(RawHttp2Client.GO_AWAY, 0, 0, new byte[8]); // as many do, who still wait for their answers
            get(client, 3, "/");
            assertThat(client.body(3)).as("one that it sent before it knew").isEqualTo("done");
            answer.countDown();
            assertThat(client.body(1)).isEqualTo("done");
            endGrace(closing);

            assertThat(client.lastStreamOfGoAway()).isEqualTo(3);
            assertThatThrownBy(() -> client.next(1)).isInstanceOf(EOFException.class);
        }
    }

    @Test
    void anHttp2ClientThatComesLateIsToldAfterTheSettings() throws Exception {
        startWith(endpointThatSays("ok"));
        Thread closing = beginToEnd();
        awaitDown();
        try (RawHttp2Client client = new RawHttp2Client(millau.port())) {
            get(client, 1, "/");
            assertThat(client.lastStreamOfGoAway()).isEqualTo(Integer.MAX_VALUE);
            assertThat(client.body(1)).isEqualTo("ok");
        }
        endGrace(closing);
    }

    @Test
    void anHttp2ConnectionThatIsIdleEndsWithoutAnUnclearRequest() throws Exception {
        startWith(endpointThatSays("ok"));
        try (RawHttp2Client client = new RawHttp2Client(millau.port())) {
            get(client, 1, "/");
            assertThat(client.body(1)).isEqualTo("ok");
            endGrace(beginToEnd());

            assertThat(client.lastStreamOfGoAway()).isEqualTo(Integer.MAX_VALUE);
            assertThat(client.lastStreamOfGoAway()).isEqualTo(1);
        }
    }

    private static void get(RawHttp2Client client, int stream, String path) throws Exception {
        client.headers(stream, true, ":method", "GET", ":scheme", "http", ":path", path, ":authority", "test");
    }
}
