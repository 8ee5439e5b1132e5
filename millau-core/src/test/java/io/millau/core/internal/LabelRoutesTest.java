package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Problem;
import io.millau.core.Service;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code millau.ROUTE.LABEL}: several routes of one service. */
class LabelRoutesTest {

    private static Map<String, String> labels(String... pairs) {
        Map<String, String> all = new HashMap<>(Map.of("millau.enabled", "true"));
        for (int i = 0; i < pairs.length; i += 2) {
            all.put("millau." + pairs[i], pairs[i + 1]);
        }
        return all;
    }

    private static Vocabulary.Reading read(String... labels) {
        return ServiceLabels.read(labels(labels), List.of());
    }

    private static Map<String, Settings> routes(String... labels) {
        Vocabulary.Reading reading = read(labels);
        assertThat(reading.problems()).isEmpty();
        return reading.routes();
    }

    @Test
    void aRouteTakesWhatItDoesNotSayFromTheLabelsWithoutAName() {
        Map<String, Settings> routes = routes(
                "port", "80",
                "hosts", "shop.example",
                "timeout", "5",
                "request-header.X-Tenant", "a",
                "request-header.X-Zone", "z",
                "admin.port", "9000",
                "admin.path", "/admin",
                "admin.allow", "private",
                "admin.request-header.x-tenant", "b",
                "admin.compress", "true",
                "Api-2.hosts", "api.example");

        assertThat(routes).containsOnlyKeys("", "admin", "Api-2");
        assertThat(routes.values()).extracting(Settings::port).containsExactly(80, 80, 9000);
        Service unnamed = routes.get("").service();
        assertThat(unnamed.path()).isEqualTo("/");
        assertThat(unnamed.filters()).hasSize(1);
        assertThat(unnamed.compress()).isFalse();
        Service admin = routes.get("admin").service();
        assertThat(admin.enabled()).isTrue();
        assertThat(admin.hosts()).containsExactly("shop.example");
        assertThat(admin.path()).isEqualTo("/admin");
        assertThat(admin.timeout()).hasSeconds(5);
        assertThat(admin.requestHeaders()).containsExactlyInAnyOrderEntriesOf(Map.of("x-tenant", "b", "X-Zone", "z"));
        assertThat(admin.filters()).hasSize(2);
        assertThat(admin.compress()).isTrue();
        assertThat(routes.get("Api-2").service().hosts()).containsExactly("api.example");
    }

    @ParameterizedTest
    @CsvSource({
        "port, 80, true",
        "hosts, shop.example, true",
        "path, /shop, true",
        "timeout, 5, false",
        "allow, private, false",
    })
    void theRouteWithoutANameExistsIfItSaysWhichRequestsItGets(String label, String value, boolean exists) {
        Map<String, Settings> routes = ServiceLabels.read(
                        labels(label, value, "admin.port", "9000", "admin.path", "/admin"), List.of(80))
                .routes();

        assertThat(routes.containsKey("")).isEqualTo(exists);
        assertThat(routes).containsKey("admin").hasSize(exists ? 2 : 1);
    }

    @Test
    void theOnlyExposedPortIsThatOfEachRouteWithoutOne() {
        Map<String, String> labels = labels("a.path", "/a", "b.path", "/b", "b.port", "9000");

        assertThat(ServiceLabels.read(labels, List.of(80)).routes().get("a").port())
                .isEqualTo(80);
        assertThat(ServiceLabels.read(labels, List.of(80)).routes().get("b").port())
                .isEqualTo(9000);
        assertThat(ServiceLabels.read(labels, List.of(80, 9000)).problems())
                .containsExactly("millau.a.port is missing: expected the port the service listens on inside its"
                        + " container; it exposes 80, 9000");
    }

    @Test
    void oneRouteAloneMayBeEnabled() {
        Map<String, Settings> routes =
                routes("enabled", "false", "port", "80", "admin.port", "9000", "admin.enabled", "true");

        assertThat(routes.get("").enabled()).isFalse();
        assertThat(routes.get("admin").enabled()).isTrue();
    }

