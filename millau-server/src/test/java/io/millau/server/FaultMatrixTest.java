package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import io.millau.metrics.PrometheusMetrics;
import io.millau.testing.Fault;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Plays every fault with every method, body, client protocol and kind of upstream, and compares it with {@code docs/reference/fault-matrix.md}. */
class FaultMatrixTest {

    private static final Path DOCUMENT = Path.of("../docs/reference/fault-matrix.md");
    private static final List<String> METHODS = List.of("GET", "HEAD", "POST", "PUT", "DELETE");
    private static final String GOOD = "good";

    /** Follows a fault's name in the table if its connection was idle for that long. */
    private static final String AFTER_2_S = " after 2 s";

    /** Follows a fault's name in the table if it happened to an earlier request, too. */
    private static final String AGAIN = " again";

    /** Follows a fault's name in the table if the other endpoint has it, too. */
    private static final String AT_BOTH = " at both";

    /** Faults that need time to pass. */
    private static final Set<String> TIMED_OUT =
            Set.of("hang", "slow head", "handshake stalled", "silence", "no window");

    /** Faults whose response may end before the request's body, so that the rest of the body is not needed. */
    private static final Set<String> EARLY =
            Set.of("early response", "early response then close", "early response then stream reset");

    /** Faults after which the faulty endpoint is tried once more. */
    private static final Set<String> TWICE = Set.of("stream refused", "go away before request");

    /** Combinations played concurrently; most of them only wait. */
    private static final int AT_ONCE = 16;

    /** Failures are slow; after this many, the rest is not played. */
    private static final int MAX_FAILURES = 50;

    private static final AtomicInteger FAILURES = new AtomicInteger();
    private static final ExecutorService THREADS = Executors.newFixedThreadPool(AT_ONCE);

    /** A request's body. */
    enum Body {
        NONE("no body", 0, true),
        SMALL("1 KiB", 1024, true),
        LARGE("1 MiB", 1024 * 1024, true),
        CHUNKED("1 MiB chunked", 1024 * 1024, false);

        private final String text;
        private final byte[] bytes;
        private final boolean hasLength;

        Body(String text, int length, boolean hasLength) {
            this.text = text;
            this.bytes = bytes(length);
            this.hasLength = hasLength;
        }

        private static byte[] bytes(int length) {
            byte[] bytes = new byte[length];
            for (int i = 0; i < length; i++) {
                bytes[i] = (byte) ('a' + i / 1000 % 26);
            }
            return bytes;
        }

        /** Whether all of it is buffered for a retry. */
        boolean kept() {
            return bytes.length <= 64 * 1024;
        }

