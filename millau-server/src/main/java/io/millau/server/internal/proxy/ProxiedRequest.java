package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.core.Endpoint;
import io.millau.core.Outcome;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.http.MalformedResponseException;
import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.upstream.UpstreamConnection;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A request that goes to a service: the loop over its attempts. For the request's I/O thread alone.
 *
 * <p>{@link #attempt} is the one way forward. There are four ways to fail: {@link #attemptFailed}, when an endpoint failed
 * before its response began, leads back to the next attempt or to a local reply; {@link #responseBroken}, when it failed later,
 * {@link #downstreamLost}, when the client went away, and {@link #internalError}, a bug of this proxy, end the request.
 */
final class ProxiedRequest extends Deadlines.Deadline
        implements RequestBody.Owner, ResponseBody.Owner, Downstream.Watcher {

    /** The longest idle time of a kept connection that may be used for a request that could not be retried. */
    private static final long RECENT_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** The pause before a request is tried again because an endpoint is starting. */
    private static final long START_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

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

    /** The endpoint of the attempt in progress; null when its outcome is known to be a failure. */
    private @Nullable Endpoint endpoint;

    private boolean needsNewConnection;
    private long attemptBegan;
    private @Nullable AttemptFailures failures;
    private @Nullable ContinueTimer continueTimer;

    ProxiedRequest(HttpServerExchange exchange, Delivery delivery, ProxyThread thread, ProxyHandler handler) {
        this.exchange = exchange;
        this.delivery = delivery;
        this.thread = thread;
        this.deadlines = thread.loop.deadlines;
        this.handler = handler;
        this.tracker = handler.tracker();
        this.downstream = Downstream.of(exchange);
        this.attemptBegan = deadlines.now();
        this.report = new RequestReport(downstream, tracker.ingress(), delivery, attemptBegan);
        this.upstream = new UpstreamExchange(this, downstream, report, thread);
    }

    void start() {
        tracker.began(report, downstream);
        RequestLog.began(downstream, report);
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
            replyWithFailure();
            return;
        }
        report.lastEndpoint = next;
        phase = Phase.CONNECTING;
        boolean retryable = delivery.repeatable();
        if (body == null && !exchange.isRequestComplete()) {
            int kept =
                    retryable || maySayNotProcessed(next) ? delivery.service().buffer() : 0;
            body = new RequestBody(exchange, thread.loop.buffers, this, kept);
            report.body = body;
        }
        boolean mayFail = retryable && (body == null || body.staysRepeatable());
        upstream.begin(next, needsNewConnection ? 0 : mayFail ? Long.MAX_VALUE : RECENT_NANOS);
    }

    /** Whether the endpoint can say, after a part of the body was sent, that it did not process the request. */
    private static boolean maySayNotProcessed(Endpoint endpoint) {
        return endpoint.scheme().equals(Endpoint.H2C);
    }

    /** The endpoint can't be reached: it may have moved. */
    void notConnected(IOException failure) {
        attemptFailed(Outcome.UNREACHABLE, failure);
        handler.endpointUnreachable();
    }

    /** The request is about to be sent. */
    void connected() {
        needsNewConnection = false;
        phase = Phase.AWAITING_RESPONSE;
        restartTimeout();
        if (body != null && continueTimer == null && downstream.waitsForContinue()) {
            continueTimer = new ContinueTimer(this);
            deadlines.set(continueTimer, ContinueTimer.nanos(delivery.service().timeout()));
        }
    }

    /** The request can't be sent to any endpoint. */
    void unfit(RequestHead.UnfitException reason) {
        tracker.badRequest(exchange, String.valueOf(reason.getMessage()));
        reply(StatusCodes.BAD_REQUEST, "Bad Request\n");
    }

    private void restartTimeout() {
        deadlines.set(this, delivery.service().timeout().toNanos());
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

    @Nullable
    RequestBody body() {
        return body;
    }

    /** What passes the response on; null until its head came. */
    @Nullable
    ResponseRelay relay() {
        return relay;
    }

    @Override
    public void bodyProgressed() {
        if (phase == Phase.AWAITING_RESPONSE) {
            restartTimeout();
        }
    }

    @Override
    public void bodyEnded() {
        downstream.watch(this);
    }

    @Override
    public void bodyBroken(IOException failure) {
        RequestLog.clientFailed(downstream, failure);
        downstreamLost();
    }

    @Override
    public void sendFailed(IOException failure) {
        upstream.sendFailed();
    }

    // ---- The response

    /** The head of the final response was read. */
    void relay(UpstreamConnection connection, PooledByteBuffer first) throws IOException {
        ResponseRelay relaying = newRelay();
        report.response = relaying.begin(connection, first);
        relay = relaying;
        responded(Phase.RELAYING);
        relaying.pass(first);
    }

    private ResponseRelay newRelay() {
        return new ResponseRelay(this, downstream, thread, delivery, cookie, handler.debugHeaders());
    }

    /** The head of a 101 was read. */
    void switchProtocols(UpstreamConnection connection, PooledByteBuffer first) throws MalformedResponseException {
        if (!upstream.wantsUpgrade() || thread.responseHead.upgrade() == null) {
            throw new MalformedResponseException("101 to a request that did not ask for it");
        }
        responded(Phase.TUNNEL);
        tracker.upgraded();
        relay = newRelay();
        relay.switchProtocols(connection, first);
    }

    /** The endpoint has responded: there will be no other attempt. */
    private void responded(Phase next) {
        cancelDeadlines();
        report.upstreamNanos = deadlines.now() - attemptBegan;
        report.delivered = true;
        delivery.report(Outcome.DELIVERED);
        if (delivery.broughtBack() && endpoint != null) {
            tracker.listener().endpointReturned(delivery.service(), endpoint);
        }
        phase = next;
        RequestLog.responded(downstream, report, thread.responseHead.status());
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
                openAgain();
            } else if (body != null && body.waitingForClient() && !downstream.waitsForContinue()) {
                tracker.badRequest(exchange, "its body did not go on in time");
                reply(StatusCodes.REQUEST_TIME_OUT, "Request Timeout\n");
            } else {
                long millis = delivery.service().timeout().toMillis();
                attemptFailed(Outcome.TIMED_OUT, new IOException("no response within " + millis + " ms"));
            }
        } catch (RuntimeException e) {
            internalError(e);
        }
    }

    /** The connection to the endpoint broke. */
    void upstreamBroken(IOException failure) {
        if (phase == Phase.AWAITING_RESPONSE) {
            attemptFailed(Outcome.BROKEN, failure);
        } else if (phase == Phase.RELAYING) {
            responseBroken(failure);
        }
    }

    /** The endpoint was removed, and the time of its drain is over. */
    void endpointRemoved() {
        try {
            if (relay != null && relay.closeTunnel()) {
                return;
            }
            if (phase == Phase.TUNNEL) {
                end();
                downstream.abort();
            } else {
                upstreamBroken(new IOException("it was removed longer ago than its drain"));
            }
        } catch (RuntimeException e) {
            internalError(e);
        }
    }

    /** The attempt failed before its response began: the next attempt follows, a pause, or a local reply. */
    void attemptFailed(Outcome outcome, IOException cause) {
        Endpoint failed = endpoint;
        if (failed == null) {
            return; // its outcome is known already
        }
        endpoint = null;
        deadlines.cancel(this);
        closeConnection();
        exchange.getResponseHeaders().clear();
        needsNewConnection = outcome == Outcome.STALE_CONNECTION;
        switch (failures().attemptFailed(failed, outcome, cause, body, deadlines.now())) {
            case RETRY -> {
                attemptBegan = deadlines.now();
                attempt();
            }
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

    /** Looks the request up again: by now there may be other endpoints, or other services. */
    private void openAgain() {
        Delivery now = handler.openAgain(exchange);
        if (now == null) {
            replyWithFailure();
            return;
        }
        now.continues(delivery);
        delivery.close();
        delivery = now;
        report.delivery = now;
        attemptBegan = deadlines.now();
        preferEndpoint();
        attempt();
    }

    @Override
    public void responseBroken(IOException failure) {
        Endpoint broken = endpoint;
        if (phase == Phase.OVER || broken == null) {
            return;
        }
        failures().responseBroken(broken, failure);
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

    /** A bug of this proxy: the request ends; it neither hangs nor leaks what it holds. */
    @Override
    public void internalError(Throwable error) {
        RequestLog.internalError(downstream, error);
        abandonAttempt();
        if (!report.delivered && !exchange.isResponseStarted()) {
            exchange.setStatusCode(StatusCodes.INTERNAL_SERVER_ERROR); // for listeners; the client gets no response
        }
        end();
        downstream.abort();
    }

    /** Leaves an attempt without an outcome: nothing is known of the endpoint, and another request may probe it. */
    private void abandonAttempt() {
        if (endpoint != null && !report.delivered) {
            delivery.report(Outcome.CLIENT_GONE);
            endpoint = null;
        }
    }

    // ---- The end

    private void replyWithFailure() {
        boolean running = delivery.running();
        long retryAfter = delivery.retryAfterSeconds();
        if (retryAfter > 0) {
            exchange.getResponseHeaders().put(Headers.RETRY_AFTER, retryAfter);
        }
        if (!running) {
            reply(502, "No running instance of " + delivery.service().name() + "\n");
        } else if (failures().lastTimedOut()) {
            reply(504, "No answer in time\n");
        } else {
            reply(502, "No instance could answer\n");
        }
        tracker.failed(report, delivery.service(), running ? failures().lastReason() : "nothing of it runs");
    }

    private void reply(int status, String text) {
        abandonAttempt();
        closeConnection();
        exchange.setStatusCode(status);
        if (status < 500) {
            exchange.setPersistent(false);
        }
        endConnectionIfBodyIsUncertain();
        phase = Phase.LOCAL_REPLY;
        cancelDeadlines();
        LocalReply.send(exchange, text, this::end);
    }

    /** A client that was not told to send its body may send it after the response, or its next request. */
    void endConnectionIfBodyIsUncertain() {
        if (body != null && !exchange.isRequestComplete() && downstream.waitsForContinue()) {
            exchange.setPersistent(false);
        }
    }

    void end() {
        if (phase == Phase.OVER) {
            return;
        }
        phase = Phase.OVER;
        report.end(deadlines.now());
        cancelDeadlines();
        closeConnection();
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
    }
}
