package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.core.Endpoint;
import io.millau.core.Outcome;
import io.millau.core.Route;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.internal.LogText;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.http.HopByHop;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.MalformedResponseException;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.upstream.StreamException;
import io.millau.server.internal.upstream.UpstreamConnection;
import io.millau.server.internal.upstream.UpstreamPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.StreamConnection;
import org.xnio.channels.StreamSinkChannel;

/**
 * One request on its way: the loop over its attempts, from the client's head to the end of the answer. For its I/O thread
 * alone.
 *
 * <p>There is one way on: {@link #attempt}. Whatever goes wrong with an endpoint ends in {@link #attemptFailed}, which leads
 * back there or to the answer that tells the client; whatever goes wrong with the client ends in {@link #clientLost}.
 */
final class ProxiedRequest extends Deadlines.Deadline
        implements UpstreamConnection.User,
                UpstreamPool.ConnectListener,
                RequestBody.Owner,
                ResponseBody.Owner,
                Downstream.Watcher,
                TrafficListener.Ended {

    private static final Logger LOG = LoggerFactory.getLogger(ProxiedRequest.class);

    /** How long a connection that is not to break may have been idle, where the request could not be repeated. */
    private static final long RECENT_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** How long a client waits at most to be told to send its body. */
    private static final long CONTINUE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** How soon a request is tried again that nobody took because an endpoint still starts. */
    private static final long START_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    private enum Phase {
        CONNECTING,
        HELD,
        WAITING,
        ANSWERING,
        TUNNEL,
        REFUSING,
        OVER
    }

    private final HttpServerExchange exchange;
    private Delivery delivery;
    private final ProxyThread thread;
    private final Deadlines deadlines;
    private final ProxyHandler handler;
    private final TrafficListener.Ingress ingress;
    private final Downstream client;
    private final long began;
    private final @Nullable String upgrade;

    private Phase phase = Phase.CONNECTING;
    private @Nullable RequestBody body;
    private boolean fresh;
    private UpstreamPool.@Nullable Connecting connecting;
    private @Nullable UpstreamConnection connection;
    private @Nullable Endpoint endpoint;
    private @Nullable Endpoint lastEndpoint;
    private long attemptBegan;
    private long upstreamNanos;
    private long nanos;
    private Outcome lastOutcome = Outcome.UNREACHABLE;
    private String lastReason = "";

    private @Nullable ByteBuffer unsentHead;
    private @Nullable PooledByteBuffer partialHead;
    private @Nullable ResponseBody answer;
    private @Nullable Tunnel tunnel;
    private @Nullable StickyCookie cookie;
    private boolean wroteBare;
    private boolean delivered;
    private boolean clientLeft;
    private boolean connectionCanServeAgain;
    private Deadlines.@Nullable Deadline continueDeadline;

    ProxiedRequest(HttpServerExchange exchange, Delivery delivery, ProxyThread thread, ProxyHandler handler) {
        this.exchange = exchange;
        this.delivery = delivery;
        this.thread = thread;
        this.deadlines = thread.loop.deadlines;
        this.handler = handler;
        this.ingress = handler.ingress();
        this.client = Downstream.of(exchange);
        this.began = deadlines.now();
        this.attemptBegan = began;
        this.upgrade = upgradeOf(exchange);
    }

    /** WebSocket and its like; not h2c, which the front speaks itself, and never beside a body. */
    private static @Nullable String upgradeOf(HttpServerExchange exchange) {
        String upgrade = exchange.getRequestHeaders().getFirst(Headers.UPGRADE);
        boolean wanted = upgrade != null
                && Http1.isHttp11(exchange)
                && exchange.isRequestComplete()
                && HopByHop.hasToken(exchange.getRequestHeaders().getFirst(Headers.CONNECTION), "upgrade")
                && !HopByHop.hasToken(upgrade, "h2c")
                && !HopByHop.hasToken(upgrade, "h2");
        return wanted ? upgrade : null;
    }

    void start() {
        handler.began(this, client);
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "Began request={} client={} method={} host={} path={} route={}",
                    client.id(),
                    client.address(),
                    method(),
                    LogText.value(client.host()),
                    LogText.value(client.path()),
                    LogText.value(delivery.route().host() + delivery.route().path()));
        }
        try {
            client.watch(this);
            preferEndpoint();
            attempt();
        } catch (RuntimeException e) {
            ourFault(e);
        }
    }

    /** Whatever went wrong, the request ends: it neither hangs nor leaks what it holds. */
    private void ourFault(Throwable fault) {
        LOG.error("Failed through a fault of ours request={}", client.id(), fault);
        abandonAttempt();
        if (!delivered && !exchange.isResponseStarted()) {
            exchange.setStatusCode(StatusCodes.INTERNAL_SERVER_ERROR); // for who is told; the client gets none
        }
        end();
        client.abort();
    }

    /** Leaves an attempt without an outcome: nothing is known of the endpoint, and another request may probe it. */
    private void abandonAttempt() {
        if (endpoint != null && !delivered) {
            delivery.report(Outcome.CLIENT_GONE);
            endpoint = null;
        }
    }

    private void preferEndpoint() {
        if (delivery.sticky()) {
            cookie = new StickyCookie(exchange);
            cookie.prefer(delivery);
        }
    }

    private void addCookie() {
        if (cookie != null) {
            cookie.set(delivery);
        }
    }

    private void attempt() {
        Endpoint next = delivery.next();
        endpoint = next;
        if (next == null) {
            answerFailure();
            return;
        }
        lastEndpoint = next;
        phase = Phase.CONNECTING;
        boolean repeatable = delivery.repeatable();
        if (body == null && !exchange.isRequestComplete()) {
            body = new RequestBody(
                    exchange,
                    thread.loop.buffers,
                    this,
                    repeatable || mayRefuse(next) ? delivery.service().buffer() : 0);
        }
        boolean mayFail = repeatable && (body == null || body.staysRepeatable());
        UpstreamConnection idle = fresh ? null : thread.upstream.idle(next, mayFail ? Long.MAX_VALUE : RECENT_NANOS);
        fresh = false;
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "Attempt request={} number={} service={} endpoint={} connection={}",
                    client.id(),
                    delivery.attempts(),
                    LogText.value(delivery.service().name()),
                    next,
                    idle == null ? "new" : "kept");
        }
        if (idle != null) {
            connected(idle);
        } else {
            connecting = thread.upstream.connect(next, this);
        }
    }

    /** Whether it may say, when the body is on its way already, that it did not begin the request. */
    private static boolean mayRefuse(Endpoint endpoint) {
        return endpoint.scheme().equals(Endpoint.H2C);
    }

    // The connection

    @Override
    public void notConnected(IOException failure) {
        connecting = null;
        try {
            attemptFailed(Outcome.UNREACHABLE, failure);
        } catch (RuntimeException e) {
            ourFault(e);
        }
        handler.moved();
    }

    @Override
    public void connected(UpstreamConnection connection) {
        connecting = null;
        this.connection = connection;
        connection.use(this);
        phase = Phase.WAITING;
        deadlines.set(this, delivery.service().timeout().toNanos());
        try {
            send(connection);
        } catch (RequestHead.UnfitException e) {
            handler.refused(exchange, String.valueOf(e.getMessage()));
            refuse(400, "Bad Request\n");
        } catch (RuntimeException e) {
            ourFault(e);
        }
    }

    private void send(UpstreamConnection connection) throws RequestHead.UnfitException {
        thread.requestHead.write(client, body != null && body.chunked(), upgrade);
        if (body != null) {
            expectContinue();
            body.send(thread.requestHead, connection);
        } else {
            sendHead(connection);
        }
    }

    private void sendHead(UpstreamConnection connection) {
        ByteBuffer head = thread.headBuffer.clear();
        head.put(thread.requestHead.bytes(), 0, thread.requestHead.length()).flip();
        try {
            connection.sink.write(head);
        } catch (IOException e) {
            sendFailed(e);
            return;
        }
        if (head.hasRemaining()) {
            unsentHead = ByteBuffer.allocate(head.remaining()).put(head).flip();
            connection.sink.resumeWrites();
        }
    }

    @Override
    public void upstreamWritable() throws IOException {
        if (body != null) {
            body.pump();
            if (body.sent()) {
                releaseIfDone();
            }
        } else if (unsentHead != null && connection != null) {
            connection.sink.write(unsentHead);
            if (!unsentHead.hasRemaining()) {
                unsentHead = null;
                connection.sink.suspendWrites();
            }
        }
    }

    /** An endpoint may answer and close before it took all of a request: what it said counts. */
    @Override
    public void sendFailed(IOException failure) {
        if (phase != Phase.WAITING) {
            return;
        }
        try {
            upstreamReadable();
        } catch (IOException | RuntimeException e) {
            upstreamFailed(e);
        }
    }

    @Override
    public void bodyProgressed() {
        if (phase == Phase.WAITING) {
            deadlines.set(this, delivery.service().timeout().toNanos());
        }
    }

    @Override
    public void bodyEnded() {
        client.watch(this);
    }

    @Override
    public void failed(RuntimeException fault) {
        ourFault(fault);
    }

    @Override
    public void bodyBroken(IOException failure) {
        LOG.debug("Client broke off request={} reason={}", LogText.later(client::id), LogText.later(failure::toString));
        clientLost();
    }

    /** Passes the client's wish to be told first on to the endpoint, but not for ever. */
    private void expectContinue() {
        if (continueDeadline == null && client.waitsForContinue()) {
            continueDeadline = new Deadlines.Deadline() {
                @Override
                public void passed() {
                    continueDeadline = null; // where no endpoint is connected now, the next one sets it again
                    if (phase == Phase.WAITING) {
                        client.sendContinue();
                        bodyProgressed(); // the client's time to send it begins now
                    }
                }
            };
            deadlines.set(
                    continueDeadline,
                    Math.min(CONTINUE_NANOS, delivery.service().timeout().toNanos() / 2));
        }
    }

    // The answer's head

    @Override
    public void upstreamReadable() throws IOException {
        if (phase == Phase.ANSWERING && answer != null) {
            answer.readable();
        } else if (phase == Phase.WAITING && connection != null) {
            readHead(connection);
        }
    }

    private void readHead(UpstreamConnection connection) throws IOException {
        boolean first = partialHead == null;
        PooledByteBuffer pooled = partialHead == null ? thread.loop.buffers.allocate() : partialHead;
        partialHead = pooled;
        ByteBuffer buffer = pooled.getBuffer();
        int count;
        try {
            count = connection.source.read(buffer);
        } catch (StreamException e) {
            attemptFailed(e.outcome(), e);
            return;
        } catch (IOException e) {
            attemptFailed(first && connection.reused() ? Outcome.STALE_CONNECTION : Outcome.BROKEN, e);
            return;
        }
        if (count <= 0 && first) {
            freePartialHead();
        }
        if (count < 0) {
            attemptFailed(
                    first && connection.reused() ? Outcome.STALE_CONNECTION : Outcome.BROKEN,
                    new IOException("connection closed before the answer"));
        } else if (count > 0) {
            buffer.flip();
            interpret(connection, pooled);
        }
    }

    private void interpret(UpstreamConnection connection, PooledByteBuffer pooled) throws IOException {
        ByteBuffer buffer = pooled.getBuffer();
        ResponseHead head = thread.answerHead;
        while (head.read(buffer)) {
            if (head.status() == 101) {
                switchProtocols(connection, pooled);
                return;
            }
            if (head.status() >= 200) {
                passOn(connection, pooled);
                return;
            }
            HeaderMap headers = new HeaderMap();
            head.copyTo(headers);
            client.sendInterim(head.status(), head.reason(), headers);
        }
        buffer.compact();
    }

    private void passOn(UpstreamConnection connection, PooledByteBuffer pooled) throws IOException {
        ResponseHead head = thread.answerHead;
        boolean hasBody =
                !exchange.getRequestMethod().equals(Methods.HEAD) && head.status() != 204 && head.status() != 304;
        partialHead = null; // from here on the answer's body frees it
        connectionCanServeAgain = head.keepAlive();
        boolean addsCookie = cookie != null && cookie.isNews(delivery);
        Duration hsts = hsts();
        StreamSinkChannel bare = !addsCookie && hsts == null && canLeaveAsItIs(head) ? client.bare() : null;
        if (bare == null) {
            head.copyTo(exchange.getResponseHeaders()); // before the body's trailers take its place
        }
        addCookie();
        if (hsts != null) {
            exchange.getResponseHeaders().put(Headers.STRICT_TRANSPORT_SECURITY, "max-age=" + hsts.toSeconds());
        }
        ResponseBody passing = new ResponseBody(connection, thread, this, hasBody ? head.length() : 0, pooled);
        answer = passing;
        answered();
        exchange.setStatusCode(head.status());
        if (bare != null) {
            wroteBare = true;
            passing.startBare(bare, head.putBefore(pooled.getBuffer()));
            return;
        }
        if (head.reason() != null) {
            exchange.setReasonPhrase(head.reason());
        }
        if (exchange.isHttp10() && exchange.isPersistent()) {
            exchange.getResponseHeaders().put(Headers.CONNECTION, "keep-alive");
        }
        if (passing.decoder() != null
                && Http1.wantsTrailers(exchange.getRequestHeaders().get(Headers.TE))) {
            HeaderMap trailers = passing.decoder().trailers();
            exchange.putAttachment(HttpAttachments.RESPONSE_TRAILER_SUPPLIER, () -> trailers);
        }
        endConnectionIfBodyIsUncertain();
        passing.start(exchange.getResponseChannel());
    }

    /** How long the client is told to come over HTTPS alone; over plain HTTP nobody may say so (RFC 6797, 7.2). */
    private @Nullable Duration hsts() {
        Duration hsts = delivery.service().hsts();
        return hsts != null && exchange.getRequestScheme().equals("https") ? hsts : null;
    }

    /** Undertow takes the length from an answer that may have no body, and frames one that doesn't say it. */
    private static boolean canLeaveAsItIs(ResponseHead head) {
        return head.length() >= 0
                && head.isWhole()
                && head.status() != StatusCodes.NO_CONTENT
                && head.status() != StatusCodes.NOT_MODIFIED
                && !LOG.isDebugEnabled();
    }

    /** The endpoint has answered: there will be no other attempt. */
    private void answered() {
        cancelDeadlines();
        upstreamNanos = deadlines.now() - attemptBegan;
        delivery.report(Outcome.DELIVERED);
        if (delivery.broughtBack() && endpoint != null) {
            handler.returned(delivery.service(), endpoint);
        }
        delivered = true;
        phase = Phase.ANSWERING;
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "Answered request={} status={} endpoint={} millis={}",
                    client.id(),
                    thread.answerHead.status(),
                    endpoint,
                    TimeUnit.NANOSECONDS.toMillis(upstreamNanos));
            handler.addDebugHeaders(exchange.getResponseHeaders(), delivery.service(), client.id());
        }
    }

    // The answer's body

    @Override
    public void answerRead(boolean connectionIsClean) {
        connectionCanServeAgain &= connectionIsClean;
        releaseIfDone();
    }

    /** Gives the connection back as soon as both directions are through, however slowly the client reads. */
    private void releaseIfDone() {
        UpstreamConnection used = connection;
        if (used == null || answer == null || !answer.read()) {
            return;
        }
        if (body != null && !body.sent()) {
            used.source.suspendReads(); // nobody reads any more, and its end would be reported over and over
            return;
        }
        connection = null;
        if (connectionCanServeAgain && unsentHead == null) {
            used.release();
        } else {
            used.close();
        }
    }

    @Override
    public void answerPassedOn() {
        end();
        if (wroteBare) {
            Connectors.terminateResponse(exchange);
        } else {
            exchange.endExchange();
        }
    }

    @Override
    public void answerBroken(IOException failure) {
        Endpoint broken = endpoint;
        if (phase == Phase.OVER || broken == null) {
            return;
        }
        report(Outcome.BROKEN, broken, failure);
        delivered = false;
        handler.listener().attemptFailed(delivery.service(), broken, Outcome.BROKEN, false);
        handler.failed(this, delivery.service(), "the answer broke off: " + failure.getMessage());
        end();
        client.abort();
    }

    @Override
    public void clientFailed(IOException failure) {
        LOG.debug(
                "Client can't be written to request={} reason={}",
                LogText.later(client::id),
                LogText.later(failure::toString));
        clientLost();
    }

    // Upgrades

    private void switchProtocols(UpstreamConnection connection, PooledByteBuffer pooled) throws IOException {
        ResponseHead head = thread.answerHead;
        if (upgrade == null || head.upgrade() == null) {
            throw new MalformedResponseException("101 to a request that did not ask for it");
        }
        answered();
        phase = Phase.TUNNEL;
        head.copyTo(exchange.getResponseHeaders());
        exchange.getResponseHeaders().put(Headers.UPGRADE, head.upgrade());
        addCookie();
        client.unwatch();
        handler.upgraded();
        // Until the client has the 101 nobody reads from the endpoint, and a client that leaves before gets no tunnel.
        connection.source.suspendReads();
        exchange.getConnection().addCloseListener(closed -> end());
        exchange.upgradeChannel((channel, upgraded) -> tunnel(channel, connection, pooled));
        exchange.endExchange();
    }

    private void tunnel(StreamConnection channel, UpstreamConnection to, PooledByteBuffer first) {
        partialHead = null; // from here on the tunnel frees it
        connection = null;
        tunnel = new Tunnel(channel, to, thread.loop.buffers, first, this::end);
        tunnel.start();
    }

    // Ends

    @Override
    public void upstreamFailed(Throwable failure) {
        if (!(failure instanceof IOException broken)) {
            ourFault(failure);
        } else if (phase == Phase.WAITING) {
            attemptFailed(Outcome.BROKEN, broken);
        } else if (phase == Phase.ANSWERING) {
            answerBroken(broken);
        }
    }

    @Override
    public void endpointRemoved() {
        try {
            if (tunnel != null) {
                tunnel.close();
            } else if (phase == Phase.TUNNEL) {
                end();
                client.abort();
            } else {
                upstreamFailed(new IOException("it was removed longer ago than its drain"));
            }
        } catch (RuntimeException e) {
            ourFault(e);
        }
    }

    @Override
    public void passed() {
        try {
            if (phase == Phase.HELD) {
                openAnew();
            } else if (body != null && body.waitingForClient() && !client.waitsForContinue()) {
                handler.refused(exchange, "its body did not go on in time");
                refuse(408, "Request Timeout\n");
            } else {
                long millis = delivery.service().timeout().toMillis();
                attemptFailed(Outcome.TIMED_OUT, new IOException("no answer within " + millis + " ms"));
            }
        } catch (RuntimeException e) {
            ourFault(e);
        }
    }

    private void attemptFailed(Outcome outcome, Throwable cause) {
        Endpoint failed = endpoint;
        if (failed == null) {
            return; // it had its outcome
        }
        endpoint = null;
        deadlines.cancel(this);
        closeConnection();
        unsentHead = null;
        exchange.getResponseHeaders().clear();
        lastOutcome = outcome;
        fresh = outcome
                == Outcome.STALE_CONNECTION; // one that refused may take it over the same connection a moment later
        boolean mayRepeat = report(outcome, failed, cause);
        boolean bodyIsKept = body == null || body.repeatable();
        boolean again = mayRepeat && bodyIsKept;
        boolean held = !mayRepeat && bodyIsKept && delivery.worthWaiting() && isInTime();
        logFailure(failed, outcome, cause, again || held);
        if (mayRepeat && !again) {
            LOG.debug(
                    "Not repeated request={} reason=\"its body is larger than millau.buffer\" buffer={}",
                    LogText.later(client::id),
                    delivery.service().buffer());
        }
        handler.listener().attemptFailed(delivery.service(), failed, outcome, again || held);
        if (again) {
            attemptBegan = deadlines.now();
            attempt();
        } else if (held) {
            phase = Phase.HELD;
            deadlines.set(this, START_PAUSE_NANOS);
        } else {
            answerFailure();
        }
    }

    /** Whether the request may be repeated. */
    private boolean report(Outcome outcome, Endpoint failed, Throwable cause) {
        String reason = String.valueOf(cause.getMessage());
        lastReason = reason;
        boolean mayRepeat = delivery.report(outcome, reason);
        if (delivery.tookOut()) {
            handler.listener().endpointEjected(delivery.service(), failed, reason);
        }
        if (delivery.isOutOfRepeats()) {
            LOG.debug("Not repeated request={} reason=\"its service had its repeats\"", LogText.later(client::id));
            handler.listener().repeatsExhausted(delivery.service());
        }
        return mayRepeat;
    }

    private void logFailure(Endpoint failed, Outcome outcome, Throwable cause, boolean again) {
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "Attempt failed request={} service={} endpoint={} outcome={} reason={} repeated={}",
                    client.id(),
                    LogText.value(delivery.service().name()),
                    failed,
                    outcome,
                    LogText.value(cause.getMessage()),
                    again);
        }
    }

    /** Whether the client has not yet waited for as long as its service may take. */
    private boolean isInTime() {
        return deadlines.now() - began < delivery.service().timeout().toNanos();
    }

    /** By now other endpoints, or other services, may be there. */
    private void openAnew() {
        Delivery now = handler.openAnew(exchange);
        if (now == null) {
            answerFailure();
            return;
        }
        now.continues(delivery);
        delivery.close();
        delivery = now;
        attemptBegan = deadlines.now();
        preferEndpoint();
        attempt();
    }

    private void answerFailure() {
        boolean running = delivery.running();
        long retryAfter = delivery.retryAfterSeconds();
        if (retryAfter > 0) {
            exchange.getResponseHeaders().put(Headers.RETRY_AFTER, retryAfter);
        }
        if (!running) {
            refuse(502, "No running instance of " + delivery.service().name() + "\n");
        } else if (lastOutcome == Outcome.TIMED_OUT) {
            refuse(504, "No answer in time\n");
        } else {
            refuse(502, "No instance could answer\n");
        }
        handler.failed(this, delivery.service(), running ? lastReason : "nothing of it runs");
    }

    private void refuse(int status, String text) {
        abandonAttempt();
        closeConnection();
        exchange.setStatusCode(status);
        if (status < 500) {
            exchange.setPersistent(false);
        }
        endConnectionIfBodyIsUncertain();
        phase = Phase.REFUSING;
        cancelDeadlines();
        handler.answer(exchange, text, this::end);
    }

    /** A client that was not told to send its body may send it after the answer all the same, or its next request. */
    private void endConnectionIfBodyIsUncertain() {
        if (body != null && !exchange.isRequestComplete() && client.waitsForContinue()) {
            exchange.setPersistent(false);
        }
    }

    @Override
    public void clientLost() {
        if (phase == Phase.OVER || phase == Phase.TUNNEL) {
            return;
        }
        clientLeft = true;
        abandonAttempt();
        end();
        client.abort();
    }

    private void end() {
        if (phase == Phase.OVER) {
            return;
        }
        phase = Phase.OVER;
        nanos = deadlines.now() - began;
        cancelDeadlines();
        closeConnection();
        if (answer != null) {
            answer.end();
        }
        delivery.close();
        if (LOG.isDebugEnabled()) {
            LOG.debug(
                    "Ended request={} status={} delivered={} attempts={} millis={}",
                    client.id(),
                    status(),
                    delivered,
                    attempts(),
                    TimeUnit.NANOSECONDS.toMillis(nanos));
        }
        handler.ended(this, client);
    }

    private void closeConnection() {
        if (connecting != null) {
            connecting.cancel();
            connecting = null;
        }
        if (body != null) {
            body.detach();
        }
        freePartialHead();
        if (connection != null) {
            connection.close();
            connection = null;
        }
    }

    private void freePartialHead() {
        if (partialHead != null) {
            partialHead.close();
            partialHead = null;
        }
    }

    private void cancelDeadlines() {
        deadlines.cancel(this);
        if (continueDeadline != null) {
            deadlines.cancel(continueDeadline);
        }
    }

    // What the traffic listener is told

    @Override
    public TrafficListener.Ingress ingress() {
        return ingress;
    }

    @Override
    public String method() {
        return exchange.getRequestMethod().toString();
    }

    @Override
    public Service service() {
        return delivery.service();
    }

    @Override
    public TrafficListener.Request request() {
        return client;
    }

    @Override
    public Route route() {
        return delivery.route();
    }

    @Override
    public @Nullable Endpoint endpoint() {
        return lastEndpoint;
    }

    @Override
    public int attempts() {
        return delivery.attempts();
    }

    @Override
    public long upstreamNanos() {
        return upstreamNanos;
    }

    @Override
    public boolean delivered() {
        return delivered;
    }

    @Override
    public boolean clientGone() {
        return clientLeft;
    }

    @Override
    public int status() {
        return exchange.getStatusCode();
    }

    @Override
    public long requestBytes() {
        return body == null ? 0 : body.bytes();
    }

    @Override
    public long responseBytes() {
        return answer == null ? 0 : answer.bytes();
    }

    @Override
    public long nanos() {
        return nanos;
    }
}
