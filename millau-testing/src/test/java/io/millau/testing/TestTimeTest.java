package io.millau.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.core.Service;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TestTimeTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @RegisterExtension
    final MillauExtension millau = MillauExtension.create();

    private CompletableFuture<HttpResponse<String>> sendTo(ScriptedUpstream upstream) {
        CompletableFuture<HttpResponse<String>> response = millau.sendAsync(millau.request("/"));
        upstream.takeRequest(PATIENCE);
        return response;
    }

    private static HttpResponse<String> get(CompletableFuture<HttpResponse<String>> response) throws Exception {
        return response.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private String explained() {
        return millau.proxy().explain(URI.create("http://a/"));
    }

    /** The next call overtook the check that was on its way, which then had had no response within 5 s. */
    @ParameterizedTest
    @EnumSource(names = {"HTTP", "HTTPS"})
    void upstreamsThatPassTheirChecksStayInRotation(ScriptedUpstream.Protocol protocol) {
        ScriptedUpstream one = Upstreams.app(millau, protocol);
        ScriptedUpstream two = Upstreams.app(millau, protocol);
        millau.routes(Service.named("app").health("/health").build());

        for (int i = 0; i < 100; i++) {
            millau.advance(Duration.ofSeconds(10));
            assertThat(explained()).doesNotContain("out of rotation");
        }
        assertThat(one.requests()).hasSizeBetween(198, 202);
        assertThat(two.requests()).hasSizeBetween(198, 202);
    }

    /** What it does is not known here, but that it has to respond is. */
    @Test
    void aServerOfTheTestPassesItsChecksToo() throws Exception {
        try (ScriptedEndpoint own = ScriptedEndpoint.thatSays("own")) {
            millau.routes(Service.named("app")
                    .endpoints(own.endpoint())
                    .health("/health")
                    .build());

            for (int i = 0; i < 50; i++) {
                millau.advance(Duration.ofSeconds(10));
                assertThat(explained()).doesNotContain("out of rotation");
            }
            assertThat(own.requests).hasSizeBetween(98, 102);
        }
    }

    /** Of twelve checks in a minute one took place. */
    @Test
    void oneCallIsEnoughForManyChecks() {
        ScriptedUpstream sick = millau.upstream("app");
        ScriptedUpstream good = millau.upstream("app").responds(200, "good");
        sick.when("/health").responds(500, "sick");
        millau.routes(Service.named("app").health("/health").build());

        millau.advance(Duration.ofSeconds(60));

        assertThat(explained()).contains("out of rotation");
        for (int i = 0; i < 6; i++) {
            assertThat(millau.get("/").body()).isEqualTo("good");
        }
        assertThat(good.requests())
                .filteredOn(request -> request.path().equals("/health"))
                .hasSizeBetween(11, 13);
        assertThat(sick.requests()).hasSizeGreaterThan(10);

        sick.when("/health").responds(200, "well");
        millau.advance(Duration.ofSeconds(10));
        assertThat(explained()).doesNotContain("out of rotation");
    }

    /** A check that gets no response fails, at its time. */
    @Test
    void aSilentUpstreamFailsItsChecks() {
        millau.upstream("app");
        ScriptedUpstream silent = millau.upstream("app");
        silent.when("/health").fails(Fault.HANG);
        millau.routes(Service.named("app").health("/health").build());

        millau.advance(Duration.ofSeconds(30));

        assertThat(explained()).contains("no response within 5 s for /health");
    }

    @ParameterizedTest
    @EnumSource
    void aResponseThatIsDueBeforeTheTimeoutArrives(ScriptedUpstream.Protocol protocol) throws Exception {
        ScriptedUpstream late =
                Upstreams.app(millau, protocol).responds(200, "late").after(Duration.ofSeconds(20));
        CompletableFuture<HttpResponse<String>> response = sendTo(late);

        millau.advance(Duration.ofSeconds(60));

        assertThat(get(response).body()).isEqualTo("late");
    }

    @ParameterizedTest
    @EnumSource
    void aResponseThatIsDueAfterTheTimeoutDoesNot(ScriptedUpstream.Protocol protocol) throws Exception {
        ScriptedUpstream late =
                Upstreams.app(millau, protocol).responds(200, "late").after(Duration.ofSeconds(31));
        CompletableFuture<HttpResponse<String>> response = sendTo(late);

        millau.advance(Duration.ofSeconds(60));

        assertThat(get(response).statusCode()).isEqualTo(504);
    }

    /** After 5 s the first has timed out, and 3 s later the second has responded. */
    @Test
    void whatFollowsFromSomethingThatIsDueHappensInTheSameCall() throws Exception {
        millau.routes(Service.named("app").timeout(Duration.ofSeconds(5)).build());
        ScriptedUpstream first = millau.upstream("app").after(Duration.ofSeconds(20));
        millau.upstream("app").responds(200, "second").after(Duration.ofSeconds(3));
        CompletableFuture<HttpResponse<String>> response = sendTo(first);

        millau.advance(Duration.ofMillis(7900));
        assertThat(response).isNotDone();
        millau.advance(Duration.ofMillis(100));

        assertThat(get(response).body()).isEqualTo("second");
    }

    /** It was cut, as if nothing had arrived of it for 60 s. */
    @ParameterizedTest
    @CsvSource({"5000, 70, 1", "10000, 20, 6", "10000, 30, 4", "10000, 120, 1"})
    void aBodyThatComesSlowlyArrives(int bytes, int seconds, int times) throws Exception {
        for (ScriptedUpstream.Protocol protocol : ScriptedUpstream.Protocol.values()) {
            String body = "x".repeat(bytes);
            try (ScriptedUpstream slow =
                    Upstreams.app(millau, protocol).responds(200, body).bytesPerSecond(100)) {
                CompletableFuture<HttpResponse<String>> response = sendTo(slow);

                for (int i = 0; i < times; i++) {
                    millau.advance(Duration.ofSeconds(seconds));
                }

                assertThat(get(response).body()).as("%s", protocol).isEqualTo(body);
            }
        }
    }

    @Test
    @Timeout(60)
    void aWeekWithoutRequestsIsQuick() {
        millau.upstream("app");
        assertThat(millau.get("/").body()).isEqualTo("app");

        millau.advance(Duration.ofDays(7));

        assertThat(millau.get("/").body()).isEqualTo("app");
    }

    @Test
    void itDoesNotGoBack() {
        assertThatThrownBy(() -> millau.advance(Duration.ofSeconds(-1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("advance by PT-1S: expected a time that is not negative");
    }
}
