package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.server.internal.http2.Http2;
import io.millau.testing.ScriptedEndpoint;
import io.millau.testing.internal.Http2Peer;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** An h2c endpoint that responds before it has read the request's body, and closes the connection. */
class Http2EarlyResponseTest extends ProxyTest {

    private static final String PART = "10000\r\n" + "x".repeat(0x10000) + "\r\n";

    private final CountDownLatch threadIsBusy = new CountDownLatch(1);
    private final CountDownLatch threadIsFree = new CountDownLatch(1);

    @Override
    protected Millau.Builder builder() {
        return super.builder().filter(request -> {
            if (request.path().equals("/busy")) {
                threadIsBusy.countDown();
                awaitQuietly(threadIsFree);
            }
            return request.proceed();
        });
    }

    /**
     * The response had arrived when the proxy sent more of the body, which failed. The failure was taken for the end of the
     * response, although that was there to be read.
     */
    @Test
    void theResponseCountsIfTheRestOfTheBodyCanNotBeSent() throws Exception {
        CountDownLatch bodyCame = new CountDownLatch(1);
        CountDownLatch mayRespond = new CountDownLatch(1);
        ScriptedEndpoint endpoint = endpoint(connection -> {
            Http2Peer peer = new Http2Peer(connection, Http2.INITIAL_WINDOW_SIZE, 1 << 20);
            peer.windowUpdate(0, 1 << 20);
            int stream = peer.request().stream();
            await().until(() -> connection.wire().in().available() > 0);
            bodyCame.countDown();
            connection.await(mayRespond);
            peer.respond(stream, "early");
        });
        startWith(app(Http2Peer.endpoint(endpoint)).build());

        RawClient client = client();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + PART);
        bodyCame.await();
        client().send("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n");
        threadIsBusy.await();
        client.send(PART);
        mayRespond.countDown();
        await().until(() -> endpoint.openConnections() == 0);
        threadIsFree.countDown();

        assertThat(client.read().body()).isEqualTo("early");
    }
}
