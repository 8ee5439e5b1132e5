package io.millau.docker;

import static org.awaitility.Awaitility.await;

import io.millau.core.Endpoint;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.SourceStatus;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/** Subscribes to a source and records its snapshots. */
final class Received implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final List<Snapshot> all = new CopyOnWriteArrayList<>();
    private final ServiceSource.Subscription subscription;

    Received(ServiceSource source) {
        subscription = source.subscribe(all::add);
    }

    List<Snapshot> all() {
        return all;
    }

    Snapshot last() {
        return all.isEmpty() ? Snapshot.EMPTY : all.get(all.size() - 1);
    }

    List<Service> named(String name) {
        return last().services().stream()
                .filter(service -> service.name().equals(name))
                .toList();
    }

    List<Endpoint> endpoints(String name) {
        return named(name).stream()
                .flatMap(service -> service.endpoints().stream())
                .toList();
    }

    /** Waits until a service meets the condition. */
    Service awaitService(String name, Predicate<Service> expected) {
        return await(name)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> named(name), found -> found.size() == 1 && expected.test(found.get(0)))
                .get(0);
    }

    Service awaitEndpoints(String name, int count) {
        return awaitService(name, service -> service.endpoints().size() == count);
    }

    void awaitGone(String name) {
        await(name).atMost(PATIENCE).until(() -> !all.isEmpty() && named(name).isEmpty());
    }

    Problem awaitProblem(String service, String part) {
        return await(part)
                .atMost(PATIENCE)
                .until(
                        () -> last().problems().stream()
                                .filter(problem -> problem.service().equals(service)
                                        && problem.message().contains(part))
                                .toList(),
                        found -> found.size() == 1)
                .get(0);
    }

    SourceStatus awaitStatus(Predicate<SourceStatus> expected) {
        return await("status").atMost(PATIENCE).until(subscription::status, expected::test);
    }

    void lookNow() {
        subscription.lookNow();
    }

    @Override
    public void close() {
        subscription.close();
    }
}
