package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Random faults, scaling and load for {@code millau.random.seconds}; each request must obey {@link RunRules}.
 *
 * <p>{@code -Dmillau.seed=…} repeats the seed of an earlier run: the requests are the same, and so is what an endpoint does
 * with each of them. The timing is not, so a failure may need several runs to show again.
 */
class RandomRunTest {

    private static final int HTTP1_CLIENTS = 14;
    private static final int HTTP2_CLIENTS = 2;
    private static final int HTTP2_SHARED = 2;
    private static final int STREAMS = 4;

    /** After this many failures the run ends early. */
    private static final int MAX_FAILURES = 5;

    private final long seed =
            Long.getLong("millau.seed", ThreadLocalRandom.current().nextLong(1_000_000_000));
    private final long seconds = Long.getLong("millau.random.seconds", 20);
    private final RunRequests requests = new RunRequests(seed);
    private final RunTraffic traffic = new RunTraffic();
    private final AtomicBoolean over = new AtomicBoolean();
    private final ExecutorService threads = Executors.newCachedThreadPool(RandomRunTest::daemon);
    private final SplittableRandom random = new SplittableRandom(seed);
    private final List<RunClient.Line> lines = new ArrayList<>();
    private final List<Future<Void>> clients = new ArrayList<>();

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        return thread;
    }

    @Test
    @Timeout(value = 30, unit = TimeUnit.MINUTES)
    void everyRequestObeysTheRules() throws Exception {
        System.out.println("A random run of " + seconds + " s, -Dmillau.seed=" + seed);
        try (RunLog log = new RunLog();
                RunClock clock = new RunClock();
                RunFleet fleet = new RunFleet(requests, new RunDice(random.split()))) {
            try (Millau millau = Millau.builder()
                    .http("127.0.0.1:0")
                    .ioThreads(2)
                    .ticker(clock)
                    .source(fleet.services)
                    .listener(traffic)
                    .start()) {
                run(millau, fleet, clock);
                assertNothingLeaks(millau, fleet);
            }
            log.errors.forEach(requests::violated);
            System.out.println("seed " + seed + ": " + requests.results() + ", " + traffic + ", " + fleet.changes()
                    + " changes of endpoints, " + requests.violations().size() + " violations");
        } finally {
            threads.shutdownNow();
        }
        assertThat(traffic.steadyEjections())
                .as("endpoints ejected by poison requests")
                .isPositive();
        assertThat(traffic.steadyExhausted())
                .as("requests to the steady service that found its retry budget spent")
                .isZero();
        assertThat(requests.violations())
                .as("violations with -Dmillau.seed=" + seed)
                .isEmpty();
    }

    private void run(Millau millau, RunFleet fleet, RunClock clock) throws Exception {
        RunRules rules = new RunRules(fleet);
        for (int i = 0; i < HTTP1_CLIENTS; i++) {
            startClients(1, () -> new RunHttp1(millau.port(), clock, threads));
        }
        for (int i = 0; i < HTTP2_CLIENTS; i++) {
            startClients(1, () -> new RunHttp2(millau.port(), clock, threads));
        }
        for (int i = 0; i < HTTP2_SHARED; i++) {
            startClients(STREAMS, () -> new RunHttp2(millau.port(), clock, threads));
        }
        startPoisoner(new RunClient.Line(() -> new RunHttp1(millau.port(), clock, threads)), clock);
        RunDice dice = new RunDice(random.split());
        Future<Void> changes = threads.submit(() -> {
            while (!over.get()) {
                clock.pass(Duration.ofMillis(dice.between(50, 500)));
                fleet.change();
            }
            return null;
        });

        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (System.nanoTime() < end && requests.violations().size() < MAX_FAILURES) {
            clock.pass(Duration.ofMillis(500));
            requests.judge(rules, false);
        }
        over.set(true);
        changes.get();
        awaitEnd();
        requests.judge(rules, true);
        for (RunClient.Line line : lines) {
            line.close();
        }
    }

    private void startClients(int number, RunClient.Line.Connector connector) {
        RunClient.Line line = new RunClient.Line(connector);
        lines.add(line);
        for (int i = 0; i < number; i++) {
            RunDice dice = new RunDice(random.split());
            clients.add(threads.submit(new RunClient(clients.size(), dice, requests, line, over::get)));
        }
    }

    private void startPoisoner(RunClient.Line line, RunClock clock) {
        lines.add(line);
        RunDice dice = new RunDice(random.split());
        clients.add(threads.submit(new RunPoisoner(dice, requests, traffic, clock, line, over::get)));
    }

    /** Each client ends: with a response, or with a closed connection. */
    private void awaitEnd() throws Exception {
        try {
            for (Future<Void> client : clients) {
                client.get(90, TimeUnit.SECONDS);
            }
        } catch (TimeoutException e) {
            requests.open().forEach(request -> requests.violated("It never ended: " + request.trace()));
        }
    }

    private void assertNothingLeaks(Millau millau, RunFleet fleet) {
        fleet.retire();
        try {
            await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
                assertThat(fleet.openConnections())
                        .as("connections to removed endpoints")
                        .isZero();
                // Undertow leaks the buffer of an HTTP/2 frame that arrives in pieces if the stream ends in between.
                assertThat(millau.buffersTakenByRequests()).as("buffers taken").isZero();
                assertThat(traffic.over()).as("all requests ended").isTrue();
            });
        } catch (ConditionTimeoutException e) {
            requests.violated("Something is left: " + e.getMessage());
        }
    }
}
