package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Certificate;
import io.millau.core.Store;
import io.millau.core.testing.MovableClock;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ChallengesTest {

    private static final String TOKEN = "Aa0_-DGyRxAQHbUDt6CSmOVbAbvGEhZGSYJpSN4sDtU";
    private static final String NAME = "shop.millau-proxy.org";

    private final MovableClock clock = new MovableClock();
    private final MemoryStore store = new MemoryStore(clock);
    private final Challenges ours = new Challenges(store, clock);
    private final Challenges others = new Challenges(store.replica(), clock);

    @AfterEach
    void close() {
        ours.close();
        others.close();
    }

    private static <T> Optional<T> get(CompletableFuture<Optional<T>> response) throws Exception {
        return response.get(60, TimeUnit.SECONDS);
    }

    @Test
    void ownResponsesAreKnownAtOnceAndThoseOfOtherReplicasAreInTheStore() throws Exception {
        try (Challenges.Response response = ours.http(TOKEN, TOKEN + ".print")) {
            assertThat(response).isNotNull();
            assertThat(ours.findHttp(TOKEN)).isCompletedWithValue(Optional.of(TOKEN + ".print"));
            assertThat(get(others.findHttp(TOKEN))).contains(TOKEN + ".print");
            assertThat(get(others.findHttp(TOKEN.toLowerCase(java.util.Locale.ROOT))))
                    .isEmpty();
        }
        assertThat(get(ours.findHttp(TOKEN))).isEmpty();
        assertThat(get(others.findHttp(TOKEN))).isEmpty();
    }

    @Test
    void tlsCertificatesOfOtherReplicasAreInTheStore() throws Exception {
        Certificate certificate = TlsChallenge.certificate(NAME, new byte[32]);
        try (Challenges.Response response = ours.tls(NAME, certificate)) {
            assertThat(response).isNotNull();
            assertThat(ours.findTls(NAME)).isCompletedWithValue(Optional.of(certificate));
            assertThat(get(others.findTls(NAME))).contains(certificate);
        }
        assertThat(get(others.findTls(NAME))).isEmpty();
    }

    @Test
    void anInvalidTokenIsNotLookedUp() {
        List.of("", "short", "../../../../etc/passwd", TOKEN + "=", TOKEN + "/x", "a".repeat(129))
                .forEach(token -> assertThat(others.findHttp(token)).isCompletedWithValue(Optional.empty()));
    }

    @Test
    void aFailingStoreGivesAnEmptyResponse() throws Exception {
        store.breakDown();
        assertThat(get(ours.findHttp(TOKEN))).isEmpty();
    }

    @Test
    void responsesOfDeadReplicasExpireAndAreSwept() throws Exception {
        Challenges.Response dead = ours.http(TOKEN, TOKEN + ".print");
        store.put("challenges/tls-alpn-01/damaged.org", new byte[] {1, 2, 3});
        others.sweep();
        assertThat(store.names("challenges/")).singleElement().asString().startsWith("challenges/http-01/");
        clock.forward(Duration.ofHours(2));
        assertThat(get(others.findHttp(TOKEN))).isEmpty();
        others.sweep();
        assertThat(store.names("challenges/")).isEmpty();
        dead.close();
    }

    @Test
    void aFloodOfRequestsIsRejected() {
        CountDownLatch slow = new CountDownLatch(1);
        AtomicInteger asked = new AtomicInteger();
        Store stuck = (Store) Proxy.newProxyInstance(
                Store.class.getClassLoader(), new Class<?>[] {Store.class}, (proxy, method, arguments) -> {
                    asked.incrementAndGet();
                    slow.await();
                    throw new IOException("too late");
                });
        try (Challenges flooded = new Challenges(stuck, clock)) {
            List<CompletableFuture<Optional<String>>> responses = IntStream.range(0, 1000)
                    .mapToObj(i -> flooded.findHttp(TOKEN + i))
                    .toList();
            assertThat(responses.stream().filter(response -> !response.isDone()))
                    .hasSizeLessThan(100);
            await().until(() -> asked.get() == 2);
            slow.countDown();
            await().until(() -> responses.stream().allMatch(CompletableFuture::isDone));
        }
    }
}
