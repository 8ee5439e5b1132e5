package io.millau.server.internal.proxy;

import io.millau.core.Ticker;
import io.millau.core.internal.HeaderFields;
import io.millau.server.internal.frontend.DateField;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.frontend.IoThread;
import io.millau.server.internal.frontend.RequestChanges;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HandlerWrapper;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.AttachmentKey;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.StatusCodes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An application of the embedding program, which gets requests first and passes those on that it does not respond to. What it
 * responds to is reported like any other request. Safe for use by several threads.
 */
public final class Application implements HttpHandler {

    private static final Logger LOG = LoggerFactory.getLogger(ProxyHandler.class);

    private static final AttachmentKey<Request> KEY = AttachmentKey.create(Request.class);

    private static final AttachmentKey<Boolean> GIVEN_BACK = AttachmentKey.create(Boolean.class);

    /** A request that the application has. */
    private static final class Request implements IoThread.Reading {
        private final Downstream downstream;
        private final Ticker clock;
        private final long began;
        private final boolean hasBody;
        private boolean passedOn;
        private boolean responds;
        private volatile long read;

        Request(Downstream downstream, Ticker clock) {
            this.downstream = downstream;
            this.clock = clock;
            this.began = clock.nanoTime();
            this.hasBody = !downstream.exchange.isRequestComplete();
        }

        /** The application responds: what reads the rest of the body now is not the application. */
        void responds() {
            if (!passedOn) {
                responds = true;
                downstream.endConnectionIfBodyIsUncertain();
            }
        }

        /** The application reads the body: its client may wait for {@code 100 Continue} before it sends that. */
        @Override
        public void begins() {
            if (!passedOn && !responds) {
                downstream.sendContinue();
            }
        }

        @Override
        public void hasRead(long count) {
            read += Math.max(0, count);
        }

        /** Whether all of the body was read: to its end, or as much as its length says. */
        boolean isRead() {
            return downstream.exchange.isRequestComplete() || read == downstream.exchange.getRequestContentLength();
        }
    }

    private final HttpHandler application;
    private final HttpHandler proxy;
    private final RequestTracker tracker;
    private final AtomicBoolean saidOfField = new AtomicBoolean();

    Application(HandlerWrapper wrapper, HttpHandler proxy, RequestTracker tracker) {
        this.application = Objects.requireNonNull(wrapper.wrap(this::passOn), "the handler that wrap returned");
        this.proxy = proxy;
        this.tracker = tracker;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        Request request = new Request(Downstream.of(exchange), tracker.clock());
        exchange.putAttachment(KEY, request);
        tracker.waits();
        IoThread.openToOtherThreads(exchange, request);
        exchange.addExchangeCompleteListener((ended, next) -> {
            try {
                ended(request);
            } finally {
                next.proceed();
            }
        });
        exchange.addDefaultResponseListener(response -> {
            request.responds();
            return false;
        });
        DateField date = tracker.date();
        exchange.addResponseCommitListener(response -> {
            request.responds();
            if (!request.passedOn) {
                date.addTo(response.getResponseHeaders());
            }
        });
        application.handleRequest(exchange);
    }

    private void ended(Request request) {
        if (!request.passedOn) {
            tracker.waited();
            tracker.respondedByApplication(request.downstream, request.clock, request.began);
        }
    }

    private void passOn(HttpServerExchange exchange) throws Exception {
        Request request = exchange.getAttachment(KEY);
        if (!exchange.isInIoThread()) {
            exchange.dispatch(exchange.getIoThread(), this::passOn);
            return;
        }
        if (request.hasBody && !isBodyThere(exchange)) {
            LOG.error(
                    "The handler of wrap has read the body of a request that it passes on: give it back with Millau.giveBack;"
                            + " its client gets 500");
            exchange.setStatusCode(StatusCodes.INTERNAL_SERVER_ERROR).endExchange();
            return;
        }
        if (!request.passedOn) {
            request.passedOn = true;
            tracker.waited();
        }
        keepFields(exchange);
        proxy.handleRequest(exchange);
    }

    /**
     * The fields that the application has set are added to the response, whoever makes that. Its cookies are added by Undertow to each
     * response that is not passed on as it came.
     */
    private void keepFields(HttpServerExchange exchange) {
        HeaderMap set = exchange.getResponseHeaders();
        if (set.size() == 0 && !exchange.responseCookies().iterator().hasNext()) {
            return;
        }
        Map<String, List<String>> fields = new LinkedHashMap<>();
        for (HeaderValues field : set) {
            String name = field.getHeaderName().toString();
            if (HeaderFields.canBeSetInResponses(name) && canBeSent(name, field)) {
                fields.put(name, List.copyOf(field));
            }
        }
        set.clear();
        RequestChanges changes = new RequestChanges();
        changes.changeResponse(response -> fields.forEach((name, values) -> {
            if (!name.equalsIgnoreCase(Headers.SET_COOKIE_STRING)) {
                response.removeHeader(name);
            }
            values.forEach(value -> response.addHeader(name, value));
        }));
        Downstream.begin(exchange, changes);
    }

    private boolean canBeSent(String name, List<String> values) {
        try {
            HeaderFields.checkResponseName(name);
            values.forEach(value -> HeaderFields.checkValue(name, value));
            return true;
        } catch (IllegalArgumentException e) {
            if (!saidOfField.getAndSet(true)) {
                LOG.error(
                        "The handler of wrap has set a field that can't be sent, and that is left out: {}",
                        e.getMessage());
            }
            return false;
        }
    }

    private static boolean isBodyThere(HttpServerExchange exchange) {
        return exchange.getAttachment(GIVEN_BACK) != null
                || !exchange.isRequestComplete() && exchange.isRequestChannelAvailable();
    }

    /** See {@link io.millau.server.Millau#giveBack}. */
    public static void giveBack(HttpServerExchange exchange, byte[] body) {
        HeaderMap headers = exchange.getRequestHeaders();
        boolean hadBody = headers.contains(Headers.CONTENT_LENGTH) || headers.contains(Headers.TRANSFER_ENCODING);
        if (exchange.isComplete()) {
            return;
        }
        Request request = exchange.getAttachment(KEY);
        if (request != null && !request.isRead()) {
            throw new IllegalStateException("the body was not read to its end: expected that before it is given back");
        }
        if (exchange.putAttachment(GIVEN_BACK, true) != null) {
            throw new IllegalStateException("the body was given back already");
        }
        if (body.length == 0 && !hadBody) {
            return;
        }
        headers.remove(Headers.TRANSFER_ENCODING);
        headers.put(Headers.CONTENT_LENGTH, body.length);
        PooledByteBuffer[] buffers = buffers(exchange, body);
        if (buffers.length > 0) {
            Connectors.ungetRequestBytes(exchange, buffers);
            Connectors.resetRequestChannel(exchange);
        }
    }

    private static PooledByteBuffer[] buffers(HttpServerExchange exchange, byte[] body) {
        List<PooledByteBuffer> buffers = new ArrayList<>();
        try {
            for (int from = 0; from < body.length; ) {
                PooledByteBuffer buffer =
                        exchange.getConnection().getByteBufferPool().allocate();
                buffers.add(buffer);
                int length = Math.min(body.length - from, buffer.getBuffer().remaining());
                buffer.getBuffer().put(body, from, length).flip();
                from += length;
            }
        } catch (RuntimeException | Error e) {
            buffers.forEach(PooledByteBuffer::close);
            throw e;
        }
        return buffers.toArray(PooledByteBuffer[]::new);
    }
}
