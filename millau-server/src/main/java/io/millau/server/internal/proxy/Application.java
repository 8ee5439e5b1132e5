package io.millau.server.internal.proxy;

import io.millau.core.Ticker;
import io.millau.server.internal.frontend.DateField;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.frontend.IoThread;
import io.undertow.server.HandlerWrapper;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.AttachmentKey;

/**
 * An application of the embedding program, which gets requests first and passes those on that it does not respond to. What it
 * responds to is reported like any other request. Safe for use by several threads.
 */
final class Application implements HttpHandler {

    private static final AttachmentKey<Request> KEY = AttachmentKey.create(Request.class);

    /** A request that the application has. */
    private static final class Request {
        private final Downstream downstream;
        private final Ticker clock;
        private final long began;
        private boolean passedOn;

        Request(Downstream downstream, Ticker clock) {
            this.downstream = downstream;
            this.clock = clock;
            this.began = clock.nanoTime();
        }
    }

    private final HttpHandler application;
    private final HttpHandler proxy;
    private final RequestTracker tracker;

    Application(HandlerWrapper wrapper, HttpHandler proxy, RequestTracker tracker) {
        this.application = wrapper.wrap(this::passOn);
        this.proxy = proxy;
        this.tracker = tracker;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        Request request = new Request(Downstream.of(exchange), tracker.clock());
        exchange.putAttachment(KEY, request);
        tracker.waits();
        IoThread.openToOtherThreads(exchange);
        exchange.addExchangeCompleteListener((ended, next) -> {
            try {
                ended(request);
            } finally {
                next.proceed();
            }
        });
        DateField date = tracker.date();
        exchange.addResponseCommitListener(response -> {
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
        if (!request.passedOn) {
            request.passedOn = true;
            tracker.waited();
        }
        proxy.handleRequest(exchange);
    }
}
