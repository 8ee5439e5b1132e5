package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.LoadBalancer;
import io.millau.core.Service;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServiceLabelsTest {

    @Test
    void labelsHaveDefaults() {
        Settings settings = read(Map.of("millau.enabled", "true", "millau.port", "80"))
                .routes()
                .get("");

        assertThat(settings)
                .isEqualTo(new Settings(
                        Service.named(ServiceName.NONE)
                                .enabled(true)
                                .hosts("*")
                                .path("/")
                                .timeout(Duration.ofSeconds(30))
                                .retry(Duration.ofSeconds(60))
                                .retryUnsafe(false)
                                .weight(1)
                                .balancer(null)
                                .sticky(false)
                                .health(null)
                                .drain(Duration.ofSeconds(30))
                                .buffer(65536)
                                .build(),
                        80,
                        null,
                        "http",
                        Set.of(),
                        null));
    }

    @Test
    void everyLabelIsRead() {
        Settings settings = read(Map.ofEntries(
                        Map.entry("millau.enabled", " TRUE "),
                        Map.entry("millau.port", "8080"),
                        Map.entry("millau.hosts", "Company.com. blue.local  bücher.example *.Grün.example."),
                        Map.entry("millau.path", "/api/"),
                        Map.entry("millau.timeout", "0.5"),
                        Map.entry("millau.retry", "0"),
                        Map.entry("millau.retry-unsafe", "true"),
                        Map.entry("millau.weight", "0"),
                        Map.entry("millau.balance", "Least-Connections"),
                        Map.entry("millau.sticky", "true"),
                        Map.entry("millau.health", "/health?full=1"),
                        Map.entry("millau.errors", "/e?{status}"),
                        Map.entry("millau.drain", "0"),
                        Map.entry("millau.buffer", "1M"),
                        Map.entry("millau.max-body", "1G"),
                        Map.entry("millau.max-requests", "100"),
                        Map.entry("millau.network", "front")))
                .routes()
                .get("");

        assertThat(settings)
                .isEqualTo(new Settings(
                        Service.named(ServiceName.NONE)
                                .hosts("company.com", "blue.local", "xn--bcher-kva.example", "*.xn--grn-ioa.example")
                                .path("/api/")
                                .timeout(Duration.ofMillis(500))
                                .retry(Duration.ZERO)
                                .retryUnsafe(true)
                                .weight(0)
                                .balancer(LoadBalancer.leastConnections())
                                .sticky(true)
                                .health("/health?full=1")
                                .errors("/e?{status}")
                                .drain(Duration.ZERO)
                                .buffer(1024 * 1024)
                                .maxBody(1024 * 1024 * 1024)
                                .maxRequests(100)
                                .build(),
                        8080,
                        new LabelText("millau.network", "front"),
                        "http",
                        Set.of(),
                        null));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1", "65536, 65536", "64k, 65536", "64K, 65536", "1m, 1048576", "64m, 67108864"})
    void sizes(String value, int bytes) {
        assertThat(read(Map.of("millau.buffer", value))
                        .routes()
                        .get("")
                        .service()
                        .buffer())
                .isEqualTo(bytes);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "512k, 524288", "10m, 10485760", "5G, 5368709120", "1024g, 1099511627776"})
    void largeSizes(String value, long bytes) {
        assertThat(read(Map.of("millau.max-body", value))
                        .routes()
                        .get("")
                        .service()
                        .maxBody())
                .isEqualTo(bytes);
    }

    /** It protects its service: with a limit that can't be read, it gets no requests. */
    @ParameterizedTest
    @ValueSource(strings = {"0", "1025g", "9999999999999g", "10mb", "ten", "-1"})
    void aLimitThatCantBeReadClosesTheService(String value) {
        var reading = read(Map.of("millau.enabled", "true", "millau.port", "80", "millau.max-body", value));

        assertThat(reading.closed()).isTrue();
        assertThat(reading.problems())
                .singleElement()
                .asString()
                .startsWith("millau.max-body=" + value + ": expected a size");
    }

    @Test
    void withoutALabelTheRoutersBalancerApplies() {
        assertThat(read(Map.of()).routes().get("").service().balancer()).isNull();
        assertThat(read(Map.of("millau.balance", "round-robin"))
                        .routes()
                        .get("")
                        .service()
                        .balancer())
                .isSameAs(LoadBalancer.roundRobin());
    }

    @ParameterizedTest(name = "{0}={1}: {2}")
    @CsvSource(
            delimiter = '|',
            value = {
                "port     | eighty       | expected a port from 1 to 65535",
                "port     | 0            | expected a port from 1 to 65535",
                "port     | 65536        | expected a port from 1 to 65535",
                "port     | 80/tcp       | expected a port from 1 to 65535: write 80",
                "port     | 8080:80      | expected a port from 1 to 65535: write 80",
                "hosts    | *.           | expected host names separated by spaces, without port, or *",
                "hosts    | *one.com     | expected host names separated by spaces, without port, or *",
                "hosts    | *.*.one.com  | expected host names separated by spaces, without port, or *",
                "hosts    | a.*.one.com  | expected host names separated by spaces, without port, or *",
                "hosts    | *.[::1]      | expected a host name after *.",
                "canonical | *.one.com   | expected host names separated by spaces, without port, or *",
                "hosts    | one.com,two  | expected host names separated by spaces: write one.com two",
                "hosts    | https://one.com, two:80/ | expected host names separated by spaces: write one.com two",
                "hosts    | a.com, b;c   | expected host names separated by spaces: write a.com b c",
                "hosts    | one.com:80   | expected host names separated by spaces, without port, or *: write one.com",
                "hosts    | http://One/  | expected host names separated by spaces, without port, or *: write one",
                "hosts    | a b:443 *.c.* C_d MÜNCHEN.de | \"b:443\": expected host names separated by spaces, without port, or *: write b; \"*.c.*\": expected host names separated by spaces, without port, or *",
                "hosts    | a/b          | expected host names separated by spaces, without port, or *",
                "hosts    | ''           | expected host names",
                "path     | api          | expected a path that starts with /, /api for instance",
                "path     | /api?x       | without blanks, ? or #",
                "timeout  | 30s          | expected seconds, 30 or 0.5 for instance: write 30",
                "timeout  | 500 ms       | expected seconds, 30 or 0.5 for instance: write 0.5",
                "timeout  | 1.5M         | expected seconds, 30 or 0.5 for instance: write 90",
                "timeout  | 2h           | expected seconds, 30 or 0.5 for instance: write 7200",
                "timeout  | 0            | expected more than 0 seconds",
                "timeout  | -1           | expected seconds",
                "timeout  | 86401        | expected 0 to 86400 seconds",
                "retry    | soon         | expected seconds",
                "enabled  | yes          | expected true or false: write true",
                "retry-unsafe | Off      | expected true or false: write false",
                "retry-unsafe | 1        | expected true or false",
                "weight   | -1           | expected a share from 0 to 1000",
                "weight   | 1001         | expected a share from 0 to 1000",
                "weight   | 99999999999  | expected a share from 0 to 1000",
                "weight   | 0.5          | expected a share from 0 to 1000",
                "weight   | 10%          | expected a share from 0 to 1000",
                "balance  | leastconn    | expected round-robin, least-connections or least-time",
                "balance  | ''           | expected round-robin, least-connections or least-time",
            })
    void unreadableValues(String label, String value, String expected) {
        Vocabulary.Reading reading = ServiceLabels.read(
                label.equals("enabled")
                        ? Map.of("millau.port", "80", "millau.enabled", value)
                        : label.equals("port")
                                ? Map.of("millau.enabled", "true", "millau.port", value)
                                : Map.of("millau.enabled", "true", "millau.port", "80", "millau." + label, value),
                List.of());

        assertThat(reading.routes()).isEmpty();
        assertThat(reading.problems())
                .singleElement()
                .satisfies(message -> assertThat(message)
                        .startsWith("millau." + label + "=" + value + ": ")
                        .contains(expected));
    }

    @ParameterizedTest(name = "{0}={1}: {2}")
    @CsvSource(
            delimiter = '|',
            value = {
                "sticky   | yes          | expected true or false: write true",
                "health   | health       | expected a path that starts with /, /health for instance",
                "health   | http://x/    | expected a path that starts with /, /health for instance",
                "health   | /a b         | expected a path in ASCII, without blanks and #",
                "health   | /a#b         | expected a path in ASCII, without blanks and #",
                "health   | /ä           | expected a path in ASCII, without blanks and #",
                "errors   | /sorry.html  | expected {status} in it, as in /errors/{status}.html",
                "errors   | {status}     | expected a path that starts with /, /health for instance",
                "drain    | 30s          | expected seconds, 30 or 0.5 for instance: write 30",
                "drain    | 86401        | expected 0 to 86400 seconds",
                "buffer   | large        | expected a size, 64k, 1m or a number of bytes for instance",
                "buffer   | 64kb         | expected a size, 64k, 1m or a number of bytes for instance",
                "buffer   | -1           | expected a size, 64k, 1m or a number of bytes for instance",
                "buffer   | 65m          | expected a size up to 64m",
                "buffer   | 999999999m   | expected a size up to 64m",
            })
    void unreadableValuesOfLabelsWithoutEffect(String label, String value, String expected) {
        Vocabulary.Reading reading =
                read(Map.of("millau.enabled", "true", "millau.port", "80", "millau." + label, value));

        assertThat(reading.routes()).isEmpty();
        assertThat(reading.problems()).contains("millau." + label + "=" + value + ": " + expected);
    }

    @ParameterizedTest
    @CsvSource({
        "prot, port",
        "host, hosts",
        "PORT, port",
        "time-out, timeout",
        "retry_unsafe, retry-unsafe",
        "wieght, weight",
        "balancer, balance",
        "netwrok, network"
    })
    void anUnknownLabelIsReportedWithTheNearestNameAndChangesNothing(String typo, String meant) {
        Vocabulary.Reading reading = read(Map.of("millau.enabled", "true", "millau.port", "80", "millau." + typo, "x"));

        assertThat(reading.routes().get("")).isNotNull();
        assertThat(reading.problems())
                .singleElement()
                .asString()
                .startsWith("millau." + typo + "=x: unknown, did you mean millau." + meant + "?");
    }

    /** Not a word was said of it, and the service was not served. */
    @Test
    void aPrefixInOtherCaseIsNamed() {
        assertThat(ServiceLabels.concern(Map.of("Millau.Enabled", "true"))).isTrue();
        assertThat(read(Map.of("Millau.Port", "80", "MILLAU.enabled", "true")).problems())
                .containsExactly(
                        "MILLAU.enabled=true: unknown, since labels begin with millau. in lower case, did you mean millau.enabled?",
                        "Millau.Port=80: unknown, since labels begin with millau. in lower case, did you mean millau.port?");
    }

    /** Not a word was said of it either, and the service was not served, or without a login. */
    @ParameterizedTest
    @CsvSource({
        "milau.port, millau.port",
        "millua.port, millau.port",
        "imllau.port, millau.port",
        "nillau.port, millau.port",
        "Milau.port, millau.port",
        "millaux.port, millau.port",
        "mil-lau.port, ",
        "milau.admin.port, millau.admin.port",
        "milau.request-header.X-A, millau.request-header.X-A",
        "millau-port, millau.port",
        "millau_port, millau.port",
        "millau/admin.port, millau.admin.port",
        "millau:port, ",
        "mailu.port, ",
        "milan.port, ",
        "mill.port, ",
        "milau_port, ",
        "milau.prot, ",
        "milau., ",
        "milau, ",
        "millau, ",
        "millauport, ",
        "milau.a.b.port, ",
        "traefik.port, ",
        "'', ",
    })
    void aPrefixWithATypingMistakeIsNamed(String label, String meant) {
        Map<String, String> labels = Map.of("millau.enabled", "true", "millau.port", "80", label, "1");

        assertThat(ServiceLabels.isNearlyOurs(label)).isEqualTo(meant != null);
        assertThat(ServiceLabels.concern(Map.of(label, "1"))).isFalse();
        assertThat(ServiceLabels.mayConcern(Map.of(label, "1"))).isEqualTo(meant != null);
        assertThat(read(labels).routes()).hasSize(1);
        assertThat(read(labels).problems())
                .hasSize(meant == null ? 0 : 1)
                .allSatisfy(problem -> assertThat(problem)
                        .startsWith(Words.withoutValue(label))
                        .endsWith(": unknown, did you mean " + meant + "?"));
    }

    /** Who asks why a host is not served hears of the service that should. */
    @Test
    void theHostsOfALabelWithATypoAreThoseOfItsProblem() {
        LabelReader.Batch batch = new LabelReader().batch();
        batch.read("1", "app", Map.of("milau.enabled", "true", "milau.hosts", "a.test b.test"), List.of());

        assertThat(batch.finish())
                .hasSize(2)
                .allSatisfy(problem -> assertThat(problem.hosts()).containsExactly("a.test", "b.test"));
    }

    /** A label of others beside ours of the same name does no harm. */
    @Test
    void aTypoInThePrefixOfAProtectingLabelClosesTheServiceUnlessThatIsThere() {
        Map<String, String> labels = new HashMap<>(Map.of("millau.enabled", "true", "millau.port", "80"));
        labels.put("milau.allow", "10.0.0.0/8");
        assertThat(read(labels).closed()).isTrue();

        labels.put("millau.allow", "10.0.0.0/8");
        labels.put("milau.enabled", "false");
        assertThat(read(labels).closed()).isFalse();
        assertThat(read(labels).problems()).hasSize(2);
    }

    /** The route without a name was open, since another one had a login. */
    @Test
    void whatOneRouteSaysProtectsNoOther() {
        Map<String, String> labels = new HashMap<>(Map.of("millau.enabled", "true", "millau.port", "80"));
        labels.put("milau.allow", "10.0.0.0/8");
        labels.put("millau.admin.path", "/admin");
        labels.put("millau.admin.allow", "10.0.0.0/8");
        assertThat(read(labels).closed()).isTrue();

        labels.remove("milau.allow");
        labels.remove("millau.admin.allow");
        labels.put("millau.allow", "10.0.0.0/8");
        labels.put("milau.admin.allow", "10.0.0.0/8");
        assertThat(read(labels).closed()).isFalse(); // it has that of all routes
        assertThat(read(labels).problems()).singleElement().asString().doesNotContain("not protected");
    }

    /** It is not for all hosts, but for none. */
    @Test
    void nothingIsSaidToFollowForAServiceThatIsNotEnabled() {
        assertThat(read(Map.of("milau.enabled", "true", "millau.host", "typo.test"))
                        .problems())
                .containsExactly(
                        "milau.enabled=true: unknown, did you mean millau.enabled?",
                        "millau.host=typo.test: unknown, did you mean millau.hosts?");
        assertThat(read(Map.of("millau.enabled", "false", "millau.host", "typo.test", "millau.a.alow", "x"))
                        .problems())
                .noneMatch(problem -> problem.contains("Without it"));
        assertThat(read(Map.of("millau.a.enabled", "true", "millau.a.port", "1", "millau.host", "typo.test"))
                        .problems())
                .singleElement()
                .asString()
                .endsWith("Without it the service is for all hosts");
    }

    /** A list in YAML has the whole label as one text. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'millau.hosts '     | a.test | millau.hosts: its name has a blank at its end: write millau.hosts=a.test",
                "'millau.hosts\t'   | a.test | millau.hosts: its name has a blank at its end: write millau.hosts=a.test",
                "millau.weight: 8    | ''     | millau.weight: expected = after its name: write millau.weight=8",
                "millau.weight 8     | ''     | millau.weight: expected = after its name: write millau.weight=8",
                "millau.a.weight:8   | ''     | millau.a.weight: expected = after its name: write millau.a.weight=8",
                "millau.errors: /?a  | {status} | millau.errors: expected = after its name: write millau.errors=/?a={status}",
                "millau.users: a:b   | ''     | millau.users: expected = after its name: write millau.users=…",
                "'millau.allow '     | x      | millau.allow: its name has a blank at its end: write millau.allow=x. Without it the service is not protected",
            })
    void aBlankOrTheValueInANameIsNamed(String label, String value, String message) {
        Vocabulary.Reading reading =
                read(Map.of("millau.enabled", "true", "millau.port", "80", label.replace("\\t", "\t"), value));

        assertThat(reading.problems()).hasSizeBetween(1, 2).first().asString().startsWith(message);
        assertThat(reading.closed()).isEqualTo(label.contains("users") || label.contains("allow"));
    }

    @Test
    void anUnknownLabelWithoutASimilarNameListsTheKnownOnes() {
        assertThat(read(Map.of("millau.enabled", "true", "millau.port", "80", "millau.colour", "blue"))
                        .problems())
                .singleElement()
                .asString()
                .contains("unknown; known are enabled, port, hosts, path");
    }

    /** A typo must not put the beginning of a private key into the log and on the status page. */
    @ParameterizedTest
    @CsvSource({
        "keey, LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JR0hBZ0VB",
        "kye, c2VjcmV0",
        "tls-private, LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JR0hBZ0VB",
        "tls-private, -----BEGIN PRIVATE KEY----- MIGHAgEA"
    })
    void aPossibleKeyIsNotShownUnderAnUnknownName(String label, String value) {
        assertThat(read(Map.of("millau.enabled", "true", "millau.port", "80", "millau." + label, value))
                        .problems())
                .singleElement()
                .asString()
                .startsWith("millau." + label + ": unknown")
                .doesNotContain(value.substring(0, 8));
    }

    /** A label with the value of another one. Of a short key, the part that messages show was nearly all. */
    @ParameterizedTest
    @CsvSource({
        "port, -----BEGIN EC PRIVATE KEY----- MHcCAQEEIHRoaXMgaXMgdGhlIHNlY3JldCBwYXJ0IG9mIHRoZQ==",
        "timeout, LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JR0hBZ0VB"
    })
    void aPossibleKeyIsNotShownUnderAnotherName(String label, String value) {
        Map<String, String> labels = new HashMap<>(Map.of("millau.enabled", "true", "millau.port", "80"));
        labels.put("millau." + label, value);

        assertThat(read(labels).problems())
                .singleElement()
                .asString()
                .startsWith("millau." + label + ": expected")
                .doesNotContain(value.substring(0, 8));
    }

    @ParameterizedTest
    @CsvSource({"client-ac, x", "enabeld, false", "client_ca, x", "client-ca, x"})
    void aTypoOfAProtectingLabelClosesTheService(String label, String value) {
        Vocabulary.Reading reading =
                read(Map.of("millau.enabled", "true", "millau.port", "80", "millau." + label, value));

        assertThat(reading.closed()).isTrue();
        assertThat(reading.routes().get("").service().filters()).containsExactly(new ClosedService());
        assertThat(reading.problems()).isNotEmpty();
    }

    /** What it had before may be what the mistake was to change. */
    @Test
    void aClosedServiceForgetsItsLastGoodConfiguration() {
        LabelReader reader = new LabelReader();
        Map<String, String> good = Map.of("millau.enabled", "true", "millau.port", "80", "millau.hosts", "a.example");
        reader.batch().read("1", "app", good, List.of());
        Map<String, String> wrong = new HashMap<>(good);
        wrong.put("millau.allow", "office");
        LabelReader.Batch closed = reader.batch();

        Service service =
                closed.read("1", "app", wrong, List.of()).get(0).toService("1").build();
        assertThat(service.hosts()).containsExactly("a.example");
        assertThat(service.filters()).hasToString("[" + new ClosedService() + "]");
        assertThat(closed.finish()).singleElement().asString().endsWith("(the service is closed: requests get 503)");

        wrong = new HashMap<>(wrong);
        wrong.put("millau.hosts", "a b:1");
        LabelReader.Batch nowhere = reader.batch();
        assertThat(nowhere.read("1", "app", wrong, List.of())).isEmpty();
        assertThat(nowhere.finish()).isNotEmpty().allSatisfy(problem -> {
            assertThat(problem.hosts()).containsExactly("a", "b:1");
            assertThat(problem.toString()).endsWith("(the service is left out), so that it gets no requests for a b:1");
        });
    }

    /** What it counts began anew with each change of another label, and in a file with each change of another service. */
    @Test
    void aLimitSurvivesChangesOfOtherLabels() {
        LabelReader reader = new LabelReader();
        Map<String, String> labels = Map.of("millau.enabled", "true", "millau.port", "80", "millau.limit", "5/h");
        Object before = limitOf(reader.batch().read("1", "app", labels, List.of()));
        Map<String, String> other = new HashMap<>(labels);
        other.put("millau.weight", "7");
        List<LabelReader.Route> heavier = reader.batch().read("1", "app", other, List.of());
        assertThat(limitOf(heavier)).isSameAs(before);
        assertThat(heavier.get(0).settings().service().weight()).isEqualTo(7);

        Vocabulary.Reading again = ServiceLabels.read(other, List.of());
        assertThat(limitOf(reader.batch().accept("1", "app", again))).isSameAs(before);

        Map<String, String> wider = new HashMap<>(other);
        wider.put("millau.limit", "6/h");
        assertThat(limitOf(reader.batch().read("1", "app", wider, List.of()))).isNotSameAs(before);
    }

    private static Object limitOf(List<LabelReader.Route> routes) {
        return routes.get(0).toService("1").build().filters().get(0);
    }

    @Test
    void theOnlyExposedPortReplacesAMissingPort() {
        Map<String, String> labels = Map.of("millau.enabled", "true");

        assertThat(ServiceLabels.read(labels, List.of(8080, 8080))
                        .routes()
                        .get("")
                        .port())
                .isEqualTo(8080);
        assertThat(ServiceLabels.read(labels, List.of()).problems())
                .singleElement()
                .asString()
                .startsWith("millau.port is missing");
        assertThat(ServiceLabels.read(labels, List.of(80, 443)).problems())
                .singleElement()
                .asString()
                .endsWith("it exposes 80, 443");
    }

    @Test
    void aServiceThatIsNotEnabledNeedsNoPort() {
        assertThat(read(Map.of("millau.hosts", "one.com")).routes().get("").enabled())
                .isFalse();
        assertThat(read(Map.of("millau.hosts", "one.com")).problems()).isEmpty();
    }

    @Test
    void aLongOrMultilineValueIsShownShortAndInOneLine() {
        String message = read(Map.of("millau.enabled", "true", "millau.port", "a\nb" + "x".repeat(500)))
                .problems()
                .get(0);

        assertThat(message).contains("=a?bxxx").hasSizeLessThan(200);
    }

    @Test
    void aValueThatBecomesInvalidLeavesTheServiceUnchanged() {
        LabelReader reader = new LabelReader();
        LabelReader.Batch first = reader.batch();
        List<LabelReader.Route> good =
                first.read("1", "app", Map.of("millau.enabled", "true", "millau.port", "80"), List.of());
        assertThat(first.finish()).isEmpty();

        LabelReader.Batch second = reader.batch();
        List<LabelReader.Route> kept =
                second.read("1", "app", Map.of("millau.enabled", "true", "millau.port", "x"), List.of());
        assertThat(kept).isEqualTo(good).hasSize(1);
        assertThat(second.finish())
                .singleElement()
                .asString()
                .endsWith("(the service keeps its last good configuration)");

        LabelReader.Batch third = reader.batch();
        assertThat(third.read(
                        "1",
                        "app",
                        Map.of("millau.enabled", "true", "millau.port", "80", "millau.weight", "x"),
                        List.of()))
                .isEqualTo(good);

        assertThat(reader.batch().finish()).isEmpty();
        LabelReader.Batch afterItWasGone = reader.batch();
        assertThat(afterItWasGone.read("1", "app", Map.of("millau.enabled", "true", "millau.port", "x"), List.of()))
                .isEmpty();
        assertThat(afterItWasGone.finish()).singleElement().asString().endsWith("(the service is left out)");
    }

    @Test
    void aClosedServiceDoesNotKeepItsLastGoodConfiguration() {
        LabelReader reader = new LabelReader();
        LabelReader.Batch first = reader.batch();
        first.read("1", "app", Map.of("millau.enabled", "true", "millau.port", "80"), List.of());
        first.finish();

        assertThat(reader.batch().read("1", "app", Map.of("millau.enabled", "maybe", "millau.port", "80"), List.of()))
                .isEmpty();
    }

    private static Vocabulary.Reading read(Map<String, String> labels) {
        return ServiceLabels.read(labels, List.of());
    }
}
