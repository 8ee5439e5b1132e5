package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The two matching tables of the contract, one test for each row, and the other matching rules. */
class MatchingTest {

    private final Router router = new Router();

    @ParameterizedTest(name = "{0}: {1} gets {2}")
    @CsvSource({
        "one.com two.com,     one.com,            one.com",
        "one.com two.com,     www.two.com,        two.com",
        "one.com two.com,     three.two.com,      two.com",
        "one.com local,       blue.local,         local",
        "* two.com,           two.com,            two.com",
        "* two.com,           one.com,            *",
        "* *,                 one.com,            * *",
        "company.local,       company.locall,     none",
        "company.local,       notcompany.local,   none",
    })
    void hosts(String configured, String requested, String selected) {
        declareServices(configured.split(" "), new String[] {"/"});

        assertThat(selection(requested, "/", true)).isEqualTo(selected);
    }

    @ParameterizedTest(name = "{0}: {1} gets {2}")
    @CsvSource({
        "/api/ /,                   /api/,              /api/",
        "/api/ /,                   /api/x,             /api/",
        "/api/ /,                   /api/x/,            /api/",
        "/api/ /,                   /api/x/file.html,   /api/",
        "/api/ /,                   /api,               /",
        "/api/ /,                   /file.html,         /",
        "/api/ / /file.html,        /file.html,         /file.html",
        "/file /api/ / /file,       /file.html,         /file /file",
        "/api/ / /file /file.html,  /file.html,         /file.html",
        "/api/ / /api/,             /api/,              /api/ /api/",
    })
    void paths(String configured, String requested, String selected) {
        declareServices(new String[] {"*"}, configured.split(" "));

        assertThat(selection("one.com", requested, false)).isEqualTo(selected);
    }

    @ParameterizedTest
    @CsvSource({
        "ONE.com, one.com",
        "one.com:8080, one.com",
        "one.com., one.com",
        "One.Com.:80, one.com",
        "a.b.one.com:1, one.com",
        "[::1]:8080, [::1]",
        "[::1], [::1]",
        "[0:0:0:0:0:0:0:1], [::1]",
        "[0:0:0:0:0:0:0:1]:80, [::1]",
        "[2001:0DB8::0:1], [2001:db8::1]",
        "xn--strae-oqa.example, xn--strae-oqa.example"
    })
    @DisplayName("Case, port and a trailing dot are ignored")
    void canonicalHosts(String requested, String selected) {
        declareServices(
                new String[] {"one.com", "::1", "[2001:db8:0:0:0:0:0:1]", "straße.example"}, new String[] {"/"});

        assertThat(selection(requested, "/", true)).isEqualTo(selected);
    }

    @ParameterizedTest
    @CsvSource(
            value = {
                "'[::g]'",
                "'[]'",
                "'[]:80'",
                "'[::1'",
                "''",
                "'.'",
                "':80'",
                "'..'",
                "'.com'",
                "']'",
                "'['",
                "'one.com.evil'"
            })
    @DisplayName("An invalid host name matches nothing")
    void invalidHosts(String requested) {
        declareServices(new String[] {"one.com"}, new String[] {"/"});

        assertThat(selection(requested, "/", true)).isEqualTo("none");
    }

    @Test
    void theLongestSuffixWins() {
        declareServices(new String[] {"com", "two.com", "three.two.com"}, new String[] {"/"});

        assertThat(selection("x.three.two.com", "/", true)).isEqualTo("three.two.com");
        assertThat(selection("x.two.com", "/", true)).isEqualTo("two.com");
        assertThat(selection("x.com", "/", true)).isEqualTo("com");
    }

    @ParameterizedTest
    @CsvSource({
        "two.com, two.com",
        "x.two.com, *.two.com",
        "X.Y.Two.com.:80, *.two.com",
        "three.two.com, three.two.com",
        "x.three.two.com, three.two.com",
        "four.two.com, *.two.com",
        "x.four.two.com, *.four.two.com",
        "one.com, *.com",
        "com, *",
        ".two.com, two.com",
        "xtwo.com, *.com",
        "xfour.two.com, *.two.com"
    })
    @DisplayName("*.two.com matches subdomains alone, and they prefer it to two.com")
    void subdomainsAlone(String requested, String selected) {
        declareServices(
                new String[] {"*", "*.com", "two.com", "*.two.com", "three.two.com", "*.four.two.com"},
                new String[] {"/"});

        assertThat(selection(requested, "/", true)).isEqualTo(selected);
    }