    /** A route of another host was redirected to the first. */
    @Test
    void theCanonicalHostBelongsToTheHostsBesideIt() {
        Map<String, Settings> routes = routes(
                "port", "80",
                "hosts", "www.shop.example",
                "canonical", "shop.example",
                "api.hosts", "api.example",
                "admin.path", "/admin");

        assertThat(routes.get("api").service().get(Labels.CANONICAL)).isNull();
        assertThat(routes.get("admin").service().get(Labels.CANONICAL)).isEqualTo("shop.example");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            admin.timeout   | 3s     | millau.admin.timeout=3s: expected seconds, 30 or 0.5 for instance: write 3 | false
            timeout         | 3s     | millau.timeout=3s: expected seconds, 30 or 0.5 for instance: write 3 | false
            admin.weight    | x      | millau.admin.weight=x: expected a share from 0 to 1000 | false
            admin.auth-headers | X-U | millau.admin.auth is missing: expected beside millau.admin.auth-headers | true
            admin.cert      | x      | millau.admin.key is missing: expected beside millau.admin.cert | false
            admin.key       | x      | millau.admin.cert is missing: expected beside millau.admin.key | false
            admin.allow     | office | millau.admin.allow=office: "office": expected addresses or ranges such as 10.0.0.0/8 or 2001:db8::/32, private, or cloudflare | true
            admin.alow      | office | millau.admin.alow=office: unknown, did you mean millau.admin.allow? Without it the service is not protected | true
            admin_ui.allow  | 1.2.3.4| millau.admin_ui.allow=1.2.3.4: unknown, did you mean millau.admin-ui.allow? Without it the service is not protected | true
            port.allow      | 1.2.3.4| millau.port.allow=1.2.3.4: unknown, did you mean millau.ROUTE.allow? Without it the service is not protected | true
            lone.allow      | private| millau.lone.allow: expected millau.lone.port or millau.lone.hosts or millau.lone.path beside it, since each route has one of these. Without it the service is not protected | true
            lone.timeout    | 3      | millau.lone.timeout: expected millau.lone.port or millau.lone.hosts or millau.lone.path beside it, since each route has one of these | false
            """)
    void aMistakeInOneRouteConcernsAllSinceAnotherCouldGetItsRequests(
            String label, String value, String problem, boolean closes) {
        Vocabulary.Reading reading = read("port", "80", "admin.path", "/admin", label, value);

        assertThat(reading.problems()).containsExactly(problem);
        assertThat(reading.closed()).isEqualTo(closes);
        assertThat(reading.routes().values())
                .allSatisfy(route -> assertThat(route.service().filters()).containsExactly(new ClosedService()))
                .hasSize(closes ? 2 : 0);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            admin.prot       | 80 | millau.admin.prot=80: unknown, did you mean millau.admin.port?
            admin.PORT       | 80 | millau.admin.PORT=80: unknown, did you mean millau.admin.port?
            a.timeuot        | 80 | millau.a.timeuot=80: unknown, did you mean millau.a.timeout?
            a.b.port         | 80 | millau.a.b.port=80: unknown, did you mean millau.a.port?
            strpi            | 80 | millau.strpi=80: unknown, did you mean millau.strip?
            admin.request-haeder.X   | 1 | millau.admin.request-haeder.X: unknown, did you mean millau.admin.request-header.X?
            request-haeder.X         | 1 | millau.request-haeder.X: unknown, did you mean millau.request-header.X?
            response-haeder.port     | 1 | millau.response-haeder.port=1: unknown, did you mean millau.response-header.port?
            response-haeder.hosts    | 1 | millau.response-haeder.hosts=1: unknown, did you mean millau.response-header.hosts?
            """)
    void anUnknownLabelIsNoRouteAndChangesNothing(String label, String value, String problem) {
        Vocabulary.Reading reading = read("port", "80", "admin.path", "/admin", label, value);

        assertThat(reading.problems()).containsExactly(problem);
        assertThat(reading.routes()).containsOnlyKeys("", "admin");
    }

