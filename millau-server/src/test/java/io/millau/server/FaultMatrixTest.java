package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.Outcome;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import io.millau.metrics.PrometheusMetrics;
import io.millau.server.testing.Fault;
import io.millau.server.testing.Message;
import io.millau.server.testing.ScriptedEndpoint;
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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every fault with every method, body and front: what is seen then stands in {@code docs/fault-matrix.md}. */
class FaultMatrixTest {

    private static final Path DOCUMENT = Path.of("../docs/fault-matrix.md");
    private static final List<String> METHODS = List.of("GET", "HEAD", "POST", "PUT", "DELETE");
    private static final String GOOD = "good";

    /** What follows a fault's name where its connection was idle for so long. */
    private static final String AFTER_2_S = " after 2 s";

    /** Most of them wait, for a timeout or for each other's turn on the processors. */
    private static final int AT_ONCE = 16;

    /** What fails often fails slowly; after so many the rest is not waited for. */
    private static final int ENOUGH = 50;

    private static final AtomicInteger RED = new AtomicInteger();
    private static final ExecutorService THREADS = Executors.newFixedThreadPool(AT_ONCE);

    /** A request's body. */
    enum Body {
        NONE("no body", 0, true),
        SMALL("1 KiB", 1024, true),
        LARGE("1 MiB", 1024 * 1024, true),
        CHUNKED("1 MiB chunked", 1024 * 1024, false);

        private final String text;
        private final byte[] bytes;
        private final boolean lengthIsTold;

        Body(String text, int length, boolean lengthIsTold) {
            this.text = text;
            this.bytes = bytes(length);
            this.lengthIsTold = lengthIsTold;
        }

        private static byte[] bytes(int length) {
            byte[] bytes = new byte[length];
            for (int i = 0; i < length; i++) {
                bytes[i] = (byte) ('a' + i / 1000 % 26);
            }
            return bytes;
        }

        /** Whether all of it is kept for a retry. */
        boolean kept() {
            return bytes.length <= 64 * 1024;
        }

