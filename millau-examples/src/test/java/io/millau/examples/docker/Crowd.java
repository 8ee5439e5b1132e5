package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/**
 * What goes on while things move: 32 connections with more than 300 requests a second, {@code GET} and {@code POST}, and
 * 20 WebSockets.
 */
record Crowd(Load load, Sockets sockets) implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final int CONNECTIONS = 32;
    private static final int SOCKETS = 20;
    private static final int LEAST_PER_SECOND = 300;

    /** Begins, and returns when every WebSocket works. */
    static Crowd at(Front front, String... hosts) throws IOException {
        Crowd crowd = new Crowd(
                Load.ofGetsAndPosts(front, List.of(hosts), CONNECTIONS), Sockets.open(front, List.of(hosts), SOCKETS));
        await("WebSockets").atMost(PATIENCE).until(crowd.sockets::allWork);
        return crowd;
    }

    /** Waits until each of these instances has answered a request. */
    void awaitAnswersOf(Collection<String> instances) {
        await("an answer of each of " + instances)
                .atMost(PATIENCE)
                .until(() -> load.instances().containsAll(instances));
    }

    /** Waits until so many more requests were made. */
    void awaitRequests(int more) {
        int from = load.requests();
        await(more + " requests").atMost(PATIENCE).until(() -> load.requests() >= from + more);
    }

    /** Ends it: no request may have failed, and no WebSocket ended on an instance that lives. */
    void endsWell(String scenario, Collection<String> living) throws IOException {
        endsWell(scenario, living, failure -> false);
    }

    /** The same, but for failures that are to be expected. */
    void endsWell(String scenario, Collection<String> living, Predicate<Load.Failure> excused) throws IOException {
        await("the rate").atMost(PATIENCE).until(() -> load.perSecond() >= LEAST_PER_SECOND);
        long perSecond = load.perSecond();
        close();
        List<Load.Failure> failures =
                load.failures().stream().filter(excused.negate()).toList();
        int expected = load.failures().size() - failures.size();
        List<Sockets.Ended> others = sockets.ended().stream()
                .filter(ended -> living.contains(ended.instance()) && !ended.byInstance())
                .toList();
        System.out.printf(
                Locale.ROOT,
                "%s: %,d requests (%d/s), %d failed%s; %d WebSockets: %d lived on, %d ended with their instance, %d others%n",
                scenario,
                load.requests(),
                perSecond,
                failures.size() + sockets.failures().size(),
                expected == 0 ? "" : " (and " + expected + " that the dead instance was answering)",
                SOCKETS,
                sockets.livedOn(),
                sockets.ended().size() - others.size(),
                others.size());
        assertThat(failures).isEmpty();
        assertThat(sockets.failures()).isEmpty();
        assertThat(others).isEmpty();
    }

    @Override
    public void close() throws IOException {
        sockets.close();
        load.close();
    }
}
