package io.millau.server.internal.proxy;

import io.millau.core.Endpoint;
import io.millau.core.Route;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.internal.LogText;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.io.Deadlines;
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
     * @param deadlines of the I/O thread
     * @param end called once, when the response was sent to the client or sending failed
     */
    static void send(Downstream downstream, String text, Deadlines deadlines, Runnable end) {
        HttpServerExchange exchange = downstream.exchange;
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "text/plain; charset=utf-8");
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        exchange.setResponseContentLength(bytes.remaining());
        Sending sending = new Sending(downstream, deadlines, end);
        exchange.getResponseSender().send(bytes, sending);
        sending.began();
    }

    /** Ends when the client has the reply, or does not take it. */
    private static final class Sending extends Deadlines.Deadline implements IoCallback {
        private final Downstream downstream;
        private final Deadlines deadlines;
        private final Runnable end;
        private boolean over;

        Sending(Downstream downstream, Deadlines deadlines, Runnable end) {
            this.downstream = downstream;
            this.deadlines = deadlines;
            this.end = end;
        }

        private void began() {
            if (!over) {
                deadlines.set(this, Silence.LONGEST.toNanos());
            }
        }

        private void end() {
            if (!over) {
                over = true;
                deadlines.cancel(this);
                end.run();
            }
        }

        @Override
        public void onComplete(HttpServerExchange exchange, Sender sender) {
            end();
            IoCallback.END_EXCHANGE.onComplete(exchange, sender);
        }

        @Override
        public void onException(HttpServerExchange exchange, Sender sender, IOException failure) {
            LOG.debug("Client is gone reason={}", LogText.later(failure::toString));
            end();
            IoCallback.END_EXCHANGE.onException(exchange, sender, failure);
        }

        @Override
        public void passed() {
            LOG.debug("Client did not take its response request={}", LogText.later(downstream::id));
            end();
            downstream.abort();
        }
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
    public long queueNanos() {
        return 0;
    }

    @Override
    public long connectNanos() {
        return 0;
    }

    @Override
    public long firstByteNanos() {
        return 0;
    }

    @Override
    public long attemptNanos() {
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
