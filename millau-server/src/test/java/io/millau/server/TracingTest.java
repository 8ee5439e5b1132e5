package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Request;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import io.millau.testing.internal.Http2Peer;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a listener sees is enough for a span of each request and each attempt. The clock stands still unless a test moves it. */
class TracingTest extends ProxyTest {

    private final List<String> spans = new CopyOnWriteArrayList<>();

    /** A listener as one that does tracing would be. */
    private final class Tracer implements TrafficListener {

        @Override
        public void requestBegan(Ingress ingress, Request request) {
            spans.add("began " + request.id() + " " + request.method() + " " + request.host() + request.path() + " "
                    + request.header("traceparent"));
        }

        @Override
        public void attemptFailed(Failed attempt) {
            spans.add("failed " + attempt.request().id() + " number=" + attempt.number() + " " + attempt.outcome() + " "
                    + attempt.status() + " queue=" + attempt.queueNanos() + " connect=" + attempt.connectNanos()
                    + " firstByte=" + attempt.firstByteNanos() + " all=" + attempt.nanos() + " "
                    + (attempt.reason().isEmpty() ? "" : "reason ") + attempt.retried() + " "
                    + attempt.request().header("traceparent"));
        }

        @Override
        public void requestEnded(Ended request) {
            spans.add("ended " + request.request().id() + " attempts=" + request.attempts() + " queue="
                    + request.queueNanos() + " connect=" + request.connectNanos() + " firstByte="
                    + request.firstByteNanos() + " upstream=" + request.upstreamNanos() + " attempt="
                    + request.attemptNanos() + " all=" + request.nanos());
        }
    }

    @BeforeEach
    void stopTheClock() {
        clock = ahead::get;
    }

    @Override
    protected Millau.Builder builder() {
        return super.builder().listener(new Tracer());
    }

    private static String get(String id) {
        return "GET /x?q HTTP/1.1\r\nHost: shop.example\r\nX-Request-Id: " + id + "\r\ntraceparent: t-" + id
                + "\r\n\r\n";
    }

    private static void await(BooleanSupplier condition) {
        Awaitility.await().until(condition::getAsBoolean);
    }

    /** Takes so many nanoseconds for its response. */
    private ScriptedEndpoint endpointThatTakes(long nanos) {
        return endpoint(connection -> {
            for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
                ahead.addAndGet(nanos);
                connection.respond(request, "good");
            }
        });
    }

    @Test
    void aRequestHasTheTimeToItsFirstByte() throws Exception {
        startWith(endpointThatTakes(7));
        RawClient client = client();

        client.send(get("one")).read();
        client.send(get("two")).read();

        await(() -> spans.size() == 4);
        assertThat(spans)
                .containsExactly(
                        "began one GET shop.example/x t-one",
                        "ended one attempts=1 queue=0 connect=0 firstByte=7 upstream=7 attempt=7 all=7",
                        "began two GET shop.example/x t-two",
                        "ended two attempts=1 queue=0 connect=0 firstByte=7 upstream=7 attempt=7 all=7");
    }

    @Test
    void anAttemptThatFailedHasTimesOfItsOwn() throws Exception {
        ScriptedEndpoint breaks = endpoint(connection -> {
            connection.readRequest();
            ahead.addAndGet(3);
        });
        startWith(breaks, endpointThatTakes(7));

        client().send(get("one")).read();

        await(() -> spans.size() == 3);
        assertThat(spans)
                .containsExactly(
                        "began one GET shop.example/x t-one",
                        "failed one number=1 BROKEN 0 queue=0 connect=0 firstByte=0 all=3 reason true t-one",
                        "ended one attempts=2 queue=0 connect=0 firstByte=7 upstream=7 attempt=7 all=10");
    }

    @Test
    void theTimeToConnectIsApart() throws Exception {
        ScriptedEndpoint slow = endpoint(connection -> {
            ahead.addAndGet(5); // it is connected when it has sent its settings
            try {
                Http2Peer peer = new Http2Peer(connection);
                int stream = peer.wholeRequest().stream();
                ahead.addAndGet(7);
                peer.respond(stream, "good");
                connection.hang();
            } catch (Exception e) {
                throw new IOException(e);
            }
        });
        startWith(app(Http2Peer.endpoint(slow)).build());

        client().send(get("one")).read();

        await(() -> spans.size() == 2);
        assertThat(spans).contains("ended one attempts=1 queue=0 connect=5 firstByte=7 upstream=12 attempt=12 all=12");
    }

    @Test
    void theTimeInALineIsApart() throws Exception {
        Semaphore responds = new Semaphore(0);
        ScriptedEndpoint app = endpoint(connection -> {
            for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
                responds.acquireUninterruptibly();
                connection.respond(request, "good");
            }
        });
        startWith(app(app.endpoint()).maxRequests(1).build());
        RawClient first = client().send(get("one"));
        await(() -> app.requests.size() == 1);
        RawClient second = client().send(get("two"));
        await(() -> spans.size() == 2);

        ahead.addAndGet(11);
        responds.release(2);
        first.read();
        second.read();

        await(() -> spans.size() == 4);
        assertThat(spans)
                .contains(
                        "ended one attempts=1 queue=0 connect=0 firstByte=11 upstream=11 attempt=11 all=11",
                        "ended two attempts=1 queue=11 connect=0 firstByte=0 upstream=0 attempt=0 all=11");
    }

    @Test
    void aLocalReplyHasNoAttempt() throws Exception {
        startWith(new Service[0]);

        client().send(get("one")).read();

        await(() -> spans.size() == 2);
        assertThat(spans.get(1))
                .startsWith("ended one attempts=0 queue=0 connect=0 firstByte=0 upstream=0 attempt=0 all=");
    }
}
