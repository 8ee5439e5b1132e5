package io.millau.server.internal.moving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the arguments of Traefik become in Millau's environment and in the labels of services. */
class TraefikArgumentsTest {

    private static List<String> lines(String command, String... labels) throws Exception {
        String ofShop = labels.length == 0
                ? ""
                : "  shop:\n    labels:\n      - '" + String.join("'\n      - '", labels) + "'\n";
        return Moving.from(
                        Moving.Proxy.TRAEFIK,
                        "compose.yml",
                        "services:\n  traefik:\n    image: traefik:v3\n    command: '" + command.replace("'", "''")
                                + "'\n" + ofShop)
                .lines();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --entrypoints.web.address=:8000 | --entrypoints.web.address becomes HTTP=:8000 (publish this port)
            --entrypoints.web.address :80 | --entrypoints.web.address needs no variable: that is the default
            -entryPoints.https.address=:443/tcp | -entryPoints.https.address needs no variable: that is the default
            --entrypoints.front.address=:80 | --entrypoints.front.address needs no variable: that is the default
            --entrypoints.admin.address=:9000 | --entrypoints.admin.address can't be carried over: Millau has one port
            --entrypoints.dns.address=:53/udp | --entrypoints.dns.address can't be carried over: Millau proxies HTTP alone
            --entrypoints.traefik.address=:8080 | --entrypoints.traefik.address needs no variable: status page
            --entrypoints.web.http.redirections.entrypoint.to=:8443 | --entrypoints.web.http.redirections.entrypoint.to becomes HTTPS_PORT=8443, REDIRECT=https
            --entrypoints.web.http.redirections.entrypoint.scheme=http | --entrypoints.web.http.redirections.entrypoint.scheme can't be carried over: expected https
            --entrypoints.web.forwardedheaders.insecure | --entrypoints.web.forwardedheaders.insecure can't be carried over: nobody is believed
            --entrypoints.web.forwardedheaders.insecure=false | --entrypoints.web.forwardedheaders.insecure needs no variable: it is off
            --entrypoints.a.proxyprotocol.trustedips=10.0.0.1 --entrypoints.b.proxyprotocol.trustedips=10.0.0.2 | --entrypoints.b.proxyprotocol.trustedips can't be carried over: PROXY_PROTOCOL has another value already
            --certificatesresolvers.a.acme.email=x@a.example --certificatesresolvers.b.acme.email=x@a.example --certificatesresolvers.b.acme.caserver=https://ca.example | --certificatesresolvers.b.acme.caserver can't be carried over: another resolver has none
            --certificatesresolvers.a.acme.httpchallenge.entrypoint=web | --certificatesresolvers.a.acme.httpchallenge.entrypoint needs no variable: names are proved
            --providers.docker.endpoint=tcp://socket:2375 | --providers.docker.endpoint becomes DOCKER_HOST=tcp://socket:2375
            --providers.docker.constraints=Label(`proxy`,`public`) | --providers.docker.constraints becomes DOCKER_LABEL=proxy=public
            --providers.docker.constraints=!Label(`proxy`,`public`) | --providers.docker.constraints can't be carried over: DOCKER_LABEL names one label
            --providers.docker.defaultrule=Host(`a`) | --providers.docker.defaultrule can't be carried over: give each service
            --providers.file.filename=/dynamic.yml | --providers.file.filename can't be carried over: services come from Docker
            --accesslog.filepath=/log | --accesslog.filepath becomes ACCESS_LOG=combined (lines go to standard output
            --accesslog.filepath=/log --accesslog.format=json | --accesslog.filepath becomes ACCESS_LOG=json (lines go to standard output
            --accesslog.filepath=/log --accesslog=false | --accesslog.filepath needs no variable: there is none
            --accesslog.filters.statuscodes=500 | --accesslog.filters.statuscodes can't be carried over: each request has a line
            --log.level=trace | --log.level becomes LOGGING=DEBUG
            --log.level=WARNING | --log.level becomes LOGGING=WARN
            --log.level=DEBUG --log.level=INFO | --log.level can't be carried over: it is there again with another value
            --entrypoints.web.asdefault=$${X} | --entrypoints.web.asdefault can't be carried over: expected true or false
            --entrypoints.web.forwardedheaders.insecure=0 | --entrypoints.web.forwardedheaders.insecure needs no variable: it is off
            --unknown | --unknown can't be carried over: it is not known here
            """)
    void anArgumentBecomesAVariableOrIsNamed(String command, String line) throws Exception {
        assertThat(lines(command)).anySatisfy(actual -> assertThat(actual).startsWith("  " + line));
    }

    @Test
    void aServiceWithoutTheLabelThatTraefikExpectsStaysClosed() throws Exception {
        String[] labels = {"traefik.http.routers.a.rule=Host(`a.example`)"};

        assertThat(lines("--providers.docker", labels)).contains("    - millau.enabled=true");
        assertThat(lines("--providers.docker.exposedbydefault=false", labels))
                .noneMatch(line -> line.contains("- millau."));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --entrypoints.web.address=:80 | traefik.http.routers.a.priority=1 | false
            --entrypoints.web.address=:80 --entrypoints.web.http.redirections.entrypoint.to=websecure | traefik.http.routers.a.priority=1 | true
            --entrypoints.web.address=:80 --entrypoints.web.http.redirections.entrypoint.to=websecure | traefik.http.routers.a.entrypoints=web | true
            --entrypoints.web.address=:80 --entrypoints.s.address=:443 --entrypoints.s.asdefault=true | traefik.http.routers.a.priority=1 | true
            --entrypoints.front.address=:80 | traefik.http.routers.a.entrypoints=front | false
            --entrypoints.front.address=:443 | traefik.http.routers.a.entrypoints=front | true
            --ping | traefik.http.routers.a.tls.domains[0].main=a.example | true
            --ping | traefik.http.routers.a.tls=false | false
            --ping | traefik.http.routers.a.tls=0 | false
            --entrypoints.s.address=:443 --entrypoints.dns.address=:53/udp | traefik.http.routers.a.priority=1 | true
            """)
    void whatTraefikServesOverHttpsAloneIsRedirected(String command, String label, boolean redirected)
            throws Exception {
        List<String> lines = lines(command, "traefik.http.routers.a.rule=Host(`a.example`)", label);

        assertThat(lines.contains("    - millau.redirect=https")).isEqualTo(redirected);
        assertThat(lines).contains("    - millau.enabled=true");
    }

    @Test
    void aRouterOfAnEntryPointThatHasNoPortHereStaysClosed() throws Exception {
        assertThat(lines(
                        "--entrypoints.admin.address=:9000",
                        "traefik.http.routers.a.rule=Host(`a.example`)",
                        "traefik.http.routers.a.entrypoints=admin"))
                .contains("    - millau.enabled=false");
    }

    /** A redirect of it would be a loop behind a proxy that ends TLS. */
    @Test
    void aRouterOfADefaultEntryPointThatHasNoPortHereStaysClosed() throws Exception {
        assertThat(lines("--entrypoints.app.address=:8080", "traefik.http.routers.a.rule=Host(`a.example`)"))
                .contains("    - millau.enabled=false")
                .doesNotContain("    - millau.redirect=https");
    }

    @ParameterizedTest
    @CsvSource({
        "true,true",
        "1,true",
        "T,true",
        "True,true",
        "0,",
        "f,",
        "FALSE,",
        "$${X},false",
        "tRUE,false",
        "'',false",
    })
    void traefikReadsSeveralWordsAsTrueOrFalse(String value, String enabled) throws Exception {
        assertThat(lines("--ping", "traefik.http.routers.a.rule=Host(`a.example`)", "traefik.enable=" + value))
                .filteredOn(line -> line.contains("- millau.enabled"))
                .isEqualTo(enabled == null ? List.of() : List.of("    - millau.enabled=" + enabled));
    }

    @ParameterizedTest
    @CsvSource({"0", "f", "False", "$${X}"})
    void aServiceIsNotExposedByAWordThatIsNotTrue(String value) throws Exception {
        assertThat(lines(
                        "--providers.docker.exposedByDefault=" + value,
                        "traefik.http.routers.a.rule=Host(`a.example`)"))
                .noneMatch(line -> line.contains("- millau."));
    }

    /** Traefik adds up the values of a list. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', textBlock = """
            command: --entrypoints.s.http.middlewares=a@docker --entrypoints.s.http.middlewares=b@docker ; --ping
            command: --entrypoints.s.http.middlewares=a@docker, environment: [TRAEFIK_ENTRYPOINTS_S_HTTP_MIDDLEWARES=b@docker] ; --ping
            command: --entrypoints.s.http.middlewares=a@docker ; --entrypoints.s.http.middlewares=b@docker
            """)
    void aMiddlewareOfAnEntryPointIsNotLostToAnother(String first, String last) throws Exception {
        List<String> lines = Moving.from(Moving.Proxy.TRAEFIK, "a.yml", """
                services:
                  first: { image: traefik, %s }
                  last: { image: traefik, command: --entrypoints.s.address=:443 %s }
                  shop:
                    labels:
                      - traefik.http.routers.a.rule=Host(`a.example`)
                      - traefik.http.middlewares.a.ipallowlist.sourcerange=10.0.0.0/8
                      - traefik.http.middlewares.b.headers.framedeny=true
                """.formatted(first, last))
                .lines();

        assertThat(lines)
                .contains("    - millau.allow=10.0.0.0/8", "    - millau.response-header.X-Frame-Options=DENY");
    }

    @Test
    void aMiddlewareOfOneEntryPointIsOfItsRoutersAlone() throws Exception {
        String command = "--entrypoints.web.address=:80 --entrypoints.websecure.address=:443"
                + " --entrypoints.websecure.http.middlewares=office@docker";
        String rule = "traefik.http.routers.a.rule=Host(`a.example`)";
        String office = "traefik.http.middlewares.office.ipallowlist.sourcerange=10.0.0.0/8";

        assertThat(lines(command, rule, office, "traefik.http.routers.a.entrypoints=websecure"))
                .contains("    - millau.allow=10.0.0.0/8");
        assertThat(lines(command, rule, office)).contains("    - millau.allow=10.0.0.0/8");
        assertThat(lines(command, rule, office, "traefik.http.routers.a.entrypoints=web"))
                .doesNotContain("    - millau.allow=10.0.0.0/8");
    }

    /** Its own pages are for the hosts and the clients of the rule, or closed. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', textBlock = """
            Host(`t.example`) && ClientIP(`10.0.0.0/8`) ; true ; 10.0.0.0/8
            Host(`t.example`) && (PathPrefix(`/api`) || PathPrefix(`/dashboard`)) ; true ;
            Host(`t.example`) && Header(`X-Key`, `x`) ; false ;
            Host(`t.example`) && ClientIP(`10.0.0.0/8`) || Host(`u.example`) ; false ; 10.0.0.0/8
            Host(`t.example`) || ClientIP(`10.0.0.0/8`) ; false ;
            """)
    void theStatusPageKeepsTheConditionsOfItsRule(String rule, boolean enabled, String allow) throws Exception {
        List<String> lines =
                Moving.from(Moving.Proxy.TRAEFIK, "a.yml", """
                services:
                  traefik:
                    image: traefik
                    labels:
                      - traefik.http.routers.t.rule=%s
                      - traefik.http.routers.t.service=api@internal
                      - traefik.http.routers.t.middlewares=login
                      - traefik.http.middlewares.login.basicauth.users=${USERS}
                """.formatted(rule)).lines();

        assertThat(lines).contains("    - millau.enabled=" + enabled);
        assertThat(lines)
                .filteredOn(line -> line.contains("- millau.allow="))
                .isEqualTo(allow == null ? List.of() : List.of("    - millau.allow=" + allow));
    }

    /** A redirect of all services would be one of those, too, that Traefik serves over plain HTTP. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', textBlock = """
            HostRegexp(`.+`) ; websecure ; true
            HostRegexp(`.+`) ; web ; false
            HostRegexp(`.+`) ; web,websecure ; false
            PathPrefix(`/old`) ; websecure ; false
            ClientIP(`10.0.0.0/8`) ; websecure ; false
            """)
    void allIsRedirectedIfNothingIsServedOverPlainHttp(String rule, String entryPoints, boolean all) throws Exception {
        List<String> lines = Moving.from(Moving.Proxy.TRAEFIK, "a.yml", """
                services:
                  traefik:
                    image: traefik
                    command: --entrypoints.web.address=:80 --entrypoints.websecure.address=:443
                    labels:
                      - traefik.http.routers.all.rule=%s
                      - traefik.http.routers.all.entrypoints=web
                      - traefik.http.routers.all.middlewares=https
                      - traefik.http.middlewares.https.redirectscheme.scheme=https
                  a:
                    labels:
                      - traefik.http.routers.a.rule=Host(`a-long-name.example`)
                      - traefik.http.routers.a.entrypoints=%s
                  b:
                    labels:
                      - traefik.http.routers.b.rule=Host(`b.example`)
                      - traefik.http.routers.b.entrypoints=websecure
                """.formatted(rule, entryPoints))
                .lines();

        assertThat(lines.contains("    - REDIRECT=https")).isEqualTo(all);
        assertThat(lines)
                .filteredOn("    - millau.redirect=https"::equals)
                .hasSize(entryPoints.equals("websecure") ? 2 : 1);
        assertThat(lines)
                .filteredOn(line -> line.contains("can't be carried over"))
                .hasSize(all ? 0 : 1);
    }

    @Test
    void aRouterOfDefaultEntryPointsStaysPlainBesideARedirectOfAllOthers() throws Exception {
        assertThat(lines(
                        "--entrypoints.web.address=:80",
                        "traefik.http.routers.a.rule=Host(`a-long-name.example`)",
                        "traefik.http.routers.all.rule=HostRegexp(`.+`)",
                        "traefik.http.routers.all.entrypoints=web",
                        "traefik.http.routers.all.middlewares=https",
                        "traefik.http.middlewares.https.redirectscheme.scheme=https"))
                .doesNotContain("    - millau.redirect=https")
                .anyMatch(line -> line.startsWith("  traefik.http.routers.all.rule can't be carried over: REDIRECT"));
    }

    @Test
    void aRedirectOfOnePathIsNotOneOfTheWholeHost() throws Exception {
        assertThat(lines(
                        "--entrypoints.web.address=:80",
                        "traefik.http.routers.a.rule=Host(`a.example`)",
                        "traefik.http.routers.a.entrypoints=web",
                        "traefik.http.routers.old.rule=Host(`a.example`) && PathPrefix(`/old`)",
                        "traefik.http.routers.old.entrypoints=web",
                        "traefik.http.routers.old.middlewares=https",
                        "traefik.http.middlewares.https.redirectscheme.scheme=https"))
                .doesNotContain("    - millau.redirect=https")
                .anyMatch(line -> line.startsWith("  traefik.http.routers.old.rule can't be carried over"));
    }

    @ParameterizedTest
    @CsvSource({
        "'[./traefik.yml:/etc/traefik/traefik.yml:ro]',true",
        "'[./config/:/etc/traefik/]',true",
        "'[{type: bind, source: ./t.toml, target: /traefik.toml}]',true",
        "'[./dynamic:/etc/traefik/dynamic, /var/run/docker.sock:/var/run/docker.sock:ro]',false",
        "'[{source: x}, 1]',false",
    })
    void aFileThatConfiguresTraefikIsNamed(String volumes, boolean named) throws Exception {
        Moving moving = Moving.from(
                Moving.Proxy.TRAEFIK,
                "a.yml",
                "services: {a: {image: traefik, command: --ping, volumes: " + volumes + "}}");

        assertThat(moving.lines().stream().anyMatch(line -> line.startsWith("  configFile can't be carried over: ")))
                .isEqualTo(named);
        assertThat(moving.problems()).isEqualTo(named ? 1 : 0);
    }

    @ParameterizedTest
    @CsvSource({"traefik,true", "docker.io/library/traefik:v3@sha256:0,true", "traefik/whoami,false", "my-traefik,false"
    })
    void traefikIsKnownByItsImage(String image, boolean isTraefik) throws Exception {
        List<String> lines = Moving.from(
                        Moving.Proxy.TRAEFIK, "a.yml", "services: {a: {image: '" + image + "', command: --ping}}")
                .lines();

        assertThat(!lines.isEmpty()).isEqualTo(isTraefik);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', textBlock = """
            HostRegexp(`.+`) ; 1000 ; Host(`a.example`) ; 10 ; true
            HostRegexp(`.+`) ; 1 ; Host(`a.example`) ; 10 ; false
            Host(`a.example`) || Host(`b.example`) || Host(`c.example`) ; ; Host(`a.example`) && PathPrefix(`/x`) ; ; true
            Host(`a.example`) ; ; Host(`a.example`) && PathPrefix(`/x`) ; ; false
            Host(`a.example`) ; 9 ; Host(`a.example`) ; 8 ; true
            Host(`a.example`) ; 9 ; Host(`b.example`) ; 8 ; false
            HostRegexp(`^[a-z]+\\.a\\.example$`) ; 9 ; Host(`x.a.example`) ; 8 ; true
            Host(`a.example`) && PathPrefix(`/x`) ; 9 ; Host(`a.example`) && PathPrefix(`/y`) ; 1 ; false
            """)
    void anotherOrderIsReported(String rule, String priority, String otherRule, String otherPriority, boolean reported)
            throws Exception {
        String yaml = """
                services:
                  one:
                    labels:
                      - "traefik.http.routers.one.rule=%s"
                      - traefik.http.routers.one.priority=%s
                  other:
                    labels:
                      - "traefik.http.routers.other.rule=%s"
                      - traefik.http.routers.other.priority=%s
                """.formatted(
                        rule.replace("\\", "\\\\"),
                        priority == null ? 0 : priority,
                        otherRule.replace("\\", "\\\\"),
                        otherPriority == null ? 0 : otherPriority);
        Moving moving = Moving.from(Moving.Proxy.TRAEFIK, "compose.yml", yaml);

        assertThat(moving.problems()).as("%s", moving.lines()).isEqualTo(reported ? 1 : 0);
    }

    /** Without its login in Traefik, requests come in here by any of the other routers. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', textBlock = """
            first.basicauth.users=${USERS} ; first
            first.digestauth.users=${USERS} ; first
            first.ipallowlist.sourcerange=10.0.0.0/8 ; first
            other.headers.framedeny=true ; authelia@file
            """)
    void allRoutersThatOneProtectedAreClosed(String middleware, String used) throws Exception {
        Moving moving = Moving.from(Moving.Proxy.TRAEFIK, "compose.yml", """
                services:
                  all:
                    labels:
                      - traefik.http.routers.all.rule=HostRegexp(`.+`)
                      - traefik.http.routers.all.priority=1000
                      - traefik.http.routers.all.middlewares=%s
                      - traefik.http.middlewares.%s
                  a: { labels: ["traefik.http.routers.a.rule=Host(`a.example`)"] }
                  b: { labels: ["traefik.http.routers.b.rule=Host(`b.example`)"] }
                """.formatted(used, middleware));

        assertThat(moving.lines())
                .filteredOn(line -> line.contains("router all of all protects requests"))
                .hasSize(2);
    }

    @Test
    void tooManyRoutersToCompareAreNamed() throws Exception {
        String labels = IntStream.range(0, 1_500)
                .mapToObj(i -> "      - traefik.http.routers.r" + i + ".rule=Host(`a" + i + ".example`)\n")
                .collect(Collectors.joining("", "services:\n  shop:\n    labels:\n", ""));
        Moving moving =
                assertTimeout(Duration.ofSeconds(30), () -> Moving.from(Moving.Proxy.TRAEFIK, "compose.yml", labels));

        assertThat(moving.problems()).isEqualTo(1);
        assertThat(moving.lines()).anyMatch(line -> line.contains("too many routers to compare"));
    }

    /** Without it nothing is served: DOCKER_LABEL asks for it. */
    @ParameterizedTest
    @CsvSource({"docker,traefik.constraint-label,public", "swarm,proxy,public"})
    void theLabelOfConstraintsIsPrintedWithTheNewOnes(String provider, String label, String value) throws Exception {
        assertThat(lines(
                        "--providers." + provider + ".constraints=Label(`" + label + "`,`" + value + "`)",
                        label + "=" + value,
                        "traefik.http.routers.a.rule=Host(`a.example`)"))
                .contains(
                        "    - DOCKER_LABEL=" + label + "=" + value,
                        "  " + label + " stays as it is: DOCKER_LABEL names it",
                        "    - " + label + "=" + value)
                .noneMatch(line -> line.contains("can't be carried over"));
    }

    @ParameterizedTest
    @CsvSource({"traefik.constraint-label=other", "other=public"})
    void aLabelThatConstraintsDoNotNameIsNotPrinted(String label) throws Exception {
        assertThat(lines(
                        "--providers.docker.constraints=Label(`traefik.constraint-label`,`public`)",
                        label,
                        "traefik.http.routers.a.rule=Host(`a.example`)"))
                .doesNotContain("    - " + label)
                .noneMatch(line -> line.contains("stays as it is"));
    }

    @Test
    void aVariableInACommandIsOneWord() throws Exception {
        assertThat(lines("--certificatesresolvers.le.acme.email=${EMAIL?Variable not set} --ping"))
                .contains("    - ACME_EMAIL=${EMAIL?Variable not set}")
                .noneMatch(line -> line.contains("no argument"));
    }

    @Test
    void aRouterThatNamesNoEntryPointsIsToldWhichOfThemHasNoPort() throws Exception {
        assertThat(lines(
                        "--entrypoints.web.address=:80 --entrypoints.internal.address=:8443",
                        "traefik.http.routers.a.rule=Host(`a.example`)"))
                .contains(
                        "    - millau.enabled=false",
                        "  traefik.http.routers.a.rule can't be carried over: its router names no entry points, so Traefik serves it at"
                                + " internal, too, and Millau has one port for HTTP and one for HTTPS: name those that it needs, web or websecure"
                                + " for instance, in its entrypoints, and check again");
    }

    /** Each option of it turns Traefik's on. */
    @ParameterizedTest
    @ValueSource(strings = {"filepath=/log", "filters.statuscodes=500", "bufferingsize=100", "format=common"})
    void anyOptionOfTheAccessLogTurnsItOn(String option) throws Exception {
        assertThat(lines("--accesslog." + option)).contains("    - ACCESS_LOG=combined");
    }

    @ParameterizedTest
    @CsvSource({"5,1s,10,5/s,300/m", "5,1s,5,5/s,", "100,1m,50,100/m,", "100,1m,200,100/m,6000/h", "1,1s,,1/s,"})
    void theTighterLimitIsChosenWhereABurstFitsInNone(
            String average, String period, String burst, String limit, String other) throws Exception {
        List<String> lines = lines(
                "--ping",
                "traefik.http.routers.a.rule=Host(`a.example`)",
                "traefik.http.routers.a.middlewares=m",
                "traefik.http.middlewares.m.ratelimit.average=" + average,
                "traefik.http.middlewares.m.ratelimit.period=" + period,
                "traefik.http.middlewares.m.ratelimit.burst=" + (burst == null ? "1" : burst));

        assertThat(lines).contains("    - millau.limit=" + limit);
        assertThat(lines)
                .filteredOn(line -> line.contains("ratelimit.average becomes"))
                .singleElement()
                .satisfies(line -> {
                    if (other == null) {
                        assertThat(line).doesNotContain("would let");
                    } else {
                        assertThat(line).contains("; " + other + " would let ");
                    }
                });
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', textBlock = """
            --certificatesresolvers.le.acme.email=ops@shop.example ; - ACME_EMAIL=ops@shop.example
            --entrypoints.web.address=:8000 ; - HTTP=:8000
            "--certificatesresolvers.le.acme.email=${X?not: set}" ; - 'ACME_EMAIL=${X?not: set}'
            """)
    void whatIsPrintedIsQuotedWhereYamlNeedsIt(String command, String line) throws Exception {
        assertThat(lines(command)).contains("    " + line);
    }
}