        private int toldLength() {
            return lengthIsTold ? bytes.length : -1;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    private enum Front {
        HTTP_1("HTTP/1.1"),
        H2C("h2c");

        private final String text;

        Front(String text) {
            this.text = text;
        }

        private FaultClient connect(int port) throws IOException {
            return this == HTTP_1 ? FaultClient.http1(port) : FaultClient.h2c(port);
        }
    }

    @TestFactory
    Stream<DynamicTest> asTheTableSays() throws Exception {
        FaultTable table = FaultTable.read(DOCUMENT);
        List<DynamicTest> tests = new ArrayList<>();
        Set<FaultTable.Row> used = new HashSet<>();
        for (String fault : table.faults()) {
            for (String method : METHODS) {
                for (Body body : Body.values()) {
                    for (Front front : Front.values()) {
                        FaultTable.Row row = table.rowFor(fault, method, body, front.text);
                        used.add(row);
                        Cell cell = new Cell(fault, method, body, front);
                        Future<?> played = THREADS.submit(() -> play(cell, row.expected()));
                        tests.add(DynamicTest.dynamicTest(
                                String.join(", ", fault, method, body.text, front.text), played::get));
                    }
                }
            }
        }
        assertThat(table.rows()).allMatch(used::contains);
        return tests.stream();
    }

    private static Void play(Cell cell, FaultTable.Sights expected) throws Exception {
        if (RED.get() >= ENOUGH) {
            throw new AssertionError("not played: " + ENOUGH + " others failed");
        }
        try {
            cell.play(expected);
        } catch (Exception | AssertionError e) {
            RED.getAndIncrement();
            throw e;
        }
        return null;
    }

    @Test
    void theTableHasEveryFault() throws Exception {
        assertThat(FaultTable.read(DOCUMENT).faults())
                .containsAll(Arrays.stream(Fault.values()).map(Fault::toString).toList());
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

    /** Time that passes only while a fault is to be timed out, so that a machine that stalls times nobody else out. */
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
        public void attemptFailed(Service service, Endpoint endpoint, Outcome outcome, boolean retried) {
            stoppedAt = nanoTime();
            runs = false;
        }
    }

    /** One fault, one request: with a proxy and two endpoints of its own. */
    private static final class Cell {
        private final String method;
        private final Body body;
        private final Front front;
        private final Fault fault;
        private final boolean idleForLong;

        private final Clock clock = new Clock();
        private final PrometheusMetrics metrics = new PrometheusMetrics();
        private final RecordedTraffic traffic = new RecordedTraffic();
        private final InMemoryServices services = ServiceSource.of();
        private final AtomicBoolean answerBegan = new AtomicBoolean();

        Cell(String fault, String method, Body body, Front front) {
            this.idleForLong = fault.endsWith(AFTER_2_S);
            String name = idleForLong ? fault.substring(0, fault.length() - AFTER_2_S.length()) : fault;
            this.fault = Arrays.stream(Fault.values())
                    .filter(each -> each.toString().equals(name))
                    .findAny()
                    .orElseThrow(() -> new AssertionError("no fault " + name));
            this.method = method;
            this.body = body;
            this.front = front;
        }

        void play(FaultTable.Sights expected) throws Exception {
            try (ScriptedEndpoint faulty = ScriptedEndpoint.that(fault);
                    ScriptedEndpoint good = ScriptedEndpoint.thatSays(GOOD)) {
                services.replace(Service.named("app")
                        .endpoints(faulty.endpoint(), good.endpoint())
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
                        .start()) {
                    play(expected, millau, faulty, good);
                }
            }
        }

        private void play(FaultTable.Sights expected, Millau millau, ScriptedEndpoint faulty, ScriptedEndpoint good)
                throws Exception {
            int warmUps = fault == Fault.IDLE_CLOSE ? 1 : 0;
            if (warmUps > 0) {
                try (RawClient client = new RawClient(millau.port())) {
                    assertThat(client.get("/").body()).isEqualTo(Fault.BODY);
                }
                awaitEnded(1);
            }
            if (idleForLong) {
                clock.pass(Duration.ofSeconds(2));
            }
            if (fault == Fault.HANG || fault == Fault.SLOW_HEAD) {
                clock.run();
            }
            int eventsBefore = traffic.events.size();
            List<String> countedBefore = counted();

            try (FaultClient client = front.connect(millau.port())) {
                FaultClient.Seen seen = request(client, faulty);

                awaitEnded(warmUps + 1);
                List<String> events = List.copyOf(tail(traffic.events, eventsBefore));
                List<String> counted = new ArrayList<>(counted());
                countedBefore.forEach(counted::remove);
                boolean byGood = good.attempts() > 0;
                assertThat(new FaultTable.Sights(
                                sight(seen, byGood),
                                faulty.attempts() - warmUps,
                                good.attempts(),
                                failedAttempt(events),
                                counted.isEmpty() ? "-" : String.join(", ", counted)))
                        .as("%s", events)
                        .isEqualTo(expected);
                List<Message> toFaulty = tail(faulty.requests, warmUps);
                toFaulty.forEach(this::assertBodyCame);
                good.requests.forEach(this::assertBodyCame);
                assertThat(good.requests).hasSize(good.attempts());
                if (seen.whole() && seen.statuses().contains(200)) {
                    assertThat(seen.body()).isEqualTo(answer(byGood));
                    if (!answersEarly()) {
                        assertThat(byGood ? good.requests : toFaulty).isNotEmpty();
                        assertThat(events)
                                .contains("ended " + method + " app delivered 200 " + body.bytes.length + " "
                                        + answer(byGood).length());
                    }
                }
                assertFaultyIsLeft(faulty, seen, byGood);
                assertStillInStep(client, seen, good);
            }
            assertNothingLeft(millau, faulty, good);
        }

        /** Sends the request, the body's end only when the fault has shown, and reads the answer. */
        private FaultClient.Seen request(FaultClient client, ScriptedEndpoint faulty) throws Exception {
            int first = switch (fault.stage()) {
                case HEAD -> Math.min(body.bytes.length / 2, 1024);
                case BODY -> body.bytes.length / 2;
                case END -> body.bytes.length;
            };
            CountDownLatch sent = new CountDownLatch(1);
            client.sendHead(method, body.toldLength());
            ScriptedEndpoint.daemon("body", () -> {
                try {
                    if (first > 0) {
                        send(client, 0, first);
                    }
                    if (first < body.bytes.length) {
                        await().until(() -> answerBegan.get() || failed() || faulty.connections() > 1);
                        send(client, first, body.bytes.length);
                    }
                } catch (IOException e) {
                    // the answer came before the end of the body, and after it nobody takes the rest
                }
                sent.countDown();
            });
            FaultClient.Seen seen = client.read(method, () -> answerBegan.set(true));
            if (front == Front.HTTP_1) {
                assertThat(sent.await(30, TimeUnit.SECONDS))
                        .as("the body is taken or refused")
                        .isTrue();
            }
            return seen;
        }

        private void send(FaultClient client, int from, int to) throws IOException {
            client.sendBody(Arrays.copyOfRange(body.bytes, from, to), to == body.bytes.length);
        }

        private boolean failed() {
            return count("failed") > 0;
        }

        private void awaitEnded(int requests) {
            await().until(() -> count("idle") == requests);
        }

        private static String sight(FaultClient.Seen seen, boolean byGood) {
            StringBuilder sight = new StringBuilder();
            for (int status : seen.statuses()) {
                sight.append(sight.isEmpty() ? "" : " ").append(status);
            }
            if (!seen.whole()) {
                sight.append(" cut");
            } else if (seen.statuses().contains(200)) {
                sight.append(byGood ? " good" : " faulty");
            }
            return sight.toString();
        }

        private static String failedAttempt(List<String> events) {
            List<String> failed = events.stream()
                    .filter(event -> event.startsWith("failed app "))
                    .map(event -> event.substring("failed app ".length()).replace(" retried", ", retried"))
                    .toList();
            return failed.isEmpty() ? "-" : String.join(" and ", failed);
        }

        /** What the metrics count, an entry for each time. */
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

        private String answer(boolean byGood) {
            return method.equals("HEAD") ? "" : byGood ? GOOD : Fault.BODY;
        }

        /** Whether the answer ends before the request's body does, so that nobody needs that any more. */
        private boolean answersEarly() {
            return fault == Fault.EARLY_ANSWER
                    || fault == Fault.EARLY_ANSWER_THEN_CLOSE
                    || fault == Fault.ANSWER_AROUND_BODY && method.equals("HEAD");
        }

        private static <T> List<T> tail(List<T> list, int from) {
            return list.subList(from, list.size());
        }

        /** An endpoint that did not answer, or not as HTTP has it, keeps no connection. */
        private void assertFaultyIsLeft(ScriptedEndpoint faulty, FaultClient.Seen seen, boolean byGood) {
            faulty.endStalling();
            boolean answered = seen.whole() && seen.statuses().contains(200) && !byGood;
            if (!answered || fault == Fault.LENGTH_TOO_SMALL) {
                await().until(() -> faulty.openConnections() == 0);
            }
        }

        /** The client's next request over its connection gets the answer to that, unless the connection is closed. */
        private void assertStillInStep(FaultClient client, FaultClient.Seen seen, ScriptedEndpoint good)
                throws IOException {
            services.replace(Service.named("app").endpoints(good.endpoint()).build());
            FaultClient.Seen next = new FaultClient.Seen(List.of(), "", false);
            try {
                client.sendHead("GET", 0);
                next = client.read("GET", () -> {});
            } catch (SocketException e) {
                // it is closed
            }
            if (front == Front.HTTP_1 && !next.whole()) {
                assertThat(next.statuses()).isEmpty();
            } else {
                assertThat(seen.whole() || front == Front.H2C).isTrue();
                assertThat(next).isEqualTo(new FaultClient.Seen(List.of(200), GOOD, true));
            }
        }

        private void assertNothingLeft(Millau millau, ScriptedEndpoint faulty, ScriptedEndpoint good) {
            services.replace(); // idle connections end with their endpoints
            await().until(() -> faulty.openConnections() + good.openConnections() == 0);
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