        private int length() {
            return hasLength ? bytes.length : -1;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    private enum Protocol {
        HTTP_1("HTTP/1.1"),
        H2C("h2c");

        private final String text;

        Protocol(String text) {
            this.text = text;
        }

        private FaultClient connect(int port) throws IOException {
            return this == HTTP_1 ? FaultClient.http1(port) : FaultClient.h2c(port);
        }
    }

    @TestFactory
    Stream<DynamicTest> everyCombinationIsAsInTheTable() throws Exception {
        FaultTable table = FaultTable.read(DOCUMENT);
        List<DynamicTest> tests = new ArrayList<>();
        Set<FaultTable.Row> used = new HashSet<>();
        for (FaultUpstream upstream : FaultUpstream.values()) {
            for (String fault : table.faults(upstream)) {
                for (String method : METHODS) {
                    for (Body body : Body.values()) {
                        for (Protocol protocol : Protocol.values()) {
                            if (!upstream.plays(method, body)) {
                                continue;
                            }
                            FaultTable.Row row = table.rowFor(fault, method, body, protocol.text, upstream);
                            used.add(row);
                            Cell cell = new Cell(fault, method, body, protocol, upstream);
                            Future<?> played = THREADS.submit(() -> play(cell, row.expected()));
                            tests.add(DynamicTest.dynamicTest(
                                    String.join(", ", fault, method, body.text, protocol.text, upstream.toString()),
                                    played::get));
                        }
                    }
                }
            }
        }
        assertThat(table.rows())
                .allMatch(used::contains)
                .allSatisfy(row -> assertThat(row.faults())
                        .allMatch(fault -> Arrays.stream(FaultUpstream.values())
                                .anyMatch(upstream -> row.isFor(fault, upstream))));
        return tests.stream();
    }

    private static Void play(Cell cell, FaultTable.Expected expected) throws Exception {
        if (FAILURES.get() >= MAX_FAILURES) {
            throw new AssertionError("not played: " + MAX_FAILURES + " others failed");
        }
        try {
            cell.play(expected);
        } catch (Exception | AssertionError e) {
            FAILURES.getAndIncrement();
            throw e;
        }
        return null;
    }

    /** The name of a fault in the table without what may follow it. */
    static String withoutCircumstance(String fault) {
        return fault.replaceFirst(AFTER_2_S + "$|" + AGAIN + "$|" + AT_BOTH + "$", "");
    }

    @ParameterizedTest
    @EnumSource
    void theTableHasEveryFault(FaultUpstream upstream) throws Exception {
        assertThat(FaultTable.read(DOCUMENT).faults(upstream))
                .containsAll(upstream.faults().toList());
    }

    /** Users looked in vain for a value of {@link Fault} that the page named. */
    @Test
    void theFaultsThatUsersDoNotHaveAreInItalics() throws Exception {
        Set<String> ofUsers = Arrays.stream(Fault.values()).map(Fault::toString).collect(Collectors.toSet());
        for (String written : FaultTable.namesAsWritten(DOCUMENT)) {
            String name = withoutCircumstance(written.replace("*", ""));
            assertThat(written.startsWith("*") && written.endsWith("*"))
                    .as("%s is in italics", written)
                    .isEqualTo(!ofUsers.contains(name));
        }
    }

    @AfterAll
    static void endThreads() {
        THREADS.shutdownNow();
    }

    private static ConditionFactory await() {
        return Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .pollInSameThread()
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(2));
    }

    /** The proxy's time. It runs only while a fault has to time out, so that a stalled machine causes no other timeout. */
    private static final class Clock implements Ticker, TrafficListener {
        private volatile boolean runs;
        private volatile long stoppedAt = System.nanoTime();

        @Override
        public long nanoTime() {
            return runs ? System.nanoTime() : stoppedAt;
        }

        void run() {
            runs = true;
        }

        void pass(Duration time) {
            stoppedAt += time.toNanos();
        }

        @Override
        public void attemptFailed(Failed attempt) {
            stoppedAt = nanoTime();
            runs = false;
        }
    }

    /** One combination: one request through a new proxy with two endpoints. */
    private static final class Cell {
        private final String method;
        private final Body body;
        private final Protocol protocol;
        private final FaultUpstream upstream;
        private final String fault;
        private final boolean idleForLong;
        private final boolean atBoth;
        private final int warmUps;

        private final Clock clock = new Clock();
        private final PrometheusMetrics metrics = new PrometheusMetrics();
        private final RecordedTraffic traffic = new RecordedTraffic();
        private final InMemoryServices services = ServiceSource.of();
        private final AtomicBoolean responseBegan = new AtomicBoolean();
        private final Set<Endpoint> ejected = ConcurrentHashMap.newKeySet();

        Cell(String fault, String method, Body body, Protocol protocol, FaultUpstream upstream) {
            this.idleForLong = fault.endsWith(AFTER_2_S);
            this.atBoth = fault.endsWith(AT_BOTH);
            this.fault = withoutCircumstance(fault);
            this.warmUps = !this.fault.equals("idle close") ? 0 : fault.endsWith(AGAIN) ? 2 : 1;
            this.method = method;
            this.body = body;
            this.protocol = protocol;
            this.upstream = upstream;
        }

        void play(FaultTable.Expected expected) throws Exception {
            try (ScriptedEndpoint faulty = upstream.that(fault);
                    ScriptedEndpoint good = upstream.thatSays(GOOD);
                    ScriptedEndpoint other = atBoth ? upstream.that(fault) : good) {
                services.replace(Service.named("app")
                        .endpoints(upstream.endpoint(faulty), upstream.endpoint(other))
                        .timeout(Duration.ofSeconds(1))
                        .build());
                try (Millau millau = Millau.builder()
                        .http("127.0.0.1:0")
                        .ioThreads(1)
                        .balancer(candidates -> 0)
                        .ticker(clock)
                        .source(services)
                        .listener(clock)
                        .listener(metrics)
                        .listener(traffic)
                        .listener(new TrafficListener() {
                            @Override
                            public void endpointEjected(Service service, Endpoint endpoint, String reason) {
                                ejected.add(endpoint);
                            }
                        })
                        .start()) {
                    play(expected, millau, faulty, other, good);
                }
            }
        }

