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
 * Faults, scaling and load at random for {@code millau.random.seconds}, and the rules of {@link RunRules} for each request.
 *
 * <p>{@code -Dmillau.seed=…} gives a seed back. With it come the same requests, and each gets the same part at each of its
 * arrivals; when things happen is the machine's affair, so what was red may need several runs to be red again.
 */
class RandomRunTest {

    private static final int HTTP1_CLIENTS = 14;
    private static final int HTTP2_CLIENTS = 2;
    private static final int HTTP2_SHARED = 2;
    private static final int STREAMS = 4;

    /** What fails often fails all the time: no need to wait for the end then. */
    private static final int ENOUGH = 5;

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
    void whateverBreaksTheRulesHold() throws Exception {
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
                judgeWhatIsLeft(millau, fleet);
            }
            log.errors.forEach(requests::violated);
            System.out.println("seed " + seed + ": " + requests.results() + ", " + traffic + ", " + fleet.changes()
                    + " changes of endpoints, " + requests.violations().size() + " violations");
        } finally {
            threads.shutdownNow();
        }
        assertThat(requests.violations())
                .as("what broke a rule with -Dmillau.seed=" + seed)
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
        RunDice dice = new RunDice(random.split());
        Future<Void> changes = threads.submit(() -> {
            while (!over.get()) {
                clock.pass(Duration.ofMillis(dice.between(50, 500)));
                fleet.change();
            }
            return null;
        });

        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (System.nanoTime() < end && requests.violations().size() < ENOUGH) {
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

    /** Each client has its answer in the end, or sees that it gets none. */
    private void awaitEnd() throws Exception {
        try {
            for (Future<Void> client : clients) {
                client.get(90, TimeUnit.SECONDS);
            }
        } catch (TimeoutException e) {
            requests.open().forEach(request -> requests.violated("It never ended: " + request.trace()));
        }
    }

    private void judgeWhatIsLeft(Millau millau, RunFleet fleet) {
        fleet.retire();
        try {
            await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
                assertThat(fleet.openConnections())
                        .as("connections to endpoints that left")
                        .isZero();
                // Undertow forgets the buffer of an HTTP/2 frame that came in pieces, if its stream ended between them.
                assertThat(millau.buffersTakenByRequests()).as("buffers taken").isZero();
                assertThat(traffic.over()).as("all requests ended").isTrue();
            });
        } catch (ConditionTimeoutException e) {
            requests.violated("Something is left: " + e.getMessage());
        }
    }
}
