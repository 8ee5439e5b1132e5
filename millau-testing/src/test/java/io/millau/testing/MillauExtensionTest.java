package io.millau.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.core.Service;
import io.millau.core.TrafficListener;
import java.net.URI;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.platform.commons.support.ReflectionSupport;

class MillauExtensionTest {

    private static final Set<URI> USED = ConcurrentHashMap.newKeySet();

    @RegisterExtension
    static final MillauExtension OF_ALL = MillauExtension.create();

    private final AtomicInteger told = new AtomicInteger();

    @RegisterExtension
    final MillauExtension millau = MillauExtension.create(builder -> builder.listener(new TrafficListener() {
        @Override
        public void requestEnded(Ended request) {
            told.incrementAndGet();
        }
    }));

    @Test
    void anOrderSurvivesAReset() {
        ScriptedUpstream bad = millau.upstream("orders").fails(Fault.RESET_AFTER_HEAD);
        ScriptedUpstream good = millau.upstream("orders").responds(200, "good");

        assertThat(millau.get("/orders/7").body()).isEqualTo("good");
        assertThat(good.takeRequest(Duration.ofSeconds(10)).path()).isEqualTo("/orders/7");
        assertThat(bad.requests()).hasToString("[GET /orders/7]");
        assertThat(told).hasValue(1);

        bad.heals();
        millau.advance(Duration.ofSeconds(60));
        assertThat(millau.get("/orders/8").body()).isIn("orders", "good");

        millau.routes(Service.named("other").path("/other/").build());
        millau.upstream("other");
        assertThat(millau.get("/other/").body()).isEqualTo("other");
    }

    /** Each of them has a proxy of its own, though they run side by side. */
    @RepeatedTest(8)
    @Execution(ExecutionMode.CONCURRENT)
    void eachTestHasItsOwnProxy() {
        assertThat(USED.add(millau.uri())).isTrue();
        assertThat(millau.get("/").statusCode())
                .as("no upstream of another test")
                .isEqualTo(502);
        millau.upstream("app");
        assertThat(millau.get("/").body()).isEqualTo("app");
    }

    @Nested
    class InANestedClass {

        @Test
        void theOneOfTheClassGoesOn() {
            assertThat(OF_ALL.uri().getPort()).isPositive();
        }

        @Test
        void theOneOfTheTestRunsToo() {
            assertThat(millau.get("/").statusCode()).isEqualTo(502);
        }
    }

    /** As JUnit makes one. It said that there is no such constructor. */
    @Test
    void extendWithIsAnsweredWithWhatToWrite() {
        assertThatThrownBy(() -> ReflectionSupport.newInstance(MillauExtension.class))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("@ExtendWith(MillauExtension.class): expected a field with @RegisterExtension,"
                        + " final MillauExtension millau = MillauExtension.create()");
    }

    @Test
    void outsideOfATestItSaysThatItDoesNotRun() {
        MillauExtension another = MillauExtension.create();

        assertThatThrownBy(() -> MillauExtension.create(null)).hasMessage("settings");
        assertThatThrownBy(another::uri)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("expected a call within a test");
    }
}