    @Test
    void aHostItselfIsTriedIfThePathOfItsSubdomainsDoesNotMatch() {
        router.replace(Set.of(
                running("tenants").hosts("*.shop.com").path("/cart/").build(),
                running("shop").hosts("shop.com").path("/").build()));

        assertThat(matchingService("a.shop.com", "/cart/1")).isEqualTo("tenants");
        assertThat(matchingService("a.shop.com", "/")).isEqualTo("shop");
        assertThat(matchingService("shop.com", "/cart/1")).isEqualTo("shop");
    }

    @Test
    void aLessSpecificHostIsTriedIfThePathDoesNotMatch() {
        router.replace(Set.of(
                running("shop").hosts("www.shop.com").path("/cart/").build(),
                running("parent").hosts("shop.com").path("/about/").build(),
                running("rest").build()));

        assertThat(matchingService("www.shop.com", "/cart/1")).isEqualTo("shop");
        assertThat(matchingService("www.shop.com", "/about/")).isEqualTo("parent");
        assertThat(matchingService("www.shop.com", "/")).isEqualTo("rest");
    }

    @Test
    void aServiceWithoutEndpointsMatchesOnlyIfNoRunningOneDoes() {
        Service company = running("company").hosts("company.com").build();
        Service maintenance = running("maintenance").build();
        router.replace(Set.of(company, maintenance));
        assertThat(matchingService("company.com", "/")).isEqualTo("company");

        router.replace(Set.of(company.withEndpoints(java.util.List.of()), maintenance));
        assertThat(matchingService("company.com", "/")).isEqualTo("maintenance");

        router.replace(Set.of(company.withEndpoints(java.util.List.of())));
        Delivery delivery = router.open("company.com", "/", "GET");
        assertThat(delivery.running()).isFalse();
        assertThat(delivery.service().name()).isEqualTo("company");
        assertThat(delivery.next()).isNull();

        router.replace(Set.of(company, maintenance));
        assertThat(matchingService("company.com", "/")).isEqualTo("company");
    }

    @Test
    void aDisabledServiceNeverMatches() {
        router.replace(Set.of(running("red").enabled(false).build()));

        assertThat(router.open("one.com", "/", "GET")).isNull();
    }

    private void declareServices(String[] hosts, String[] paths) {
        int[] number = {0};
        router.replace(Arrays.stream(hosts)
                .flatMap(host -> Arrays.stream(paths)
                        .map(path -> running("service" + number[0]++)
                                .hosts(host)
                                .path(path)
                                .build()))
                .collect(Collectors.toList()));
    }

    private static Service.Builder running(String name) {
        return Service.named(name).endpoints(TestEndpoints.of(name + "-1"));
    }

    private String matchingService(String host, String path) {
        return router.open(host, path, "GET").service().name();
    }

    /** The hosts, or paths, of the services among which such requests are balanced. */
    private String selection(String host, String path, boolean hosts) {
        Set<String> names = new TreeSet<>();
        StringBuilder selected = new StringBuilder();
        for (int i = 0; i < 10; i++) {
            Delivery delivery = router.open(host, path, "GET");
            if (delivery == null) {
                assertThat(router.explain(host, path).route()).isNull();
                return "none";
            }
            assertThat(router.explain(host, path).chosen()).contains(delivery.service());
            delivery.next();
            if (names.add(delivery.service().name())) {
                selected.append(selected.isEmpty() ? "" : " ")
                        .append(
                                hosts
                                        ? delivery.service().hosts().get(0)
                                        : delivery.service().path());
            }
        }
        assertThat(router.explain(host, path).chosen())
                .extracting(Service::name)
                .containsExactlyElementsOf(names);
        return selected.toString();
    }
}
