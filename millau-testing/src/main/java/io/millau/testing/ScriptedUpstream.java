package io.millau.testing;

import io.millau.core.Endpoint;
import io.millau.testing.Answers.Answer;
import io.millau.testing.Answers.Response;
import io.millau.testing.internal.Http2Conversation;
import io.millau.testing.internal.Http2Fault;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * An endpoint of a service, on a real socket, which does what a test says and records what it gets. At first it responds to each
 * request with 200 and the name of its service.
 *
 * <p>What it is told to do applies from the next request on, also on connections that are open. Safe for use by several threads.
 *
 * <pre>{@code
 * try (TestGateway millau = TestGateway.start()) {
 *     ScriptedUpstream orders = millau.upstream("orders").responds(200, "good").thenResponds(404, "not yet");
 *
 *     assert millau.get("/orders/7").statusCode() == 404;
 *     assert millau.get("/orders/7").body().equals("good");
 *     assert orders.requests().size() == 2;
 * }
 * }</pre>
 */
public final class ScriptedUpstream implements AutoCloseable {

    /** How often a slow response goes on. */
    private static final Duration PAUSE = Duration.ofMillis(50);

    /** Enough for a request to arrive on a busy machine. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Happens before a request is read: to the upstream as a whole. */
    static boolean isOfConnection(Fault fault) {
        return fault == Fault.REFUSE || fault.layer() == Fault.Layer.HANDSHAKE || isOfCertificate(fault);
    }

    private static boolean isOfCertificate(Fault fault) {
        return fault == Fault.CERTIFICATE_NOT_TRUSTED || fault == Fault.CERTIFICATE_EXPIRED;
    }

    enum Protocol {
        HTTP,
        HTTPS,
        H2C
    }

    private final String service;
    private final Protocol protocol;
    private final TestTime time;
    private final Consumer<ScriptedUpstream> whenClosed;
    private final ScriptedEndpoint socket;
    private final Endpoint endpoint;
    private final Answers answers;
    private final Map<String, Answers> byPath = new ConcurrentHashMap<>();
    private final ReceivedRequests received = new ReceivedRequests(this);
    private volatile boolean closed;

    ScriptedUpstream(
            String service, int number, Protocol protocol, TestTime time, Consumer<ScriptedUpstream> whenClosed) {
        this.service = service;
        this.protocol = protocol;
        this.time = time;
        this.whenClosed = whenClosed;
        this.answers = new Answers(Response.of(200, service));
        this.socket = new ScriptedEndpoint(this::play, this::tls, time.upstreams);
        time.upstreams.add(socket);
        this.endpoint = endpoint(service + "-" + number, socket.endpoint());
    }

    private Endpoint endpoint(String id, Endpoint plain) {
        return switch (protocol) {
            case HTTP -> Endpoint.http(id, plain.address(), plain.port());
            case HTTPS -> Endpoint.https(id, plain.address(), plain.port(), TestCertificates.VERIFIED);
            case H2C -> Endpoint.h2c(id, plain.address(), plain.port());
        };
    }

    String service() {
        return service;
    }

    /** Its address, for a service of one's own. */
    public Endpoint endpoint() {
        return endpoint;
    }

    /**
     * Sets the response for good, to every request that no other rule is for.
     *
     * @param body text, sent as UTF-8, but not with 204 and 304
     * @throws IllegalArgumentException if the status is not from 200 to 599
     */
    public ScriptedUpstream responds(int status, String body) {
        answers.responds(Response.of(status, body));
        return this;
    }

    /**
     * Sets the response for good, to every request that no other rule is for.
     *
     * @throws IllegalArgumentException if it has a header field that an upstream with its protocol can't send
     */
    public ScriptedUpstream responds(ScriptedResponse response) {
        answers.responds(always(response));
        return this;
    }

    /**
     * Sets what makes the response to every request that no other rule is for; see {@link ScriptedResponse}.
     *
     * @param response called by several threads at the same time; if it throws, or returns null, the client gets 500 with that
     */
    public ScriptedUpstream responds(Function<RecordedRequest, ScriptedResponse> response) {
        answers.responds(Response.of(response));
        return this;
    }

    /**
     * Sets a response to one request. Those of several calls come in turn, and after them that of {@link #responds(int, String)} again.
     *
     * @param body text, sent as UTF-8, but not with 204 and 304
     * @throws IllegalArgumentException if the status is not from 200 to 599
     */
    public ScriptedUpstream thenResponds(int status, String body) {
        answers.thenResponds(Response.of(status, body));
        return this;
    }