        private void play(
                FaultTable.Expected expected,
                Millau millau,
                ScriptedEndpoint faulty,
                ScriptedEndpoint other,
                ScriptedEndpoint good)
                throws Exception {
            for (int i = 1; i <= warmUps; i++) {
                try (RawClient client = new RawClient(millau.port())) {
                    assertThat(client.get("/").body()).isEqualTo(Fault.BODY);
                }
                awaitEnded(i);
            }
            int attemptsBefore = faulty.attempts();
            if (idleForLong) {
                clock.pass(Duration.ofSeconds(2));
            }
            if (TIMED_OUT.contains(fault)) {
                clock.run();
            }
            int eventsBefore = traffic.events.size();
            List<String> countedBefore = counted();

            try (FaultClient client = protocol.connect(millau.port())) {
                FaultClient.Seen seen = request(client, faulty);

                awaitEnded(warmUps + 1);
                List<String> events = List.copyOf(tail(traffic.events, eventsBefore));
                List<String> counted = new ArrayList<>(counted());
                countedBefore.forEach(counted::remove);
                boolean byGood = good.attempts() > 0;
                assertThat(new FaultTable.Expected(
                                clientSaw(seen, byGood),
                                faulty.attempts() - attemptsBefore,
                                other.attempts(),
                                ejected.size(),
                                failedAttempt(events),
                                counted.isEmpty() ? "-" : String.join(", ", counted)))
                        .as("%s", events)
                        .isEqualTo(expected);
                List<Message> toFaulty = tail(faulty.requests, warmUps);
                toFaulty.forEach(this::assertBodyCame);
                other.requests.forEach(this::assertBodyCame);
                assertThat(other.requests).hasSize(other.attempts());
                if (seen.whole() && seen.statuses().contains(200)) {
                    assertThat(seen.body()).isEqualTo(responseBody(byGood));
                    if (!respondsEarly()) {
                        assertThat(byGood ? good.requests : toFaulty).isNotEmpty();
                        assertThat(events)
                                .contains("ended " + method + " app delivered 200 " + body.bytes.length + " "
                                        + responseBody(byGood).length());
                    }
                }
                assertFaultyConnectionIsClosed(faulty, seen, byGood);
                assertNextResponseBelongsToNextRequest(client, seen, good);
            }
            assertNothingLeaks(millau, faulty, other, good);
        }

        /** Sends the request, but the rest of its body only when the fault has happened, and reads the response. */
        private FaultClient.Seen request(FaultClient client, ScriptedEndpoint faulty) throws Exception {
            int first = switch (upstream.stage(fault)) {
                case HEAD -> Math.min(body.bytes.length / 2, 1024);
                case BODY -> body.bytes.length / 2;
                case END -> body.bytes.length;
            };
            CountDownLatch sent = new CountDownLatch(1);
            client.sendHead(method, body.length());
            ScriptedEndpoint.daemon("body", () -> {
                try {
                    if (first > 0) {
                        send(client, 0, first);
                    }
                    if (first < body.bytes.length) {
                        await().until(() -> responseBegan.get() || failed(faulty));
                        send(client, first, body.bytes.length);
                    }
                } catch (IOException e) {
                    // the response came before the end of the body, and the rest is no longer read
                }
                sent.countDown();
            });
            FaultClient.Seen seen = client.read(method, () -> responseBegan.set(true));
            if (protocol == Protocol.HTTP_1) {
                assertThat(sent.await(30, TimeUnit.SECONDS))
                        .as("the client is done with the body")
                        .isTrue();
            }
            return seen;
        }

        private void send(FaultClient client, int from, int to) throws IOException {
            client.sendBody(Arrays.copyOfRange(body.bytes, from, to), to == body.bytes.length);
        }

