package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millau.core.ServiceSource.Subscription;
import io.millau.core.testing.CapturedLog;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PolledServicesTest {

    private static final Duration SHORT = Duration.ofMillis(1);
    private static final Duration LONG = Duration.ofHours(1);

    private final List<Snapshot> delivered = new CopyOnWriteArrayList<>();
    private final AtomicInteger reads = new AtomicInteger();
    private volatile @Nullable Snapshot now = of("orders");

    private static Snapshot of(String name) {
        return new Snapshot(List.of(Service.named(name).build()), List.of());
    }

    private @Nullable Snapshot read() throws IOException {
        reads.incrementAndGet();
        if (now == Snapshot.EMPTY) {
            throw new IOException("refused");
        }
        return now;
    }

    private PolledServices services(Duration pause) {
        return ServiceSource.polling("registry", pause, this::read);
    }

    @Test
    void onlyChangesAreDelivered() throws Exception {
        try (Subscription subscription = services(SHORT).subscribe(delivered::add)) {
            await().until(() -> reads.get() > 3);
            now = of("shop");
            await().until(() -> delivered.size() == 2);

            assertThat(delivered).containsExactly(of("orders"), of("shop"));
            assertThat(subscription.status().name()).isEqualTo("registry");
            await().until(() -> subscription.status().events() == 2);
        }
    }

    @Test
    void whoChangedThemHasThemReadAtOnce() {
        PolledServices services = services(LONG);
        try (Subscription subscription = services.subscribe(delivered::add)) {
            await().until(() -> delivered.size() == 1);
            now = of("shop");
            services.readNow();
            await().until(() -> delivered.size() == 2);
            now = of("blog");
            subscription.lookNow();
            await().until(() -> delivered.size() == 3);
        }
    }

    @Test
    void whileReadingFailsTheyStayAndThatIsSaidOnce() throws Exception {
        try (CapturedLog log = new CapturedLog();
                Subscription subscription = services(SHORT).subscribe(delivered::add)) {
            await().until(() -> delivered.size() == 1);
            now = Snapshot.EMPTY;
            await().until(() -> subscription.status().errors() > 2);
            assertThat(subscription.status().trouble()).isEqualTo("java.io.IOException: refused");
            now = of("orders");
            await().until(() -> subscription.status().trouble() == null);

            assertThat(delivered).containsExactly(of("orders"));
            assertThat(log.about("Away source=registry")).hasSize(1);
            await().until(() -> log.about("Back source=registry failures=").size() == 1);
        }
    }

    @Test
    void nullIsAFailure() {
        now = null;
        try (Subscription subscription = services(SHORT).subscribe(delivered::add)) {
            await().until(() -> subscription.status().errors() > 0);
            assertThat(subscription.status().trouble()).contains("snapshot");
        }
    }

    /** A consumer that fails must not end the thread that reads. */
    @Test
    void aChangeThatCouldNotBeDeliveredIsDeliveredWithTheNextReading() {
        try (Subscription subscription = services(SHORT).subscribe(snapshot -> {
            delivered.add(snapshot);
            if (delivered.size() == 1) {
                throw new AssertionError("a bug");
            }
        })) {
            await().until(() -> delivered.size() == 2);
            assertThat(subscription.status().errors()).isEqualTo(1);
        }
    }

    @Test
    void whatWasClosedReadsNoMore() {
        PolledServices services = services(LONG);
        Subscription subscription = services.subscribe(delivered::add);
        await().until(() -> delivered.size() == 1);
        subscription.close();
        subscription.close();

        services.readNow();
        subscription.lookNow();

        assertThat(reads).hasValue(1);
        await().until(() -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().equals("millau-registry")));
    }

    @Test
    void thePauseIsChecked() {
        assertThatThrownBy(() -> services(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("pause PT0S: expected more than 0 seconds");
    }
}