    /**
     * Sets a response to one request, in turn as {@link #thenResponds(int, String)} does.
     *
     * @throws IllegalArgumentException as {@link #responds(ScriptedResponse)}
     */
    public ScriptedUpstream thenResponds(ScriptedResponse response) {
        answers.thenResponds(always(response));
        return this;
    }

    /** Sets what makes the response to one request, in turn as {@link #thenResponds(int, String)} does; see {@link #responds(Function)}. */
    public ScriptedUpstream thenResponds(Function<RecordedRequest, ScriptedResponse> response) {
        answers.thenResponds(Response.of(response));
        return this;
    }

    private Response always(ScriptedResponse response) {
        Objects.requireNonNull(response, "response").check(protocol);
        return Response.of(request -> response);
    }

    /**
     * Lets it fail in this way at one request, in turn with those of {@link #thenResponds(int, String)}. Of a request that went over a kept
     * connection, and got nothing of a response, a test may see nothing but a second attempt here: the connection was stale.
     *
     * @throws IllegalArgumentException as {@link #fails}, and if the fault happens to connections rather than requests, such as {@link
     *     Fault#REFUSE}: those {@linkplain #fails fail} until it {@link #heals}
     */
    public ScriptedUpstream thenFails(Fault fault) {
        checkOfRequest(fault);
        answers.thenFails(fault);
        return this;
    }

    /**
     * Adds a header field to its responses. {@code Content-Length} is set by itself, and {@code Content-Type} if it is not added.
     *
     * @throws IllegalArgumentException if it would break the response: {@code Content-Length}, {@code Transfer-Encoding}, over HTTP/2 also
     *     {@code Connection} and its like, a name that is no token, a value with control characters or others than those of ISO 8859-1
     */
    public ScriptedUpstream header(String name, String value) {
        HeaderField.check(name, value, protocol);
        answers.header(name, value);
        return this;
    }

    /**
     * Sets how long it waits before it responds or fails, by the time of {@link TestGateway#advance}.
     *
     * @throws IllegalArgumentException if it is negative, or more than 100 years
     */
    public ScriptedUpstream after(Duration latency) {
        answers.after(latency);
        return this;
    }

    /**
     * Sets how fast it sends the bodies of its responses, by the time of {@link TestGateway#advance}.
     *
     * @throws IllegalArgumentException if it is less than 1
     */
    public ScriptedUpstream bytesPerSecond(int bytes) {
        answers.bytesPerSecond(bytes);
        return this;
    }

    /**
     * Lets it fail in this way, at every request until {@link #heals}, whatever else was or will be set: responses for good, in turn and
     * for certain paths wait until then. For one request there is {@link #thenFails}, for those with one path {@link #when}. What
     * happens to connections rather than requests, such as {@link Fault#REFUSE}, ends those that are open.
     *
     * @throws IllegalArgumentException if an upstream with its protocol can't fail in this way: faults of {@link Fault.Layer#TLS}
     *     and {@link Fault.Layer#HANDSHAKE} are for {@link TestGateway#tlsUpstream}, those of {@link Fault.Layer#HTTP2} for {@link
     *     TestGateway#h2cUpstream}
     */
    public ScriptedUpstream fails(Fault fault) {
        check(fault);
        Fault before = answers.fault();
        answers.fails(fault);
        if (fault == Fault.REFUSE) {
            socket.refuse();
            return this;
        }
        listenAfter(before);
        if (isOfConnection(fault)) {
            closeConnections();
        }
        return this;
    }

    /** Ends its failures, also those in turn and those for certain paths. The responses that were set come again. */
    public ScriptedUpstream heals() {
        Fault before = answers.fault();
        answers.heals();
        byPath.values().forEach(Answers::heals);
        listenAfter(before);
        return this;
    }

    private void listenAfter(@Nullable Fault before) {
        if (before == Fault.REFUSE) {
            socket.listenAgain();
        }
    }

    private void check(Fault fault) {
        Objects.requireNonNull(fault, "fault");
        if (!canHappen(fault, protocol)) {
            String method = switch (fault.layer()) {
                case TLS, HANDSHAKE -> "tlsUpstream";
                case HTTP2 -> "h2cUpstream";
                case HTTP -> "upstream";
            };
            throw new IllegalArgumentException(fault.name() + ": expected an upstream that was added by " + method);
        }
    }

    private void checkOfRequest(Fault fault) {
        check(fault);
        if (isOfConnection(fault)) {
            throw new IllegalArgumentException(
                    fault.name() + ": expected a fault of a single request; connections fail by fails(" + fault.name()
                            + ") of the upstream, until heals()");
        }
    }