    @Test
    void aPrefixInOtherCaseIsNamedWithTheRoute() {
        Map<String, String> labels = labels("port", "80");
        labels.put("Millau.Admin.Port", "80");

        assertThat(ServiceLabels.read(labels, List.of()).problems())
                .containsExactly(
                        "Millau.Admin.Port=80: unknown, since labels begin with millau. in lower case, did you mean"
                                + " millau.Admin.port?");
    }

    @Test
    void namesOfHeadersMayLookLikeLabelsOfARoute() {
        Map<String, Settings> routes =
                routes("port", "80", "response-header.port", "1", "request-header.admin.port", "2");

        assertThat(routes).containsOnlyKeys("");
        assertThat(routes.get("").service().requestHeaders()).containsExactly(Map.entry("admin.port", "2"));
    }

    @Test
    void allRoutesKeepTheirLastGoodSettingsTogether() {
        LabelReader reader = new LabelReader();
        Map<String, String> good = labels("port", "80", "admin.path", "/admin", "admin.allow", "private");
        List<LabelReader.Route> before = reader.batch().read("1", "shop", good, List.of());
        Map<String, String> wrong = new HashMap<>(good);
        wrong.put("millau.port", "81");
        wrong.put("millau.admin.path", "admin");

        LabelReader.Batch next = reader.batch();
        assertThat(next.read("1", "shop", wrong, List.of())).isEqualTo(before);
        assertThat(next.finish())
                .extracting(Problem::toString)
                .singleElement()
                .asString()
                .startsWith("shop: millau.admin.path=admin: expected")
                .endsWith("(the service keeps its last good configuration)");
        assertThat(before).extracting(LabelReader.Route::name).containsExactly("shop", "shop/admin");

        wrong = new HashMap<>(wrong);
        wrong.put("millau.admin.allow", "office");
        assertThat(reader.batch().read("1", "shop", wrong, List.of()))
                .extracting(LabelReader.Route::name)
                .containsExactly("shop"); // closed; which requests are those of shop/admin is not known
    }

    /** What the engine says may hold anything: a container named itself like a route of another. */
    @Test
    void noServiceHasTheIdOfARoute() {
        LabelReader.Route admin = new LabelReader()
                .batch()
                .read("compose:a/b", "b", labels("admin.port", "80"), List.of())
                .get(0);

        assertThat(admin.toService("compose:a/b").build().id()).isEqualTo("admin of compose:a/b");
    }

    /** Nobody was told that a typo in the hosts of a service makes it that of all hosts without a service. */
    @ParameterizedTest
    @CsvSource({
        "host=shop.example, millau.hosts? Without it the service is for all hosts",
        "hsots=shop.example, millau.hosts? Without it the service is for all hosts",
        "pth=/admin, millau.path? Without it the service is for all paths",
        "host=shop.example hosts=shop.example, millau.hosts?",
        "wieght=3, millau.weight?"
    })
    void whatFollowsFromMisspelledHostsIsSaid(String texts, String end) {
        Map<String, String> all = new HashMap<>(labels("enabled", "true", "port", "80"));
        for (String text : texts.split(" ")) {
            all.put("millau." + text.split("=")[0], text.split("=")[1]);
        }

        assertThat(ServiceLabels.read(all, List.of()).problems())
                .singleElement()
                .asString()
                .endsWith(": unknown, did you mean " + end);
    }

    /** Whoever starts a container may give it any label of Compose, by which its service is named. */
    @Test
    void aServiceWithoutANameIsLeftOut() {
        LabelReader reader = new LabelReader();
        LabelReader.Batch batch = reader.batch();

        assertThat(batch.read("1", " ", labels("port", "80", "admin.path", "/admin"), List.of()))
                .isEmpty();
        assertThat(batch.read("2", "app", labels("port", "80"), List.of())).hasSize(1);
        assertThat(batch.finish())
                .containsExactly(new Problem(
                        " ", "service name \" \": expected at least one visible character (the service is left out)"));
    }
}
