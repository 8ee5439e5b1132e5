package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.acme.testing.Pebble;
import io.millau.acme.testing.RequiresPebble;
import io.millau.core.testing.MovableClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Several replicas of a proxy with a shared store, behind a balancer that sends the CA's requests to any of them. */
@RequiresPebble
class AcmeReplicasTest {

    private static final String NAME = "shop.millau-proxy.org";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration LEASE = Duration.ofMinutes(3);

    private static Pebble ca;

    private final MovableClock clock = new MovableClock();
    private final MemoryStore store = new MemoryStore(clock);
    private final long issuedBefore = ca.issued();
    private final ChallengeServers challengeServers = new ChallengeServers();
    private final List<AcmeCertificates> replicas = new ArrayList<>();

    @BeforeAll
    static void startCa() {
        ca = Pebble.start();
    }

    @AfterAll
    static void stopCa() {
        ca.close();
    }

    @AfterEach
    void close() throws Exception {
        challengeServers.close();
        replicas.forEach(AcmeCertificates::close);
    }

    private AcmeCertificates start(MemoryStore view) {
        AcmeCertificates replica = AcmeCertificates.builder(view)
                .directories(List.of(ca.directory()))
                .trusted(ca.trusted())
                .clock(clock)
                .lease(LEASE)
                .start();
        replicas.add(replica);
        challengeServers.add(replica);
        return replica;
    }

    private long issued() {
        return ca.issued() - issuedBefore;
    }

    private void awaitEverywhere(Set<String> names) {
        await().atMost(PATIENCE)
                .until(() -> replicas.stream()
                        .allMatch(replica -> names.stream()
                                .noneMatch(name -> replica.find(name).isEmpty())));
    }

    private static Set<String> names(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> "host" + i + ".millau-proxy.org")
                .collect(Collectors.toSet());
    }

    @Test
    void eachNameIsOrderedOnceAndEveryReplicaServesTheChallenge() throws Exception {
        challengeServers.http(ca);
        IntStream.range(0, 3).forEach(i -> start(store.replica()));
        Set<String> names = names(6);
        replicas.forEach(replica -> replica.wanted(names));
        awaitEverywhere(names);
        assertThat(issued()).isEqualTo(6);
        names.forEach(name -> assertThat(
                        replicas.stream().map(replica -> replica.find(name)).distinct())
                .hasSize(1));
        assertThat(store.names("").stream().filter(name -> name.contains("/account/")))
                .hasSize(1);
    }

    @Test
    void everyReplicaServesATlsChallenge() throws Exception {
        challengeServers.tls(ca);
        IntStream.range(0, 2).forEach(i -> start(store.replica()));
        replicas.forEach(replica -> replica.wanted(Set.of(NAME)));
        awaitEverywhere(Set.of(NAME));
        assertThat(issued()).isEqualTo(1);
    }

    @Test
    void aCertificateIsRenewedOnceForAllReplicas() throws Exception {
        challengeServers.http(ca);
        IntStream.range(0, 3).forEach(i -> start(store.replica()));
        replicas.forEach(replica -> replica.wanted(Set.of(NAME)));
        awaitEverywhere(Set.of(NAME));
        var first = replicas.get(0).find(NAME);
        clock.forward(Duration.ofDays(61));
        await().atMost(PATIENCE)
                .until(() -> replicas.stream()
                        .noneMatch(replica -> replica.find(NAME).equals(first)));
        assertThat(issued()).isEqualTo(2);
        assertThat(replicas.stream().map(replica -> replica.find(NAME)).distinct())
                .hasSize(1);
    }

    @Test
    void anotherReplicaTakesOverWhenTheLeaseOfADeadReplicaEnds() throws Exception {
        challengeServers.http(ca);
        challengeServers.hold();
        MemoryStore view = store.replica();
        AcmeCertificates dying = start(view);
        dying.wanted(Set.of(NAME));
        assertThat(challengeServers.asked().await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        view.breakDown();
        dying.close();
        assertThat(store.names("challenges/")).hasSize(1);
        replicas.clear();

        AcmeCertificates heir = start(store.replica());
        challengeServers.only(heir);
        challengeServers.release();
        heir.wanted(Set.of(NAME));
        await().during(Duration.ofSeconds(3)).atMost(PATIENCE).until(() -> issued() == 0);
        assertThat(heir.find(NAME)).isEmpty();

        clock.forward(LEASE);
        awaitEverywhere(Set.of(NAME));
        assertThat(issued()).isEqualTo(1);
        clock.forward(Duration.ofHours(7));
        await().atMost(PATIENCE).until(() -> store.names("challenges/").isEmpty());
    }

    @Test
    void anAbortedOrderLeavesNothingBehind() throws Exception {
        challengeServers.http(ca);
        challengeServers.hold();
        AcmeCertificates closing = start(store.replica());
        closing.wanted(Set.of(NAME));
        assertThat(challengeServers.asked().await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        closing.close();
        assertThat(store.names("challenges/")).isEmpty();
        assertThat(store.tryLock(
                        ca.directory().getAuthority().replace(':', '_') + "_dir/" + NAME + "/certificate", LEASE))
                .isPresent();
    }
}