    static boolean canHappen(Fault fault, Protocol protocol) {
        return switch (fault.layer()) {
            case HTTP -> protocol != Protocol.H2C || http2(fault) != null;
            case TLS, HANDSHAKE -> protocol == Protocol.HTTPS;
            case HTTP2 -> protocol == Protocol.H2C;
        };
    }

    /** The fault in the terms of HTTP/2; null if there is no such thing. */
    private static @Nullable Http2Fault http2(Fault fault) {
        return Arrays.stream(Http2Fault.values())
                .filter(other -> other.name().equals(fault.name()))
                .findAny()
                .orElse(null);
    }

    /**
     * Starts a rule for requests with exactly this path, whatever their query. A second call with the path goes on with its rule.
     *
     * @param path as it is sent, {@code /orders/7} for instance
     * @throws IllegalArgumentException if it does not begin with a slash, or has a query, or ends in {@code *}: for several paths there is
     *     {@link #responds(Function)}
     */
    public Rule when(String path) {
        if (!Objects.requireNonNull(path, "path").startsWith("/") || path.indexOf('?') >= 0) {
            throw new IllegalArgumentException("path " + path + ": expected one that begins with /, without a query");
        }
        if (path.endsWith("*")) {
            throw new IllegalArgumentException("path " + path + ": expected a whole path: * stands for nothing here,"
                    + " for several paths there is responds(request -> …)");
        }
        return new Rule(byPath.computeIfAbsent(path, p -> new Answers(Response.of(200, service))));
    }

    /** What an upstream does when a path is requested. Safe for use by several threads. */
    public final class Rule {

        private final Answers answers;

        private Rule(Answers answers) {
            this.answers = answers;
        }

        /** See {@link ScriptedUpstream#responds(int, String)}. */
        public Rule responds(int status, String body) {
            answers.responds(Response.of(status, body));
            return this;
        }

        /** See {@link ScriptedUpstream#responds(ScriptedResponse)}. */
        public Rule responds(ScriptedResponse response) {
            answers.responds(always(response));
            return this;
        }

        /** See {@link ScriptedUpstream#responds(Function)}. */
        public Rule responds(Function<RecordedRequest, ScriptedResponse> response) {
            answers.responds(Response.of(response));
            return this;
        }

        /** See {@link ScriptedUpstream#thenResponds(int, String)}. */
        public Rule thenResponds(int status, String body) {
            answers.thenResponds(Response.of(status, body));
            return this;
        }

        /** See {@link ScriptedUpstream#thenResponds(ScriptedResponse)}. */
        public Rule thenResponds(ScriptedResponse response) {
            answers.thenResponds(always(response));
            return this;
        }

        /** See {@link ScriptedUpstream#thenResponds(Function)}. */
        public Rule thenResponds(Function<RecordedRequest, ScriptedResponse> response) {
            answers.thenResponds(Response.of(response));
            return this;
        }

        /** See {@link ScriptedUpstream#thenFails}. */
        public Rule thenFails(Fault fault) {
            checkOfRequest(fault);
            answers.thenFails(fault);
            return this;
        }

        /** See {@link ScriptedUpstream#header}. */
        public Rule header(String name, String value) {
            HeaderField.check(name, value, protocol);
            answers.header(name, value);
            return this;
        }

        /** See {@link ScriptedUpstream#after}. */
        public Rule after(Duration latency) {
            answers.after(latency);
            return this;
        }

        /** See {@link ScriptedUpstream#bytesPerSecond}. */
        public Rule bytesPerSecond(int bytes) {
            answers.bytesPerSecond(bytes);
            return this;
        }

        /**
         * See {@link ScriptedUpstream#fails}.
         *
         * @throws IllegalArgumentException also if the fault happens before a path is known
         */
        public Rule fails(Fault fault) {
            checkOfRequest(fault);
            answers.fails(fault);
            return this;
        }

        /** Ends the failures at this path. */
        public Rule heals() {
            answers.heals();
            return this;
        }
    }

    /** The number of connections accepted so far, also of those that failed before a request, in TLS for instance. */
    public int connections() {
        return socket.connections();
    }

    /** All requests so far in the order they were read, each attempt of a request. A snapshot. */
    public List<RecordedRequest> requests() {
        return received.all();
    }

