package io.millau.server.internal.proxy;

import io.millau.core.Endpoint;
import io.millau.core.Route;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.internal.LogText;
import io.millau.server.internal.frontend.Downstream;
import io.undertow.io.IoCallback;
import io.undertow.io.Sender;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends responses that this proxy makes itself. An instance is the report to traffic listeners on a request that was not
 * forwarded to a service. For the request's I/O thread.
 *
 * @param began the time when the request began, in {@link System#nanoTime}
 */
record LocalReply(
        Downstream request, TrafficListener.Ingress ingress, TrafficListener.LocalReason localReason, long began)
        implements TrafficListener.Ended {

    private static final Logger LOG = LoggerFactory.getLogger(LocalReply.class);

    /**
     * Sends a text, with the status code that is set on the exchange.
     *
     * @param end called once, when the response was sent to the client or sending failed
     */
    static void send(HttpServerExchange exchange, String text, Runnable end) {
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "text/plain; charset=utf-8");
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        exchange.setResponseContentLength(bytes.remaining());
        exchange.getResponseSender().send(bytes, new IoCallback() {
            @Override
            public void onComplete(HttpServerExchange exchange, Sender sender) {
                end.run();
                IoCallback.END_EXCHANGE.onComplete(exchange, sender);
            }

            @Override
            public void onException(HttpServerExchange exchange, Sender sender, IOException failure) {
                LOG.debug("Client is gone reason={}", LogText.later(failure::toString));
                end.run();
                IoCallback.END_EXCHANGE.onException(exchange, sender, failure);
            }
        });
    }

    @Override
    public String method() {
        return request.exchange.getRequestMethod().toString();
    }

    @Override
    public @Nullable Service service() {
        return null;
    }

    @Override
    public @Nullable Route route() {
        return null;
    }

    @Override
    public @Nullable Endpoint endpoint() {
        return null;
    }

    @Override
    public int attempts() {
        return 0;
    }

    @Override
    public long upstreamNanos() {
        return 0;
    }

    @Override
    public boolean delivered() {
        return false;
    }

    @Override
    public boolean clientGone() {
        return false;
    }

    @Override
    public int status() {
        return request.exchange.getStatusCode();
    }

    @Override
    public long requestBytes() {
        return 0;
    }

    @Override
    public long responseBytes() {
        return 0;
    }

    @Override
    public long nanos() {
        return System.nanoTime() - began;
    }
}
