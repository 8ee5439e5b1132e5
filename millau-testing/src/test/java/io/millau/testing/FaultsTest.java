package io.millau.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millau.core.TrafficListener;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every fault of every kind of upstream: it happens, the attempt is recorded, and it is over when the upstream heals. */
class FaultsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** The client gets a whole response all the same. */
    private static final Set<Fault> CORRECT = EnumSet.of(
            Fault.LENGTH_TOO_SMALL,
            Fault.IDLE_CLOSE,
            Fault.EARLY_RESPONSE,
            Fault.EARLY_RESPONSE_THEN_CLOSE,
            Fault.RESPONSE_AROUND_BODY,
            Fault.INTERIM_THEN_RESPONSE,
            Fault.RESPONSE_UNTIL_CLOSE);

    /** The client gets the beginning of a response. */
    private static final Set<Fault> CUT = EnumSet.of(
            Fault.RESET_IN_RESPONSE,
            Fault.LENGTH_TOO_LARGE,
            Fault.BROKEN_SECOND_CHUNK,
            Fault.NO_LAST_CHUNK,
            Fault.CLOSE_WITHOUT_NOTIFY,
            Fault.BROKEN_RECORD);

    private static final Set<Fault> TOO_LATE = EnumSet.of(Fault.HANG, Fault.SLOW_HEAD);

    private final List<String> reasons = new CopyOnWriteArrayList<>();

    @RegisterExtension
    final MillauExtension millau = MillauExtension.create(builder -> builder.listener(new TrafficListener() {
        @Override
        public void attemptFailed(Failed attempt) {
            reasons.add(attempt.reason());
        }
    }));

    static Stream<Arguments> all() {
        return Stream.of(ScriptedUpstream.Protocol.values())
                .flatMap(protocol -> Stream.of(Fault.values())
                        .filter(fault -> ScriptedUpstream.canHappen(fault, protocol))
                        .map(fault -> Arguments.of(protocol, fault)));
    }

    @ParameterizedTest
    @MethodSource("all")
    void itHappensAndEnds(ScriptedUpstream.Protocol protocol, Fault fault) throws Exception {
        ScriptedUpstream upstream = Upstreams.app(millau, protocol);
        assertThat(millau.get("/before").body()).isEqualTo("app");
        upstream.fails(fault);

        CompletableFuture<HttpResponse<String>> response = millau.sendAsync(millau.request("/x"));
        if (!ScriptedUpstream.isOfConnection(fault)) {
            assertThat(upstream.takeRequest(PATIENCE).path()).isEqualTo("/before");
            assertThat(upstream.takeRequest(PATIENCE).path()).isEqualTo("/x");
        }
        await().atMost(PATIENCE).until(() -> {
            if (TOO_LATE.contains(fault) || fault == Fault.HANDSHAKE_STALLED) {
                millau.advance(Duration.ofSeconds(31));
            }
            return response.isDone();
        });

        assertThat(seen(response)).isEqualTo(expected(protocol, fault));
        assertThat(reasons).as("in words").noneMatch(reason -> reason.contains("null"));

        upstream.heals();
        millau.advance(Duration.ofSeconds(60));
        await().atMost(PATIENCE).until(() -> millau.get("/after").body().equals("app"));
        assertThat(upstream.requests()).extracting(RecordedRequest::path).endsWith("/after");
    }

    private static String seen(CompletableFuture<HttpResponse<String>> response) throws InterruptedException {
        try {
            HttpResponse<String> whole = response.get();
            return whole.statusCode() == 200 ? whole.statusCode() + " " + whole.body() : "" + whole.statusCode();
        } catch (ExecutionException e) {
            return "cut";
        }
    }

    private static String expected(ScriptedUpstream.Protocol protocol, Fault fault) {
        if (protocol == ScriptedUpstream.Protocol.H2C && fault == Fault.LENGTH_TOO_SMALL) {
            return "cut";
        }
        if (CORRECT.contains(fault)) {
            return "200 " + Fault.BODY;
        }
        return CUT.contains(fault) ? "cut" : TOO_LATE.contains(fault) ? "504" : "502";
    }

    /** It said "no TLS: null". */
    @Test
    void aConnectionThatIsClosedInTheHandshakeIsToldAsThat() {
        millau.tlsUpstream("app").fails(Fault.HANDSHAKE_CLOSED);

        assertThat(millau.get("/").statusCode()).isEqualTo(502);
        assertThat(reasons).containsExactly("no TLS: the connection was closed in the handshake");
    }

    @Test
    void aFaultThatTheUpstreamCannotHaveIsRefused() {
        assertThatThrownBy(() -> millau.upstream("a").fails(Fault.STREAM_REFUSED))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("STREAM_REFUSED: expected an upstream that was added by h2cUpstream");
        assertThatThrownBy(() -> millau.upstream("a").fails(Fault.CERTIFICATE_EXPIRED))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> millau.h2cUpstream("a").fails(Fault.BROKEN_FIRST_CHUNK))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> millau.upstream("a").when("/x").fails(Fault.REFUSE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("REFUSE: expected a fault of a single request;"
                        + " connections fail by fails(REFUSE) of the upstream, until heals()");
    }

    /** The proxy would wait up to 10 s for an instance that is new and refuses connections, since it may be starting. */
    @Test
    void anUpstreamThatRefusesIsNotWaitedForAsIfItWereStarting() {
        millau.upstream("app").fails(Fault.REFUSE);

        long began = System.nanoTime();
        assertThat(millau.get("/").statusCode()).isEqualTo(502);
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(9));
    }
}