    /**
     * Waits for the next request, and takes it: the first call returns the first request, each further one the next. After requests
     * that nobody took it does not wait: see {@link #awaitRequests(int)}.
     *
     * @param atMost how long, by the system's time
     * @throws AssertionError if none comes, at once if this upstream or its proxy is closed; the message has those that came before
     * @throws IllegalArgumentException if the time is negative, or more than 100 years
     */
    public RecordedRequest takeRequest(Duration atMost) {
        return received.take(atMost);
    }

    /** Waits as {@link #awaitRequests(int, Duration)}, for up to 60 s. */
    public List<RecordedRequest> awaitRequests(int inAll) {
        return awaitRequests(inAll, PATIENCE);
    }

    /**
     * Waits until so many requests have come since it was added, each attempt of a request counted. Takes none of them.
     *
     * @param atMost how long, by the system's time
     * @return as {@link #requests}: these, and those that came since
     * @throws AssertionError if fewer come, at once if this upstream or its proxy is closed; the message has them
     * @throws IllegalArgumentException if the number is less than 1, or the time is negative, or more than 100 years
     */
    public List<RecordedRequest> awaitRequests(int inAll, Duration atMost) {
        return received.await(inAll, atMost);
    }

    private @Nullable SSLContext tls() {
        Fault fault = answers.fault();
        if (protocol != Protocol.HTTPS || fault != null && fault.layer() == Fault.Layer.HANDSHAKE) {
            return null;
        }
        return fault == Fault.CERTIFICATE_EXPIRED
                ? TestCertificates.EXPIRED
                : fault == Fault.CERTIFICATE_NOT_TRUSTED ? TestCertificates.NOT_TRUSTED : TestCertificates.TRUSTED;
    }

    private void play(ScriptedEndpoint.Connection connection) throws IOException {
        Fault fault = answers.fault();
        if (fault != null && fault.layer() == Fault.Layer.HANDSHAKE) {
            script(fault).play(connection);
        } else if (protocol == Protocol.H2C) {
            playHttp2(connection);
        } else {
            playHttp1(connection);
        }
    }

    private static ScriptedEndpoint.Script script(Fault fault) {
        if (fault.script == null) {
            throw new IllegalStateException(fault + " has no script");
        }
        return fault.script;
    }

    private Answer next(String path) {
        Answers rule = byPath.get(path);
        Fault fault = answers.fault();
        return (rule == null || fault != null ? answers : rule).next();
    }

    /** Whether the body of the request is read before the fault happens. */
    private static boolean readsAll(Fault fault, Fault.Stage stage) {
        return stage == Fault.Stage.END && fault != Fault.HANG;
    }

    private void playHttp1(ScriptedEndpoint.Connection connection) throws IOException {
        boolean goesOn = true;
        while (goesOn) {
            Message head = connection.peekHead();
            if (head == null) {
                return;
            }
            Answer answer = next(RecordedRequest.of(head).path());
            Fault fault = answer.fault();
            if (fault == null) {
                respond(connection, head, answer);
            } else {
                boolean whole = readsAll(fault, fault.stage());
                received.add(RecordedRequest.of(whole ? connection.peekBody() : head));
                time.await(answer.latency(), () -> closed);
                goesOn = connection.playOnce(script(fault));
            }
        }
    }

    private void respond(ScriptedEndpoint.Connection connection, Message head, Answer answer) throws IOException {
        if ("100-continue".equalsIgnoreCase(head.field("Expect"))) {
            connection.send("HTTP/1.1 100 Continue\r\n\r\n");
        }
        RecordedRequest whole = RecordedRequest.of(connection.peekBody());
        received.add(whole);
        time.await(answer.latency(), () -> closed);
        ScriptedResponse response = response(answer, whole);
        byte[] body = body(response);
        StringBuilder text = new StringBuilder("HTTP/1.1 ")
                .append(response.status())
                .append(' ')
                .append(StatusCodes.getReason(response.status()))
                .append("\r\n");
        List<String> fields = fields(answer, response, body.length);
        for (int i = 0; i < fields.size(); i += 2) {
            text.append(fields.get(i)).append(": ").append(fields.get(i + 1)).append("\r\n");
        }
        connection.send(text.append("\r\n").toString());
        if (!head.startLine().startsWith("HEAD ")) {
            send(body, answer, (part, end) -> connection.wire().out().write(part));
        }
    }

    private void playHttp2(ScriptedEndpoint.Connection connection) throws IOException {
        Http2Conversation peer = new Http2Conversation(connection);
        boolean goesOn = true;
        while (goesOn) {
            List<String> fields = peer.nextRequest();
            try {
                Answer answer = next(RecordedRequest.of(fields, "").path());
                if (answer.fault() == null) {
                    respond(peer, fields, answer);
                } else {
                    goesOn = fail(connection, peer, fields, answer, answer.fault());
                }
            } catch (Http2Conversation.StreamEndedException e) {
                // the proxy has given this request up
            }
        }
    }

