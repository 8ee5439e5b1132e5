package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.core.Endpoint;
import io.millau.core.Outcome;
import io.millau.core.Service;
import io.millau.core.TrafficListener.LocalReason;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.frontend.RejectedBodyException;
import io.millau.server.internal.frontend.Rejection;
import io.millau.server.internal.http.MalformedResponseException;
import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.io.OpenFiles;
import io.millau.server.internal.io.OutOfBuffersException;
import io.millau.server.internal.upstream.OverloadedException;
import io.millau.server.internal.upstream.UpstreamConnection;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A request that is forwarded to a service: the loop over its attempts. For the request's I/O thread alone.
 *
 * <p>{@link #attempt} begins each attempt. There are four kinds of failure. When an endpoint fails before its response began,
 * {@link #attemptFailed} begins the next attempt or sends a local reply. The other three end the request: {@link
 * #responseBroken}, when the endpoint fails later; {@link #downstreamLost}, when the client goes away; and {@link
 * #internalError}, a bug of this proxy.
 */
final class ProxiedRequest extends Deadlines.Deadline
        implements RequestBody.Owner, ResponseBody.Owner, Tunnel.Owner, Downstream.Watcher {

    /** The pause before a request is tried again because an endpoint is starting. */
    private static final long START_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private static final long MAX_SILENCE_NANOS = Silence.LONGEST.toNanos();

    private final HttpServerExchange exchange;
    private final Downstream downstream;
    private final ProxyThread thread;
    private final Deadlines deadlines;
    private final ProxyHandler handler;
    private final RequestTracker tracker;
    private final RequestReport report;
    private final UpstreamExchange upstream;

    private Delivery delivery;
    private Phase phase = Phase.CONNECTING;
    private @Nullable RequestBody body;
    private @Nullable StickyCookie cookie;
    private @Nullable ResponseRelay relay;
    private final @Nullable FilteredRequest filtered;
    private @Nullable ServiceFilters serviceFilters;

    /** The endpoint of the current attempt; null when the attempt has failed. */
    private @Nullable Endpoint endpoint;

    private boolean needsNewConnection;

    /** When the request began to wait for a place; only while it waits. */
    private long waitsSince;

    private @Nullable AttemptFailures failures;
    private @Nullable ContinueTimer continueTimer;
    private @Nullable Silence silence;

    /** Whether the deadline that is set is that of the client alone: the endpoint has more time. */
    private boolean deadlineOfClient;

    /** @param filtered null if the proxy has no filters */
    ProxiedRequest(
            Downstream downstream,
            @Nullable FilteredRequest filtered,
            Delivery delivery,
            ProxyThread thread,
            ProxyHandler handler) {
        this.exchange = downstream.exchange;
        this.filtered = filtered;
        this.delivery = delivery;
        this.thread = thread;
        this.deadlines = thread.loop.deadlines;
        this.handler = handler;
        this.tracker = handler.tracker();
        this.downstream = downstream;
        long began = filtered == null ? deadlines.now() : filtered.began;
        this.report = new RequestReport(downstream, tracker.ingress(), delivery, began);
        this.upstream = new UpstreamExchange(this, downstream, report, thread);
    }

    void start() {
        tracker.began(downstream);
        RequestLog.began(downstream, report);
        if (filtered != null) {
            report.filtered(deadlines.now());
        }
        try {
            downstream.watch(this);
            preferEndpoint();
            attempt();
        } catch (RuntimeException e) {
            internalError(e);
        }
    }

    private void preferEndpoint() {
        if (delivery.sticky()) {
            cookie = new StickyCookie(exchange);
            cookie.prefer(delivery);
        }
    }

    // ---- An attempt

    private void attempt() {
        Endpoint next = delivery.next();
        endpoint = next;
        if (next == null) {
            if (delivery.full()) {
                awaitPlace();
            } else {
                replyWithFailure();
            }
            return;
        }
        if (phase == Phase.WAITING) {
            deadlines.cancel(this);
        }
        Service service = delivery.service();
        if (serviceFilters == null && service.filters().isEmpty()) {
            begin(next);
        } else {
            phase = Phase.FILTERING;
            serviceFilters().run(service);
        }
    }

    private ServiceFilters serviceFilters() {
        if (serviceFilters == null) {
            FilteredRequest view = filtered == null
                    ? new FilteredRequest(downstream, thread, handler.filters(), report.began())
                    : filtered;
            serviceFilters = new ServiceFilters(this, view);
        }
        return serviceFilters;
    }

    /** Called when the filters of the service let the request pass. */
    void filtered() {
        Endpoint chosen = endpoint;
        if (phase != Phase.FILTERING || chosen == null) {
            return; // the client has left meanwhile
        }
        try {
            report.filtered(deadlines.now());
            begin(chosen);
        } catch (RuntimeException e) {
            internalError(e);
        }
    }

    /** Called when a filter of the service responded, or failed. */
    void reply(FilterReply reply) {
        if (phase != Phase.FILTERING) {
            return; // the client has left meanwhile
        }
        try {
            endAttempts(reply.reason());
            LocalReply.send(report, downstream, reply, handler.filters(), thread, this::end);
        } catch (RuntimeException e) {
            internalError(e);
        }
    }

    private void begin(Endpoint next) {
        boolean retryable = delivery.retryable();
        if (body == null && !exchange.isRequestComplete()) {
            int kept = retryable || canReportNotProcessed(next)
                    ? delivery.service().buffer()
                    : 0;
            body = new RequestBody(exchange, delivery.service(), thread.loop, this, kept);
            report.body = body;
        }
        Rejection rejection = body == null ? null : body.rejectedBy(delivery.service());
        if (rejection != null) {
            bodyRejected(rejection);
            return;
        }
        report.lastEndpoint = next;
        phase = Phase.CONNECTING;
        boolean retryableToTheEnd = retryable && (body == null || body.staysRetryable());
        upstream.begin(next, needsNewConnection, retryableToTheEnd);
    }

    /** All endpoints have as many requests in progress as allowed: waits until one has a place again. */
    private void awaitPlace() {
        boolean waited = phase == Phase.WAITING;
        if (!delivery.await(this::wake)) {
            replyTooMany("as many requests wait already");
            return;
        }
        if (!waited) {
            phase = Phase.WAITING;
            waitsSince = report.attemptBegan();
            deadlines.set(this, delivery.fullService().timeout().toNanos());
        }
    }

    /** Called by any thread. */
    private void wake() {
        try {
            thread.loop.execute(this::placeMayBeFree);
        } catch (RejectedExecutionException stopped) {
            // The proxy stops, and its connections end.
        }
    }

    /** Begins an attempt if it is this request's turn. Services may have changed meanwhile. */
    private void placeMayBeFree() {
        if (phase != Phase.WAITING || !delivery.isFirst()) {
            return;
        }
        try {
            Delivery now = routeAgain();
            if (now == null) {
                replyWithFailure();
                return;
            }
            if (!now.hasSameServices(delivery)) {
                now.resumes(delivery);
                replaceDelivery(now);
            }
            long began = deadlines.now();
            report.attemptBegins(began, began - waitsSince);
            attempt();
        } catch (RuntimeException e) {
            internalError(e);
        }
    }

    /** Whether the endpoint can report, after a part of the body was sent, that it did not process the request. */
    private static boolean canReportNotProcessed(Endpoint endpoint) {
        return endpoint.scheme().equals(Endpoint.H2C);
    }

    /** Called when no connection to the endpoint could be opened; it may have a new address. */
    void notConnected(IOException failure) {
        if (OpenFiles.areExhausted(failure) || failure instanceof OverloadedException) {
            replyOverloaded(failure);
            return;
        }
        attemptFailed(Outcome.UNREACHABLE, failure);
        handler.endpointUnreachable();
    }

    /** Called when the connection is open, before the request is sent. */
    void connected() {
        needsNewConnection = false;
        phase = Phase.AWAITING_RESPONSE;
        restartTimeout();
        if (body != null && continueTimer == null && downstream.waitsForContinue()) {
            continueTimer = new ContinueTimer(this);
            deadlines.set(continueTimer, ContinueTimer.nanos(delivery.service().timeout()));
        }
    }

    /** Called when the request's head can't be forwarded to any endpoint. */
    void cannotForward(RequestHead.UnfitException reason) {
        tracker.badRequest(downstream, String.valueOf(reason.getMessage()));
        reply(LocalReason.BAD_REQUEST, StatusCodes.BAD_REQUEST, "Bad Request\n");
    }

    private void restartTimeout() {
        long timeout = delivery.service().timeout().toNanos();
        deadlineOfClient = body != null && body.owed() && timeout > MAX_SILENCE_NANOS;
        deadlines.set(this, deadlineOfClient ? MAX_SILENCE_NANOS : timeout);
    }

    /** The client has waited long enough for {@code 100 Continue}. */
    void continueNow() {
        continueTimer = null; // where no endpoint is connected now, the next attempt starts it again
        if (phase == Phase.AWAITING_RESPONSE) {
            downstream.sendContinue();
            bodyProgressed(); // the client's time to send it begins now
        }
    }

    boolean awaitsResponse() {
        return phase == Phase.AWAITING_RESPONSE;
    }

    /** The endpoint of the current attempt; null when the attempt has failed. */
    @Nullable
    Endpoint endpoint() {
        return endpoint;
    }

    @Nullable
    RequestBody body() {
        return body;
    }

    /** The relay of the response; null until the response's head was read. */
    @Nullable
    ResponseRelay relay() {
        return relay;
    }

    @Override
    public void bodyProgressed() {
        if (phase == Phase.AWAITING_RESPONSE) {
            restartTimeout();
        } else if (phase == Phase.RELAYING) {
            responsePaused(true);
        }
    }

    @Override
    public void bodyEnded() {
        report.bodyEnded(deadlines.now());
        downstream.watch(this);
    }

    @Override
    public void bodyBroken(IOException failure) {
        if (failure instanceof RejectedBodyException rejected) {
            bodyRejected(rejected.rejection());
            return;
        }
        RequestLog.clientFailed(downstream, failure);
        downstreamLost();
    }

    private void bodyRejected(Rejection rejection) {
        tracker.badRequest(downstream, rejection.reason());
        if (phase == Phase.RELAYING) {
            downstreamLost();
        } else {
            reply(ProxyHandler.reason(rejection), rejection.status(), rejection.text());
        }
    }

    @Override
    public void sendFailed(IOException failure) {
        upstream.sendFailed();
    }

    // ---- The response

    /** Called when the head of the final response was read. */
    void relay(UpstreamConnection connection, PooledByteBuffer first) throws IOException {
        int status = thread.responseHead.status();
        if (delivery.isFailure(status) && retriesInPlaceOf(status, connection, first)) {
            return;
        }
        ResponseRelay relaying = newRelay();
        report.response = relaying.begin(connection, first);
        relay = relaying;
        responded(Phase.RELAYING);
        if (!relaying.pass(first)) {
            responseNotPassed();
        }
    }

    /** A filter failed when it was to change the head of the response: the client gets nothing of it. */
    private void responseNotPassed() {
        report.delivered = false;
        endpoint = null; // it has done its part
        if (relay != null) {
            relay.end();
            relay = null;
        }
        exchange.getResponseHeaders().clear();
        exchange.setReasonPhrase(null);
        downstream.resetChanges(null);
        reply(LocalReason.FILTER_FAILED, StatusCodes.INTERNAL_SERVER_ERROR, LocalReply.INTERNAL_ERROR);
    }

    /**
     * Begins another attempt in place of a response whose head was read, if the request may be retried.
     *
     * @param first the bytes that were read after the head; freed if the response is given up
     */
    private boolean retriesInPlaceOf(int status, UpstreamConnection connection, PooledByteBuffer first) {
        Endpoint responded = endpoint;
        if (responded == null || !failures().givesUp(responded, status, body, deadlines.now())) {
            return false;
        }
        endpoint = null;
        deadlines.cancel(this);
        boolean whole = ResponseRelay.isWhole(exchange, thread.responseHead, first.getBuffer());
        first.close();
        if (whole) {
            upstream.keep(connection);
        }
        closeConnection();
        retry();
        return true;
    }

    private void retry() {
        report.attemptBegins(deadlines.now(), 0);
        attempt();
    }

    private ResponseRelay newRelay() {
        return new ResponseRelay(this, downstream, thread, delivery, cookie, handler.debugHeaders(), handler.filters());
    }

    /** Called when the head of a 101 response was read. */
    void switchProtocols(UpstreamConnection connection, PooledByteBuffer first) throws MalformedResponseException {
        if (!upstream.wantsUpgrade() || thread.responseHead.upgrade() == null) {
            throw new MalformedResponseException("101 to a request that did not ask for it");
        }
        ResponseRelay upgrading = newRelay();
        if (!upgrading.prepareUpgrade()) {
            responded(Phase.RELAYING);
            responseNotPassed();
            return;
        }
        responded(Phase.TUNNEL);
        tracker.upgraded();
        relay = upgrading;
        upgrading.switchProtocols(connection, first);
    }

    /** Ends the attempts: the endpoint has responded. */
    private void responded(Phase next) {
        cancelDeadlines();
        int status = thread.responseHead.status();
        report.responded(status, deadlines.now());
        report.delivered = true;
        delivery.report(Outcome.DELIVERED);
        if (delivery.hasRestored() && endpoint != null) {
            tracker.listener().endpointReturned(delivery.service(), endpoint);
        }
        phase = next;
        RequestLog.responded(downstream, report, status);
    }

    void handOverConnection() {
        upstream.handOver();
    }

    @Override
    public void responseRead(boolean connectionIsClean) {
        if (relay != null) {
            relay.responseRead(connectionIsClean);
        }
        upstream.releaseIfDone();
    }

    @Override
    public void responsePaused(boolean moved) {
        Silence watched = silence;
        if (watched == null) {
            watched = new Silence(thread.loop.longDeadlines, this::silent);
            silence = watched;
        }
        watched.paused(moved);
    }

    /** Nothing has moved for long: ends the request if somebody does not do what it has to. */
    private void silent() {
        ResponseBody response = report.response;
        if (phase != Phase.RELAYING || response == null) {
            return;
        }
        try {
            if (response.waitsForClient()) {
                if (!response.clientTakesMore()) {
                    clientStalled("it took nothing of its response for " + Silence.LONGEST.toSeconds() + " s");
                }
            } else if (body != null && body.waitingForClient() && body.owed()) {
                clientStalled("nothing of its body arrived for " + Silence.LONGEST.toSeconds() + " s");
            } else if (response.owed()) {
                responseBroken(
                        Outcome.TIMED_OUT,
                        new IOException("nothing arrived for " + Silence.LONGEST.toSeconds() + " s"));
            }
        } catch (RuntimeException e) {
            internalError(e);
        }
    }

    private void clientStalled(String reason) {
        clientBlamed(reason);
        downstreamLost();
    }

    /** The client keeps its connection, but not to what it has to do. */
    private void clientBlamed(String reason) {
        tracker.badRequest(downstream, reason);
        report.localReason = LocalReason.CLIENT_STALLED;
    }

    @Override
    public void tunnelStalled() {
        clientBlamed("it took nothing of its upgraded connection for " + Silence.LONGEST.toSeconds() + " s");
    }

    @Override
    public void responsePassedOn() {
        end();
        if (relay != null) {
            relay.endExchange();
        }
    }

    // ---- Failures

    @Override
    public void passed() {
        try {
            if (phase == Phase.PAUSED) {
                reopen();
            } else if (phase == Phase.WAITING) {
                replyTooMany("no place became free in "
                        + delivery.fullService().timeout().toMillis() + " ms");
            } else if (body != null && body.waitingForClient() && !downstream.waitsForContinue()) {
                tracker.badRequest(downstream, "the rest of its body did not arrive in time");
                reply(LocalReason.REQUEST_TIMEOUT, StatusCodes.REQUEST_TIME_OUT, "Request Timeout\n");
            } else if (deadlineOfClient) {
                deadlineOfClient = false;
                deadlines.set(this, delivery.service().timeout().toNanos() - MAX_SILENCE_NANOS);
            } else {
                long millis = delivery.service().timeout().toMillis();
                attemptFailed(Outcome.TIMED_OUT, new IOException("no response within " + millis + " ms"));
            }
        } catch (RuntimeException e) {
            internalError(e);
        }
    }

    /** Called when the connection to the endpoint broke. */
    void upstreamBroken(IOException failure) {
        if (phase == Phase.AWAITING_RESPONSE) {
            attemptFailed(Outcome.BROKEN, failure);
        } else if (phase == Phase.RELAYING) {
            responseBroken(failure);
        }
    }

    /** Called when the endpoint was removed and its drain time is over. */
    void endpointRemoved() {
        try {
            if (relay != null && relay.closeTunnel()) {
                return;
            }
            if (phase == Phase.TUNNEL) {
                end();
                downstream.abort();
            } else {
                upstreamBroken(new IOException("endpoint removed, and its drain time is over"));
            }
        } catch (RuntimeException e) {
            internalError(e);
        }
    }

    /** Ends an attempt that failed before its response began. Begins the next attempt or a pause, or sends a local reply. */
    void attemptFailed(Outcome outcome, IOException cause) {
        Endpoint failed = endpoint;
        if (failed == null) {
            return; // the failure was handled already
        }
        endpoint = null;
        deadlines.cancel(this);
        closeConnection();
        exchange.getResponseHeaders().clear();
        needsNewConnection = outcome == Outcome.STALE_CONNECTION;
        switch (failures().attemptFailed(failed, outcome, cause, body, deadlines.now())) {
            case RETRY -> retry();
            case PAUSE -> {
                phase = Phase.PAUSED;
                deadlines.set(this, START_PAUSE_NANOS);
            }
            case GIVE_UP -> replyWithFailure();
        }
    }

    private AttemptFailures failures() {
        AttemptFailures known = failures;
        if (known == null) {
            known = new AttemptFailures(tracker, report, downstream);
            failures = known;
        }
        return known;
    }

    /** Routes the request again after a pause, since services and endpoints may have changed, and begins the next attempt. */
    private void reopen() {
        Delivery now = routeAgain();
        if (now == null) {
            replyWithFailure();
            return;
        }
        now.continues(delivery);
        report.attemptBegins(deadlines.now(), 0);
        replaceDelivery(now);
        attempt();
    }

    private @Nullable Delivery routeAgain() {
        if (serviceFilters != null) {
            serviceFilters.forgetService();
        }
        return handler.reopen(downstream);
    }

    private void replaceDelivery(Delivery now) {
        delivery.close();
        delivery = now;
        report.delivery = now;
        preferEndpoint();
    }

    @Override
    public void responseBroken(IOException failure) {
        responseBroken(Outcome.BROKEN, failure);
    }

    private void responseBroken(Outcome outcome, IOException failure) {
        Endpoint broken = endpoint;
        if (phase == Phase.OVER || broken == null) {
            return;
        }
        failures().responseBroken(broken, outcome, failure, deadlines.now());
        end();
        downstream.abort();
    }

    @Override
    public void downstreamFailed(IOException failure) {
        RequestLog.clientFailed(downstream, failure);
        downstreamLost();
    }

    @Override
    public void downstreamLost() {
        if (phase == Phase.OVER || phase == Phase.TUNNEL) {
            return;
        }
        report.clientGone = true;
        abandonAttempt();
        end();
        downstream.abort();
    }

    /** Ends the request after a bug of this proxy, so that it neither hangs nor leaks connections or buffers. */
    @Override
    public void internalError(Throwable error) {
        boolean unanswered = !report.delivered && !exchange.isResponseStarted() && phase != Phase.OVER;
        if (error instanceof OutOfBuffersException && unanswered && phase != Phase.LOCAL_REPLY) {
            replyOverloaded(error);
            return;
        }
        RequestLog.internalError(downstream, error);
        abandonAttempt();
        if (!report.delivered && !exchange.isResponseStarted()) {
            exchange.setStatusCode(
                    StatusCodes.INTERNAL_SERVER_ERROR); // for traffic listeners; the client gets no response
        }
        end();
        downstream.abort();
    }

    /** Ends an attempt that says nothing about its endpoint; if it was to probe the endpoint, another request may do so. */
    private void abandonAttempt() {
        if (endpoint != null && !report.delivered) {
            if (endpoint == report.lastEndpoint) {
                delivery.report(Outcome.CLIENT_GONE);
            } else {
                delivery.withdraw();
            }
            endpoint = null;
        }
    }

    // ---- The end

    private void replyWithFailure() {
        reply(delivery.service(), FailureReply.of(delivery, failures()));
    }

    private void replyTooMany(String reason) {
        Service full = delivery.fullService();
        reply(full, FailureReply.tooMany(full, reason));
    }

    private void replyOverloaded(Throwable failure) {
        reply(delivery.service(), FailureReply.overloaded(failure));
    }

    private void reply(Service service, FailureReply failure) {
        if (failure.retryAfterSeconds() > 0) {
            exchange.getResponseHeaders().put(Headers.RETRY_AFTER, failure.retryAfterSeconds());
        }
        reply(failure.reason(), failure.status(), failure.text());
        tracker.failed(report, service, failure.cause());
    }

    private void reply(LocalReason reason, int status, String text) {
        exchange.setStatusCode(status);
        if (status < 500) {
            exchange.setPersistent(false);
        }
        endAttempts(reason);
        LocalReply.send(report, downstream, text, handler.filters(), thread, this::end);
    }

    /** Ends what goes on with endpoints, before a local reply. */
    private void endAttempts(LocalReason reason) {
        report.localReason = reason;
        abandonAttempt();
        closeConnection();
        delivery.stopWaiting();
        phase = Phase.LOCAL_REPLY;
        cancelDeadlines();
    }

    @Override
    public void end() {
        if (phase == Phase.OVER) {
            return;
        }
        phase = Phase.OVER;
        report.end(deadlines.now());
        cancelDeadlines();
        closeConnection();
        if (body != null) {
            body.forget();
        }
        if (relay != null) {
            relay.end();
        }
        delivery.close();
        RequestLog.ended(downstream, report);
        tracker.ended(report, downstream);
    }

    private void closeConnection() {
        if (body != null) {
            body.detach();
        }
        upstream.close();
    }

    private void cancelDeadlines() {
        deadlines.cancel(this);
        if (continueTimer != null) {
            deadlines.cancel(continueTimer);
        }
        if (silence != null) {
            silence.end();
        }
    }
}