        private boolean failed(ScriptedEndpoint faulty) {
            return TWICE.contains(fault) ? count("failed") == 2 : count("failed") > 0 || faulty.connections() > 1;
        }

        private void awaitEnded(int requests) {
            await().until(() -> count("idle") == requests);
        }

        private static String clientSaw(FaultClient.Seen seen, boolean byGood) {
            StringBuilder text = new StringBuilder();
            for (int status : seen.statuses()) {
                text.append(text.isEmpty() ? "" : " ").append(status);
            }
            if (!seen.whole()) {
                text.append(" cut");
            } else if (seen.statuses().contains(200)) {
                text.append(byGood ? " good" : " faulty");
            }
            return text.toString();
        }

        private static String failedAttempt(List<String> events) {
            List<String> failed = events.stream()
                    .filter(event -> event.startsWith("failed app "))
                    .map(event -> event.substring("failed app ".length()).replace(" retried", ", retried"))
                    .toList();
            return failed.isEmpty() ? "-" : String.join(" and ", failed);
        }

        /** The counters of the metrics: an entry for each increment. */
        private List<String> counted() {
            List<String> counted = new ArrayList<>();
            for (String line : metrics.page().split("\n")) {
                if (line.matches("millau_lb_(retries|failed_requests|successful_requests)_total\\{.*")) {
                    String name = line.split("_")[2];
                    String code = line.contains("code=") ? " " + line.replaceAll(".*code=\"(\\d+)\".*", "$1") : "";
                    for (int i = (int) Double.parseDouble(line.split("} ")[1]); i > 0; i--) {
                        counted.add(name + code);
                    }
                }
            }
            counted.sort(null);
            return counted;
        }

        private void assertBodyCame(Message request) {
            assertThat(request.body().equals(new String(body.bytes, StandardCharsets.ISO_8859_1)))
                    .as("the body's bytes")
                    .isTrue();
        }

        private String responseBody(boolean byGood) {
            return method.equals("HEAD") ? "" : byGood ? GOOD : Fault.BODY;
        }

        private boolean respondsEarly() {
            return EARLY.contains(fault) || fault.equals("response around body") && method.equals("HEAD");
        }

        private static <T> List<T> tail(List<T> list, int from) {
            return list.subList(from, list.size());
        }

        /** The connection to an endpoint that did not respond, or not as HTTP/1.1 requires, is closed. */
        private void assertFaultyConnectionIsClosed(ScriptedEndpoint faulty, FaultClient.Seen seen, boolean byGood) {
            faulty.endStalling();
            boolean responded = seen.whole() && seen.statuses().contains(200) && !byGood;
            if (upstream != FaultUpstream.H2C && (!responded || fault.equals("length too small"))) {
                await().until(() -> faulty.openConnections() == 0);
            }
        }

        /** The client's next request gets its own response, unless the connection is closed. */
        private void assertNextResponseBelongsToNextRequest(
                FaultClient client, FaultClient.Seen seen, ScriptedEndpoint good) throws IOException {
            services.replace(
                    Service.named("app").endpoints(upstream.endpoint(good)).build());
            FaultClient.Seen next = new FaultClient.Seen(List.of(), "", false);
            try {
                client.sendHead("GET", 0);
                next = client.read("GET", () -> {});
            } catch (SocketException e) {
                // the connection is closed
            }
            if (protocol == Protocol.HTTP_1 && !next.whole()) {
                assertThat(next.statuses()).isEmpty();
            } else {
                assertThat(seen.whole() || protocol == Protocol.H2C).isTrue();
                assertThat(next).isEqualTo(new FaultClient.Seen(List.of(200), GOOD, true));
            }
        }

        private void assertNothingLeaks(Millau millau, ScriptedEndpoint... endpoints) {
            services.replace(); // removing the endpoints closes their idle connections
            await().until(() -> Arrays.stream(endpoints).allMatch(endpoint -> endpoint.openConnections() == 0));
            await().until(() -> millau.buffersTaken() == 0);
            await().until(() -> count("began") == count("ended") && count("busy") == count("idle"));
        }

        private long count(String event) {
            return traffic.events.stream()
                    .filter(each -> each.startsWith(event))
                    .count();
        }
    }
}