    private boolean fail(
            ScriptedEndpoint.Connection connection,
            Http2Conversation peer,
            List<String> fields,
            Answer answer,
            Fault fault)
            throws IOException {
        Http2Fault inHttp2 = http2(fault);
        if (inHttp2 == null) {
            throw new IllegalStateException(fault + " over HTTP/2");
        }
        received.add(RecordedRequest.of(fields, readsAll(fault, inHttp2.stage()) ? peer.readBody() : ""));
        time.await(answer.latency(), () -> closed);
        switch (fault) {
            case HANG -> connection.stall();
            case RESET_BEFORE_READING -> connection.reset();
            default -> {
                return inHttp2.play(connection, peer, fields);
            }
        }
        return false;
    }

    private void respond(Http2Conversation peer, List<String> request, Answer answer) throws IOException {
        RecordedRequest whole = RecordedRequest.of(request, peer.readBody());
        received.add(whole);
        time.await(answer.latency(), () -> closed);
        ScriptedResponse response = response(answer, whole);
        byte[] body = body(response);
        List<String> fields = new ArrayList<>(List.of(":status", String.valueOf(response.status())));
        List<String> own = fields(answer, response, body.length);
        for (int i = 0; i < own.size(); i += 2) {
            fields.add(own.get(i).toLowerCase(Locale.ROOT));
            fields.add(own.get(i + 1));
        }
        boolean bodyless = body.length == 0 || whole.method().equals("HEAD");
        peer.frames.headers(peer.stream(), bodyless, fields.toArray(String[]::new));
        if (!bodyless) {
            send(body, answer, (part, end) -> peer.send(new String(part, StandardCharsets.ISO_8859_1), end));
        }
    }

    /** A failure if the test's function fails, since nobody else would tell. */
    private ScriptedResponse response(Answer answer, RecordedRequest request) {
        try {
            ScriptedResponse response = answer.response().to(request);
            if (response == null) {
                return ScriptedResponse.of(
                        500, "no response: the test's function returned null: expected a ScriptedResponse");
            }
            response.check(protocol);
            return response;
        } catch (RuntimeException | AssertionError e) {
            return ScriptedResponse.of(500, "no response: the test's function threw " + e);
        }
    }

    private static byte[] body(ScriptedResponse response) {
        return hasNoBody(response) ? new byte[0] : response.body();
    }

    private static boolean hasNoBody(ScriptedResponse response) {
        return response.status() == StatusCodes.NO_CONTENT || response.status() == StatusCodes.NOT_MODIFIED;
    }

    /** Names and values in turn. */
    private static List<String> fields(Answer answer, ScriptedResponse response, int bodyBytes) {
        List<String> fields = new ArrayList<>(answer.fields());
        fields.addAll(response.fields());
        if (hasNoBody(response)) {
            return fields;
        }
        boolean typed = false;
        for (int i = 0; i < fields.size(); i += 2) {
            typed |= fields.get(i).equalsIgnoreCase("Content-Type");
        }
        if (!typed && bodyBytes > 0) {
            fields.addAll(List.of("Content-Type", response.type()));
        }
        fields.addAll(List.of("Content-Length", String.valueOf(bodyBytes)));
        return fields;
    }

    private interface Sender {
        void send(byte[] part, boolean end) throws IOException;
    }

    /** Sends the parts when they are due, so that a long time that the test lets pass is enough for many. */
    private void send(byte[] body, Answer answer, Sender sender) throws IOException {
        long perSecond = answer.bytesPerSecond();
        int part = (int) Math.max(1, perSecond * PAUSE.toMillis() / 1000);
        long began = time.ticker.nanoTime();
        for (int from = 0; from < body.length; from += part) {
            long due = began + TimeUnit.SECONDS.toNanos(from) / perSecond;
            time.await(Duration.ofNanos(due - time.ticker.nanoTime()), () -> closed);
            int to = Math.min(body.length, from + part);
            sender.send(Arrays.copyOfRange(body, from, to), to == body.length);
        }
    }

    private void closeConnections() {
        try {
            socket.closeConnections();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Takes it out of its service, and closes its connections. */
    @Override
    public void close() {
        closed = true;
        received.close();
        whenClosed.accept(this);
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        time.wakeAll();
    }

    /** Its service and address. */
    @Override
    public String toString() {
        return service + " (" + endpoint + ")";
    }
}
