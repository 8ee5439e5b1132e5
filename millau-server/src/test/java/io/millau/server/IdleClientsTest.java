package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.server.internal.proxy.IdleClients;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Idle clients make room for others when there are too many. */
class IdleClientsTest extends ProxyTest {

    private static final String GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    private final CountDownLatch threadIsBusy = new CountDownLatch(1);
    private final CountDownLatch allIsSent = new CountDownLatch(1);

    @Override
    protected Millau.Builder builder() {
        return super.builder().filter(request -> {
            if (request.path().equals("/room")) {
                threadIsBusy.countDown();
                awaitQuietly(allIsSent);
                IdleClients.makeRoom(request);
            }
            return request.proceed();
        });
    }

    /** Of 5,000 clients of a small container, one was reset: the thread had had no time yet to read its request. */
    @Test
    void aClientIsNotIdleWhoseRequestHasArrived() throws Exception {
        startWith(endpointThatSays("ok"));
        RawClient kept = keptClient();
        RawClient idle = keptClient();
        RawClient fresh = client();
        RawHttp2Client keptHttp2 = keptHttp2Client();
        RawHttp2Client idleHttp2 = keptHttp2Client();

        RawClient other = client();
        other.send("GET /room HTTP/1.1\r\nHost: a\r\n\r\n");
        threadIsBusy.await();
        kept.send(GET);
        fresh.send(GET);
        request(keptHttp2, 3);
        allIsSent.countDown();

        assertThat(other.read().body()).isEqualTo("ok");
        assertThat(kept.read().body()).isEqualTo("ok");
        assertThat(fresh.read().body()).isEqualTo("ok");
        assertThat(keptHttp2.body(3)).isEqualTo("ok");
        assertThat(idle.wire().readToEnd()).isEmpty();
        assertThat(idleHttp2.lastStreamOfGoAway()).isEqualTo(1);
    }

    private RawClient keptClient() throws Exception {
        RawClient client = client();
        assertThat(client.get("/").body()).isEqualTo("ok");
        return client;
    }

    private RawHttp2Client keptHttp2Client() throws Exception {
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));
        request(client, 1);
        assertThat(client.body(1)).isEqualTo("ok");
        return client;
    }

    private static void request(RawHttp2Client client, int stream) throws Exception {
        client.headers(stream, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
    }
}
