package io.millau.server.internal.moving;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Routes with equal hosts and paths share requests in Millau, so they never differ in another label of an open service. */
class TraefikSharedTest {

    private static final List<String> MIDDLEWARES = List.of(
            "login.basicauth.users=$${USERS}",
            "office.ipallowlist.sourcerange=10.0.0.0/8",
            "few.ratelimit.average=5",
            "frame.headers.framedeny=true",
            "zip.compress=true",
            "www.redirectregex.regex=^https?://a.example/(.*)",
            "www.redirectregex.replacement=https://www.a.example/$${1}");

    private static List<String> lines(List<String> routers) throws Exception {
        List<String> labels = new ArrayList<>(routers);
        labels.replaceAll(label -> "traefik.http.routers." + label);
        MIDDLEWARES.forEach(label -> labels.add("traefik.http.middlewares." + label));
        return Moving.from(
                        Moving.Proxy.TRAEFIK,
                        "compose.yml",
                        labels.stream()
                                .map(label -> "      - '" + label + "'\n")
                                .collect(Collectors.joining("", "services:\n  shop:\n    labels:\n", "")))
                .lines();
    }

    /** Every second request got 403. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Host(`a.example`) && (ClientIP(`10.0.0.0/8`) || ClientIP(`172.16.0.0/12`))",
                "Host(`a.example`) && ClientIP(`10.0.0.0/8`) || Host(`a.example`) && ClientIP(`172.16.0.0/12`)",
                "Host(`a.example`) && ClientIP(`10.0.0.0/8`) || Host(`A.example`) && PathPrefix(`/`) && ClientIP(`172.16.0.0/12`)",
            })
    void alternativesThatDifferInClientsAreOneRoute(String rule) throws Exception {
        assertThat(lines(List.of("c.rule=" + rule)))
                .contains(
                        "    - millau.enabled=true",
                        "    - millau.hosts=a.example",
                        "    - millau.allow=10.0.0.0/8 172.16.0.0/12");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a.middlewares=login ; b.priority=1",
                "a.middlewares=office ; b.priority=1",
                "a.middlewares=few ; b.priority=1",
                "a.middlewares=frame ; b.priority=1",
                "a.middlewares=zip ; b.priority=1",
                "a.priority=1 ; b.middlewares=login",
                "a.middlewares=login ; b.middlewares=few",
                "a.rule=Host(`a.example`) || Host(`b.example`) ; b.middlewares=login",
                "a.rule=Host(`a.example`) && PathPrefix(`/x`) ; b.rule=Host(`A.example`) && PathPrefix(`/x/`) && ClientIP(`10.0.0.1`)",
                "a.rule=PathPrefix(`/x`) ; b.rule=PathPrefix(`/x`) && ClientIP(`10.0.0.1`)",
                "a.rule=Host(`a.example`) && ClientIP(`10.0.0.1`) ; b.rule=Host(`a.example`) && ClientIP(`10.0.0.2`)",
                "a.rule=Host(`a.example`) || Host(`b.example`) ; b.tls=true",
                "a.middlewares=www ; b.rule=Host(`www.a.example`) ; c.rule=Host(`www.a.example`) ; c.middlewares=login",
                "a.middlewares=www,login ; b.rule=Host(`www.a.example`)",
            })
    void routersOfTheSameRequestsThatDifferCloseTheService(String changes) throws Exception {
        List<String> labels = new ArrayList<>(List.of("a.rule=Host(`a.example`)", "b.rule=Host(`a.example`)"));
        for (String label : changes.split(" ; ")) {
            labels.removeIf(other -> other.startsWith(label.substring(0, label.indexOf('=') + 1)));
            labels.add(label);
        }

        assertThat(lines(labels))
                .contains("    - millau.enabled=false")
                .anyMatch(line -> line.contains(".rule can't be carried over: "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Host(`a.example`) | 9 | for http://a.example/ Traefik prefers this router, by its priority, and Millau gives them to both in turn, since router other of other has the same host and path: give",
                "HostRegexp(`^.+\\.b\\.a\\.example$`) | 99 | for http://any.b.a.example/ Traefik prefers this router, by its priority, and Millau prefers router more of other, since its host fits better: give",
                "PathPrefix(`/long`) | none | for http://a.example/long Traefik prefers this router, by the length of its rule, and Millau prefers router other of other, since its host fits better: give",
            })
    void whichRouterGetsRequestsHereAndWhyIsSaid(String rule, String priority, String said) throws Exception {
        String labels = "\"traefik.http.routers.shop.rule=" + rule.replace("\\", "\\\\") + "\""
                + (priority.equals("none") ? "" : ", traefik.http.routers.shop.priority=" + priority);
        assertThat(Moving.from(Moving.Proxy.TRAEFIK, "compose.yml", """
                services:
                  shop:
                    labels: [%s]
                  other:
                    labels:
                      - traefik.http.routers.other.rule=Host(`a.example`)
                      - traefik.http.routers.other.priority=3
                      - traefik.http.routers.more.rule=Host(`any.b.a.example`)
                      - traefik.http.routers.more.priority=4
                """.formatted(labels))
                        .lines())
                .anyMatch(line -> line.contains(" can't be carried over: " + said));
    }

    @Test
    void routersOfTheSameRequestsThatAreAlikeAreOne() throws Exception {
        assertThat(lines(List.of(
                        "a.rule=Host(`a.example`)",
                        "a.middlewares=login,few",
                        "b.rule=Host(`a.example`)",
                        "b.middlewares=few,login")))
                .contains("    - millau.enabled=true", "    - millau.hosts=a.example", "    - millau.limit=5/s");
    }

    @ParameterizedTest
    @CsvSource({"login,false", "office,false", "frame,true"})
    void aServiceThatSharesRequestsWithOneThatIsProtectedStaysClosed(String middleware, boolean open) throws Exception {
        List<String> lines = Moving.from(Moving.Proxy.TRAEFIK, "compose.yml", """
                services:
                  blue:
                    labels:
                      - traefik.http.routers.blue.rule=Host(`a.example`)
                      - traefik.http.routers.blue.middlewares=%s
                      - traefik.http.middlewares.login.basicauth.users=${USERS}
                      - traefik.http.middlewares.office.ipallowlist.sourcerange=10.0.0.0/8
                      - traefik.http.middlewares.frame.headers.framedeny=true
                  next:
                    labels:
                      - traefik.http.routers.next.rule=Host(`a.example`)
                """.formatted(middleware))
                .lines();

        assertThat(lines.subList(lines.lastIndexOf("  labels:"), lines.size()).contains("    - millau.enabled=true"))
                .isEqualTo(open);
    }

    /** Its own host is redirected before anything else is done. */
    @Test
    void aRouterThatRedirectsToTheHostOfAnotherNeedsNoneOfItsMiddlewares() throws Exception {
        assertThat(lines(List.of(
                        "a.rule=Host(`a.example`)",
                        "a.middlewares=www",
                        "b.rule=Host(`www.a.example`)",
                        "b.middlewares=login,few")))
                .contains("    - millau.enabled=true", "    - millau.canonical=www.a.example");
    }

    /** The router of an entry point that redirects all requests answers none. */
    @Test
    void aRouterForPlainHttpThatIsRedirectedNeedsNoMiddlewares() throws Exception {
        assertThat(Moving.from(Moving.Proxy.TRAEFIK, "compose.yml", """
                services:
                  traefik:
                    image: traefik
                    command:
                      - --entrypoints.web.address=:80
                      - --entrypoints.web.http.redirections.entrypoint.to=websecure
                      - --entrypoints.websecure.address=:443
                  shop:
                    labels:
                      - traefik.http.routers.a.rule=Host(`a.example`)
                      - traefik.http.routers.a.entrypoints=web
                      - traefik.http.routers.b.rule=Host(`a.example`)
                      - traefik.http.routers.b.entrypoints=websecure
                      - traefik.http.routers.b.middlewares=few
                      - traefik.http.middlewares.few.ratelimit.average=5
                """).lines())
                .contains("    - millau.enabled=true", "    - millau.limit=5/s");
    }
}
