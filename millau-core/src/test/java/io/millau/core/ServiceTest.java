package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.millau.core.internal.LogText;
import io.millau.core.internal.Settings;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServiceTest {

    private static final Service SERVICE = Service.named("app").build();

    static Stream<UnaryOperator<Service.Builder>> changes() {
        return Stream.of(
                builder -> builder.id("other"),
                builder -> builder.enabled(false),
                builder -> builder.hosts("one.com"),
                builder -> builder.path("/x"),
                builder -> builder.timeout(Duration.ofSeconds(1)),
                builder -> builder.retry(Duration.ofSeconds(1)),
                builder -> builder.retryUnsafe(true),
                builder -> builder.weight(2),
                builder -> builder.balancer(LoadBalancer.leastConnections()),
                builder -> builder.sticky(true),
                builder -> builder.health("/health"),
                builder -> builder.drain(Duration.ofSeconds(1)),
                builder -> builder.buffer(1),
                builder -> builder.endpoints(TestEndpoints.of("1")));
    }

    @ParameterizedTest
    @MethodSource("changes")
    void everyChangedSettingMakesADifferentService(UnaryOperator<Service.Builder> change) {
        Service changed = change.apply(SERVICE.toBuilder()).build();

        assertThat(changed).isNotEqualTo(SERVICE);
        assertThat(changed.toBuilder().build()).isEqualTo(changed).hasSameHashCodeAs(changed);
    }

    /** It got two shares of the requests. */
    @Test
    void anEndpointThatIsGivenTwiceCountsOnce() {
        Endpoint one = Endpoint.http("127.0.0.1", 8080);
        Endpoint two = Endpoint.http("127.0.0.1", 8081);

        assertThat(SERVICE.withEndpoints(List.of(one, two, Endpoint.http("127.0.0.1", 8080)))
                        .endpoints())
                .containsExactly(one, two);
    }

    @Test
    void theCanonicalHostIsOneOfItsHosts() {
        Service shop = Service.named("shop").hosts("x.com").canonical("y.com").build();

        assertThat(shop.hosts()).containsExactly("x.com", "y.com");
    }

    @Test
    void settingsDoNotDependOnTheName() {
        Settings settings = new Settings(SERVICE.toBuilder().weight(7).build(), 80, null, "http", Set.of(), null);

        assertThat(settings.service("shop").build())
                .isEqualTo(Service.named("shop").weight(7).build());
    }

    @Test
    void aTextThatIsWrongIsNamedUnlessItMayBeSecret() {
        Service.Builder service = Service.named("shop");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> service.limit("20 per second"))
                .withMessageStartingWith("limit=20 per second: expected a number of requests");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> service.allow("home"))
                .withMessageStartingWith("allow=home: ");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> service.auth("login/verify"))
                .withMessageStartingWith("auth: expected");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> service.users("anna"))
                .withMessageStartingWith("users: expected");
    }

    @ParameterizedTest
    @CsvSource({"/api/*, /api/", "/api/**, /api/", "/*, /"})
    void aPathIsNoPattern(String path, String instead) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Service.named("shop").path(path))
                .withMessage("path=" + path + ": expected the beginning of paths, without a pattern: write " + instead);
    }

    @Test
    void eachHostIsOneArgument() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Service.named("shop").hosts("a.example b.example"))
                .withMessage(
                        "hosts=[a.example b.example]: expected one host name, not several with blanks between them");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "\t\n"})
    void aServiceHasAName(String name) {
        String message = "service name " + LogText.value(name) + ": expected at least one visible character";

        assertThatIllegalArgumentException()
                .isThrownBy(() -> Service.named(name))
                .withMessage(message);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SERVICE.toBuilder(name))
                .withMessage(message);
    }

    @Test
    void valuesAreValidatedLikeLabelsAndNamedAsThose() {
        List<Consumer<Service.Builder>> wrong = List.of(
                builder -> builder.weight(-1),
                builder -> builder.weight(1001),
                builder -> builder.health("health"),
                builder -> builder.drain(Duration.ofSeconds(-1)),
                builder -> builder.drain(Duration.ofDays(2)),
                builder -> builder.buffer(-1),
                builder -> builder.buffer(64 * 1024 * 1024 + 1));

        assertThat(wrong)
                .allSatisfy(change -> assertThatIllegalArgumentException()
                        .isThrownBy(() -> change.accept(Service.named("app")))
                        .withMessageMatching("[a-z]+=\\S+: expected .*"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Service.named("app").weight(-1))
                .withMessage("weight=-1: expected a share from 0 to 1000");
    }
}
