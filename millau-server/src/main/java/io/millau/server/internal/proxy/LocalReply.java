package io.millau.server.internal.proxy;

import io.millau.core.Endpoint;
import io.millau.core.FailurePage;
import io.millau.core.Route;
import io.millau.core.Service;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import io.millau.core.internal.LogText;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.io.Deadlines;
import io.undertow.io.IoCallback;
import io.undertow.io.Sender;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends responses that this proxy makes itself. An instance is the report to traffic listeners on a request that was not
 * forwarded to a service. For the request's I/O thread.
 *
 * @param clock the event loop's
 * @param began the time when the request began, on that clock, in nanoseconds
 */
record LocalReply(
        Downstream request,
        TrafficListener.Ingress ingress,
        TrafficListener.LocalReason localReason,
        Ticker clock,
        long began)
        implements TrafficListener.Ended {

    private static final Logger LOG = LoggerFactory.getLogger(LocalReply.class);

    /** The type of plain texts. */
    static final String TEXT = "text/plain; charset=utf-8";

    static final String INTERNAL_ERROR = "Internal Server Error\n";

    /**
     * Sends a text, or the failure page that replaces it, with the status and the header fields that are set on the exchange.
     *
     * @param report on the request, which says what failed
     * @param thread the request's
     * @param end called once, when the response was sent to the client or sending failed
     */
    static void send(
            TrafficListener.Ended report,
            Downstream downstream,
            String text,
            Filters filters,
            ProxyThread thread,
            Runnable end) {
        sendOrPage(report, downstream, TEXT, text.getBytes(StandardCharsets.UTF_8), filters, thread, end);
    }

    /** Sends the response of a filter, or a failure in place of a filter that failed. */
    static void send(
            TrafficListener.Ended report,
            Downstream downstream,
            FilterReply reply,
            Filters filters,
            ProxyThread thread,
            Runnable end) {
        downstream.exchange.setStatusCode(reply.status);
        reply.addHeadersTo(downstream.exchange.getResponseHeaders());
        sendOrPage(report, downstream, reply.contentType, reply.body, filters, thread, end);
    }

    private static void sendOrPage(
            TrafficListener.Ended report,
            Downstream downstream,
            @Nullable String contentType,
            byte[] body,
            Filters filters,
            ProxyThread thread,
            Runnable end) {
        Consumer<FailurePage.@Nullable Page> sender = page -> {
            if (page == null) {
                send(report, downstream, contentType, body, filters, thread, end);
            } else {
                send(report, downstream, page.contentType(), page.body(), filters, thread, end);
            }
        };
        if (!Filters.isOwnFailure(report)) {
            sender.accept(null);
            return;
        }
        FailurePage.Page ofProgram = filters.pageFor(report, downstream);
        if (ofProgram != null || report.localReason() == TrafficListener.LocalReason.OVERLOADED) {
            sender.accept(ofProgram);
        } else {
            thread.errorPages.find(
                    downstream.routedHost(), report.status(), page -> sendFound(page, downstream, sender, end));
        }
    }

    private static void sendFound(
            FailurePage.@Nullable Page page,
            Downstream downstream,
            Consumer<FailurePage.@Nullable Page> sender,
            Runnable end) {
        if (!downstream.exchange.getConnection().isOpen()) {
            end.run(); // the client has left meanwhile
            return;
        }
        try {
            sender.accept(page);
        } catch (RuntimeException e) {
            RequestLog.internalError(downstream, e);
            end.run();
            downstream.abort();
        }
    }

    /**
     * Sends a body, with the status and the header fields that are set on the exchange.
     *
     * @param contentType null if there is no body
     */
    private static void send(
            TrafficListener.Ended report,
            Downstream downstream,
            @Nullable String contentType,
            byte[] body,
            Filters filters,
            ProxyThread thread,
            Runnable end) {
        HttpServerExchange exchange = downstream.exchange;
        if (contentType != null) {
            exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, contentType);
        }
        ByteBuffer bytes = ByteBuffer.wrap(body);
        if (!filters.changeResponse(downstream, report.service(), null)) {
            exchange.getResponseHeaders().clear();
            exchange.setStatusCode(StatusCodes.INTERNAL_SERVER_ERROR);
            exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, TEXT);
            bytes = ByteBuffer.wrap(INTERNAL_ERROR.getBytes(StandardCharsets.UTF_8));
        }
        thread.date.addTo(exchange.getResponseHeaders());
        int status = exchange.getStatusCode();
        if (status != StatusCodes.NO_CONTENT && status != StatusCodes.NOT_MODIFIED) {
            exchange.setResponseContentLength(bytes.remaining());
        }
        downstream.endConnectionIfBodyIsUncertain();
        Sending sending = new Sending(downstream, thread.loop.longDeadlines, end);
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
        return clock.nanoTime() - began;
    }
}
