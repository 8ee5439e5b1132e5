package io.millau.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.millau.server.internal.compose.ComposeServices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code check --from}. Beside each file of another proxy stands what is printed for it. After a change,
 *
 * <pre>mvn -pl millau-server -am test -Dtest=MovingTest -Dsurefire.failIfNoSpecifiedTests=false -Dmillau.documents=write</pre>
 *
 * writes that anew: read the difference.
 */
class MovingTest extends CommandTest {

    private static final boolean WRITE = "write".equals(System.getProperty("millau.documents"));
    private static final Path FILES = Path.of("src", "test", "resources", "moving");

    private static final String HASH = "$$2y$$05$$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";

    static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(FILES)) {
            return files.filter(file -> file.toString().endsWith(".yml"))
                    .sorted()
                    .toList();
        }
    }

    private static String proxy(Path file) {
        String name = file.getFileName().toString().split("-", 2)[0];
        return name.equals("nginx") ? "nginx-proxy" : name;
    }

    @Test
    void eachProxyHasFiveFilesOrMore() throws Exception {
        Map<String, Long> number =
                files().stream().collect(Collectors.groupingBy(MovingTest::proxy, Collectors.counting()));

        assertThat(number).containsOnlyKeys("traefik", "caddy", "nginx-proxy");
        assertThat(number.values()).allMatch(files -> files >= 5);
        assertThat(files()).hasSizeGreaterThanOrEqualTo(20);
    }

    @ParameterizedTest
    @MethodSource("files")
    void eachLabelIsNamedWithWhatItBecomes(Path file) throws Exception {
        run("check", "--from", proxy(file), file.toString());

        Path expected = Path.of(file.toString().replace(".yml", ".txt"));
        if (WRITE) {
            Files.writeString(expected, out);
        }
        assertThat(out).isEqualTo(Files.readString(expected));
        assertThat(err).isEmpty();
        assertThat(status).isEqualTo(out.contains("can't be carried over:") ? 1 : 0);
        assertThat(out).doesNotContain("s3cret").doesNotContain("$2y$").doesNotContain("abcdefgh");
    }

    @ParameterizedTest
    @MethodSource("files")
    void noLabelIsForgotten(Path file) throws Exception {
        run("check", "--from", proxy(file), file.toString());
        Pattern theirs = Pattern.compile(
                switch (proxy(file)) {
                    case "traefik" -> "traefik\\..*";
                    case "caddy" -> "caddy.*";
                    default -> "(?:VIRTUAL|LETSENCRYPT|NETWORK|HTTPS|CERT)_.*|HSTS|com\\.github\\.nginx-proxy.*";
                });
        for (ComposeServices.Service service : ComposeServices.read("", Files.readString(file))) {
            Stream.concat(service.labels().keySet().stream(), service.environment().keySet().stream())
                    .filter(theirs.asMatchPredicate())
                    .forEach(label -> assertThat(out.lines()).as(label).anyMatch(line -> names(line, label)));
        }
    }

    /** Whether a line is about a label: by its whole name, or behind another option of its middleware. */
    private static boolean names(String line, String label) {
        Matcher middleware =
                Pattern.compile("traefik\\.http\\.middlewares\\.[^.]+\\.").matcher(label);
        return line.startsWith("  " + label + " ")
                || middleware.lookingAt()
                        && line.startsWith("  " + middleware.group())
                        && line.matches(
                                "[^:]*[., ]" + Pattern.quote(label.substring(middleware.end())) + "(?:,| can't be) .*");
    }

    @ParameterizedTest
    @MethodSource("files")
    void theNewLabelsHaveNoProblems(Path file) throws Exception {
        run("check", "--from", proxy(file), file.toString());
        for (List<String> labels : blocks(out)) {
            Map<String, String> filled = map(labels);
            filled.replaceAll(MovingTest::filled);
            environment.put("DOMAIN", "shop.example");
            environment.put("USERS", "ann:" + HASH.replace("$$", "$"));
            check(filled);

            assertThat(out).as("%s", labels).isEqualTo("1 service, no problems\n");
        }
    }

    /** Who pastes the labels as they are does not open a service that needs a login, or another secret. */
    @ParameterizedTest
    @MethodSource("files")
    void aServiceStaysClosedUntilItsSecretsAreFilledIn(Path file) throws Exception {
        run("check", "--from", proxy(file), file.toString());
        for (List<String> labels : blocks(out)) {
            boolean needs = labels.stream()
                    .anyMatch(label -> label.matches("millau\\.(?:(?:.*\\.)?(?:users|auth)=.*|.*=)VALUE_OF_.*"));
            if (needs) {
                check(map(labels));
                assertThat(out)
                        .as("%s", labels)
                        .containsPattern("\\(the service is (left out|closed: requests get 503)");
            }
        }
    }

    private void check(Map<String, String> labels) throws IOException {
        String yaml = labels.entrySet().stream()
                .map(label ->
                        "      " + label.getKey() + ": '" + label.getValue().replace("'", "''") + "'\n")
                .collect(Collectors.joining("", "services:\n  moved:\n    expose: [80]\n    labels:\n", ""));
        run("check", file("moved.yml", yaml));
    }

    /** The labels of each service in the output. */
    private static List<List<String>> blocks(String output) {
        List<List<String>> blocks = new ArrayList<>();
        for (String line : output.lines().toList()) {
            if (line.matches("  (?:deploy\\.)?labels:")) {
                blocks.add(new ArrayList<>());
            } else if (line.startsWith("    - millau.") || line.startsWith("    - 'millau.")) {
                String label = line.substring(6);
                boolean quoted = label.startsWith("'");
                blocks.get(blocks.size() - 1)
                        .add(quoted ? label.substring(1, label.length() - 1).replace("''", "'") : label);
            }
        }
        return blocks;
    }

    private static Map<String, String> map(List<String> labels) {
        Map<String, String> map = new LinkedHashMap<>();
        labels.stream().map(label -> label.split("=", 2)).forEach(label -> map.put(label[0], label[1]));
        return map;
    }

    /** What a user fills in. */
    private static String filled(String label, String value) {
        return switch (label.substring(label.lastIndexOf('.') + 1)) {
            case "users" ->
                value.startsWith("VALUE_OF_")
                        ? "ann:" + HASH
                        : value.replaceAll("VALUE_OF_[\\w.-]+", Matcher.quoteReplacement(HASH));
            case "auth" -> value.replaceAll("VALUE_OF_.*", "http://login/");
            default -> value.replaceAll("^VALUE_OF_.*", "filled");
        };
    }

    @Test
    void whatCannotBeCarriedOverStandsTogetherAtTheEnd() throws Exception {
        run("check", "--from", "traefik", FILES.resolve("traefik-limits.yml").toString());

        String heading = "\n# To do by hand:\n";
        assertThat(out).containsOnlyOnce(heading);
        assertThat(out.substring(0, out.indexOf(heading))).doesNotContain("can't be carried over:");
        assertThat(out.substring(out.indexOf(heading)).lines())
                .contains("app", "old")
                .filteredOn(line -> line.contains("responses of services"))
                .singleElement()
                .asString()
                .startsWith("  traefik.http.middlewares.errors.errors.status, errors.service, errors.query can't be");
    }

    @Test
    void aFileWithoutLabelsOfThatProxyHasNoServices() throws Exception {
        run(
                "check",
                "--from",
                "traefik",
                file("a.yml", "services: {shop: {labels: [millau.enabled=true, other=1]}, none: {}}"));

        assertThat(out).isEqualTo("no labels of traefik\n");
        assertThat(status).isZero();
    }

    /** Traefik is often in a file of its own. */
    @Test
    void whatOneFileHasIsForTheServicesOfAnother() throws Exception {
        String proxy = file("proxy.yml", """
                services:
                  traefik:
                    image: traefik:v3
                    command: --entrypoints.websecure.address=:443 --entrypoints.websecure.http.middlewares=office@docker
                    labels:
                      - traefik.http.middlewares.office.ipallowlist.sourcerange=10.0.0.0/8
                """);
        String shop = file("shop.yml", """
                services:
                  shop:
                    labels:
                      - traefik.http.routers.shop.rule=Host(`shop.example`)
                """);

        run("check", "--from", "traefik", shop, proxy);
        assertThat(out).contains("    - millau.allow=10.0.0.0/8\n").doesNotContain("Traefik itself is not here");

        run("check", "--from", "traefik", shop);
        assertThat(out).contains("\n# Traefik itself is not here: check its file together with this one, since its");
        assertThat(status).isZero();
    }

    @Test
    void aMiddlewareOfAnEntryPointThatIsNotHereIsSaidOnce() throws Exception {
        run("check", "--from", "traefik", file("a.yml", """
                services:
                  api:
                    labels: ["traefik.http.routers.api.rule=Host(`api.example`)"]
                  traefik:
                    image: traefik:v3
                    command: --entrypoints.https.address=:443 --entrypoints.https.http.middlewares=sec@file
                  shop:
                    labels: ["traefik.http.routers.shop.rule=Host(`shop.example`)"]
                """));

        assertThat(out).endsWith("""
                        # To do by hand:
                        traefik
                          --entrypoints.https.http.middlewares can't be carried over: sec@file is not in this file: see what it does; closed \
                        until they have labels for that: api, shop
                        # millau.hosts=api.example also takes all subdomains of that name; traefik takes the name alone
                        1 setting of 3 services can't be carried over
                        """).doesNotContain("millau.enabled=true");
    }

    /** ACME_EMAIL is Millau's own, as well as acme-companion's: following that advice led to wrong ones. */
    @Test
    void aFileOfMillauItselfHasNoSettingsOfNginxProxy() throws Exception {
        String proxy = file("t.yml", """
                services:
                  p: {image: millau, environment: {ACME_EMAIL: a@b.c, ACME_CA: /ca.pem, ACME_EAB_KID: x}}
                  web: {image: nginx, environment: [HSTS=off], volumes: ["./htpasswd:/etc/nginx/htpasswd", "./a:/etc/nginx/conf.d"]}
                """);
        run("check", proxy);
        assertThat(out).isEqualTo("0 services, no problems\n");

        run("check", "--from", "nginx-proxy", proxy);
        assertThat(out).isEqualTo("no labels of nginx-proxy\n");

        run(
                "check",
                "--from",
                "nginx-proxy",
                proxy,
                file("web.yml", "services: {a: {environment: {VIRTUAL_HOST: a}}}"));
        assertThat(out).doesNotContain("ACME_CA ", "ACME_EMAIL", "HSTS");
    }

    /** The login of a site was lost: the site was open, and "all is carried over". */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "./htpasswd:/etc/nginx/htpasswd:ro",
                "./htpasswd:/etc/nginx/htpasswd/",
                "${DIR:-/srv/htpasswd}:/etc/nginx/htpasswd:ro",
                "./a:/etc/nginx/htpasswd/admin.example.com:ro,z",
                "logins:/etc/nginx/htpasswd",
                "/etc/nginx/htpasswd",
                "./nginx:/etc/nginx",
                "{type: bind, source: ./htpasswd, target: /etc/nginx/htpasswd, read_only: true}",
                "{type: volume, target: /etc/nginx/htpasswd}"
            })
    void aServiceStaysClosedIfThereMayBeALoginForItsHost(String mount) throws Exception {
        for (String proxy : List.of("image: nginxproxy/nginx-proxy", "labels: [com.github.nginx-proxy.nginx-proxy]")) {
            run("check", "--from", "nginx-proxy", file("a.yml", """
                    services:
                      proxy:
                        %s
                        volumes:
                          - %s
                      admin:
                        environment: {VIRTUAL_HOST: admin.example.com}
                    """.formatted(
                            proxy, mount.startsWith("{") ? mount : "'" + mount + "'")));

            assertThat(out)
                    .contains(
                            "- millau.enabled=false\n",
                            "# To do by hand:\nproxy\n  /etc/nginx",
                            "give the services of these" + " hosts millau.users",
                            "closed until then: admin\n")
                    .doesNotContain("millau.enabled=true\n");
            assertThat(status).isEqualTo(1);
        }
    }

    @Test
    void thatTheProxyWithTheLoginsIsInAnotherFileIsSaid() throws Exception {
        String web = file("web.yml", "services: {web: {environment: {VIRTUAL_HOST: web.example.com}}}");
        String proxy = file("proxy.yml", """
                services:
                  proxy: {image: "jwilder/nginx-proxy:alpine", volumes: ["./htpasswd:/etc/nginx/htpasswd"]}
                """);
        run("check", "--from", "nginx-proxy", web);
        assertThat(out).contains("# nginx-proxy itself is not here: check its file together with this one,");

        run("check", "--from", "nginx-proxy", web, proxy);
        assertThat(out).doesNotContain("is not here").contains("millau.enabled=false\n");
    }

    /** In a setup of three containers nginx is a plain one. */
    @Test
    void aPlainNginxWithTheFoldersOfNginxProxyIsAPartOfIt() throws Exception {
        run("check", "--from", "nginx-proxy", file("a.yml", """
                services:
                  nginx: {image: nginx, volumes: ["./htpasswd:/etc/nginx/htpasswd"]}
                  gen: {image: nginxproxy/docker-gen}
                  admin: {environment: {VIRTUAL_HOST: admin.example.com}}
                """));

        assertThat(out).contains("millau.enabled=false\n", "\nnginx\n  /etc/nginx/htpasswd can't be carried over");
    }

    @Test
    void theVolumesThatCompanionsWriteToAreNotedAlone() throws Exception {
        run("check", "--from", "nginx-proxy", file("a.yml", """
                services:
                  proxy: {image: nginxproxy/nginx-proxy, volumes: ["vhost:/etc/nginx/vhost.d", "html:/usr/share/nginx/html"]}
                  acme: {image: nginxproxy/acme-companion, volumes: ["./vhost:/etc/nginx/vhost.d"]}
                  web: {environment: {VIRTUAL_HOST: web.example.com}, volumes: ["./conf:/etc/nginx/conf.d"]}
                """));

        assertThat(out)
                .contains(
                        "  /etc/nginx/vhost.d needs no label: what the companions of nginx-proxy write into that volume")
                .contains("millau.enabled=true\n")
                .doesNotContain("conf.d");
        assertThat(status).isZero();
    }

    @Test
    void variablesOfAFileBesideAreReadAndThoseOfAnExtendedService() throws Exception {
        file("app.env", "# its host\nVIRTUAL_HOST=env.example.com\nVIRTUAL_PORT=1\n");
        run("check", "--from", "nginx-proxy", file("a.yml", """
                services:
                  app: {env_file: app.env, environment: [VIRTUAL_PORT=2]}
                  other: {env_file: [{path: ./app.env}, {path: none.env, required: false}]}
                  base: {environment: {VIRTUAL_HOST: base.example.com, NETWORK_ACCESS: internal}}
                  heir: {extends: {service: base}, environment: {VIRTUAL_PORT: 99}}
                  last: {extends: heir}
                """));

        assertThat(out.replaceAll("(?m)^(?!  *- |[a-z]).*\n", "")).startsWith("""
                app
                    - millau.enabled=true
                    - millau.hosts=env.example.com
                    - millau.port=2
                other
                    - millau.enabled=true
                    - millau.hosts=env.example.com
                    - millau.port=1
                base
                    - millau.enabled=true
                    - millau.hosts=base.example.com
                    - millau.allow=private
                heir
                    - millau.enabled=true
                    - millau.hosts=base.example.com
                    - millau.allow=private
                    - millau.port=99
                last
                """);
        assertThat(out).doesNotContain("default of the proxy").endsWith("5 services, all is carried over\n");

        run("check", folder.resolve("a.yml").toString());
        assertThat(out).contains("it has settings of nginx-proxy");
    }

    /** What is not read may be what protects the service. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "nginx-proxy | env_file: none.env, environment: {VIRTUAL_HOST: a.example} | env_file",
                "nginx-proxy | env_file: [/dev/null, .], environment: {VIRTUAL_HOST: a.example} | env_file",
                "nginx-proxy | extends: {file: b.yml, service: b}, environment: {VIRTUAL_HOST: a.example} | extends",
                "nginx-proxy | extends: {service: none}, environment: {VIRTUAL_HOST: a.example} | extends",
                "nginx-proxy | extends: a, environment: {VIRTUAL_HOST: a.example} | extends",
                "traefik | extends: {file: b.yml, service: b}, labels: ['traefik.http.routers.a.rule=Host(`a`)'] | extends",
                "traefik | label_file: l, labels: ['traefik.http.routers.a.rule=Host(`a`)'] | label_file",
                "caddy | extends: {file: b.yml, service: b}, labels: {caddy: a, caddy.reverse_proxy: '{{upstreams}}'} | extends",
            })
    void aServiceOfWhichSomeIsNotReadStaysClosed(String proxy, String service, String key) throws Exception {
        run("check", "--from", proxy, file("a.yml", "services: {a: {" + service + "}}"));

        assertThat(out)
                .contains("- millau.enabled=false\n", "\na\n  " + key + " can't be carried over: ")
                .doesNotContain("default of the proxy");
        assertThat(status).isEqualTo(1);
    }

    @Test
    void theVariablesOfTraefikMayBeInAFile() throws Exception {
        String file = file("a.yml", "services: {proxy: {image: traefik, env_file: t.env}}");
        run("check", "--from", "traefik", file);
        assertThat(out).startsWith("# To do by hand:\nproxy\n  env_file can't be carried over: t.env can't be read");

        file("t.env", "TRAEFIK_ENTRYPOINTS_WEB_ADDRESS=:8000\n");
        run("check", "--from", "traefik", file);
        assertThat(out)
                .contains("TRAEFIK_ENTRYPOINTS_WEB_ADDRESS becomes HTTP=:8000")
                .doesNotContain("env_file");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "nginx-proxy | env_file: none.env | # a: env_file: none.env can't be read: run this where it can,",
                "nginx-proxy | extends: {file: b.yml, service: b} | # a: extends: the service that it extends is not in",
                "traefik | extends: {file: b.yml, service: b} | # a: extends: the service that it extends is not in",
                "caddy | label_file: l | # a: label_file: the labels in it are not read",
            })
    void whatIsNotReadOfOtherServicesIsNoted(String proxy, String service, String note) throws Exception {
        String file = file("a.yml", "services: {a: {" + service + "}}");
        run("check", "--from", proxy, file);
        assertThat(out).startsWith(note).endsWith("\nno labels of " + proxy + "\n");

        run("check", file);
        assertThat(out).doesNotContain("it has settings of");
    }

    @Test
    void thatIncludedFilesAreNotReadIsNoted() throws Exception {
        run("check", "--from", "traefik", file("a.yml", "include: [b.yml]"));

        assertThat(out)
                .isEqualTo("a.yml: note: included files are not read: give them here, too\nno labels of traefik\n");
        assertThat(err).isEmpty();
    }

    @Test
    void aVariableWithoutAHostIsNotSaidToBeOfTheProxy() throws Exception {
        run("check", "--from", "nginx-proxy", file("a.yml", """
                services:
                  a: {environment: {VIRTUAL_PORT: 99}}
                  b: {extends: {file: b.yml, service: b}, environment: {VIRTUAL_PORT: 99}}
                """));

        assertThat(out)
                .contains("a\n  VIRTUAL_PORT needs no label: without VIRTUAL_HOST nginx-proxy does not serve it\n")
                .contains(
                        "b\n  VIRTUAL_PORT needs no label: VIRTUAL_HOST, without which nginx-proxy does not serve it, may be");
    }

    @ParameterizedTest
    @CsvSource({
        "shop.example, true",
        "'shop.example`) || HostRegexp(`^.+\\.shop\\.example$', false",
        "localhost, false",
        "10.0.0.1, false",
        "'[fd00::a.b]', false"
    })
    void whatMillauTakesBesidesANameIsSaid(String host, boolean said) throws Exception {
        run("check", "--from", "traefik", file("a.yml", """
                services:
                  shop:
                    labels: ["traefik.http.routers.shop.rule=Host(`%s`)"]
                """.formatted(host.replace("\\", "\\\\"))));

        assertThat(out.contains("millau.hosts=shop.example also takes all subdomains of that name; traefik takes"))
                .isEqualTo(said);
        assertThat(out.contains("takes all subdomains")).isEqualTo(said);
    }

    @Test
    void aKeyThatIsThereTwiceIsRefusedAsByCompose() throws Exception {
        run("check", "--from", "caddy", file("a.yml", "services:\n  a: {}\n  a: {}\n"));

        assertThat(err).isEqualTo("a.yml:3: expected YAML: a key is there twice\n");
        assertThat(status).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "check --from | check --from : expected traefik, caddy, nginx-proxy",
                "check --from nginx a.yml | check --from nginx: expected traefik, caddy, nginx-proxy; did you mean nginx-proxy?",
                "check --from apache a.yml | check --from apache: expected traefik, caddy, nginx-proxy",
                "check --from caddy | check --from caddy: expected Compose or stack files, and no --docker",
                "check --from caddy --docker a.yml | check --from caddy: expected Compose or stack files, and no --docker",
                "check --from caddy none.yml | none.yml: expected a file that can be read (there is none)",
                "check --from caddy a.properties | a.properties: expected a services file, .properties, a folder of them, or a Compose",
            })
    void anotherProxyAndAFileAreExpected(String command, String message) {
        run(command.split(" "));

        assertThat(err).startsWith(message);
        assertThat(err.lines()).hasSize(1);
        assertThat(status).isEqualTo(2);
    }

    static Stream<String> hostileFiles() {
        String many = Stream.iterate(0, i -> i + 1)
                .limit(200)
                .map(i -> "      - traefik.http.routers.r" + i + ".rule=Host(`a" + i
                        + ".example`)\n      - traefik.http.routers.r" + i
                        + ".middlewares=m\n      - traefik.http.middlewares.m.headers.customresponseheaders.X-" + i
                        + "=1\n")
                .collect(Collectors.joining("", "services:\n  shop:\n    labels:\n", ""));
        String rule = "services: {shop: {labels: {traefik.http.routers.a.rule: '%s'}}}";
        return Stream.concat(
                Stream.of(ComposeFileTest.hostileFiles()),
                Stream.of(
                        many,
                        many.replace("Host(`a", "HostRegexp(`[a-z]+`) || Host(`a"),
                        "services: {proxy: {image: traefik, command: '--a "
                                + "\" --entrypoints.x.address=".repeat(20_000) + "'}}",
                        "services: {proxy: {image: '" + "a/".repeat(400_000)
                                + "', command: [--entrypoints..x, --, -, '', =]}}",
                        rule.formatted("(".repeat(400_000)),
                        rule.formatted("!".repeat(400_000)),
                        rule.formatted("Host(`" + "a.".repeat(4_000) + "`)"),
                        rule.formatted(
                                "(PathPrefix(`/a`) || PathPrefix(`/b`))" + " && (Host(`a`) || Host(`b`))".repeat(200)),
                        rule.formatted("HostRegexp(`" + "a".repeat(4_000) + "[`)"),
                        rule.formatted("Host(`a`) || ".repeat(20_000) + "Host(`a`)"),
                        "services: {shop: {labels: {traefik.http.routers.a.rule: 'Host(`a`)', traefik.http.routers.a.middlewares: a,"
                                + " traefik.http.middlewares.a.chain.middlewares: 'a,b', traefik.http.middlewares.b.chain.middlewares: a}}}",
                        "services: {shop: {labels: {traefik: 1, traefik.: 1, traefik.http.: 1, traefik.http.routers: 1,"
                                + " traefik.http.routers.: 1, traefik.http.routers.a: 1, traefik.http.routers.a.: 1, traefik.http.middlewares.a.: 1,"
                                + " 'traefik.http.routers..rule': 'Host(`a`)', caddy.: a, caddy..: 1, caddy: '', caddy.x..y: 1, '': 1}}}",
                        "services: {shop: {labels: {caddy: a.example, caddy.reverse_proxy: '{{upstreams 80}}', caddy"
                                + ".handle".repeat(10_000) + ": 1}}}",
                        "services: {shop: {labels: {caddy: '" + "a{".repeat(100_000) + "', caddy.reverse_proxy: '"
                                + "{".repeat(100_000) + "'}}}",
                        "services: {shop: {environment: {VIRTUAL_HOST: 'a," + ",".repeat(400_000)
                                + "', VIRTUAL_HOST_MULTIPORTS: '" + "[".repeat(10_000) + "'}}}",
                        "services: {shop: {labels: {traefik.http.routers.a.rule: 'Host(`a`)', traefik.http.routers.a.middlewares: a,"
                                + " traefik.http.routers.b.rule: 'Host(`a`)', traefik.http.routers.b.middlewares: b,"
                                + " traefik.http.middlewares.a.ratelimit.average: 1, traefik.http.middlewares.b.ratelimit.average: 2}}}",
                        "services: {shop: {environment: {VIRTUAL_HOST_MULTIPORTS: '{a: [1], b: {c: {port: [1], dest: {}}}, 1: ~}'}}}"));
    }

    @ParameterizedTest
    @MethodSource("hostileFiles")
    void hostileFilesAreReadQuickly(String yaml) throws Exception {
        for (String proxy : List.of("traefik", "caddy", "nginx-proxy")) {
            String file = file("compose.yml", yaml);
            assertTimeoutPreemptively(Duration.ofSeconds(60), () -> run("check", "--from", proxy, file));

            assertThat(status).isBetween(0, 2);
            assertThat(err.lines().count()).isLessThan(2);
            assertThat(out.length() + err.length()).isLessThan(3_000_000);
        }
    }

    /** A secret in a place where nobody expects one is not printed, either. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "traefik.http.middlewares.a.plugin.x.key",
                "traefik.http.middlewares.a.basicauth.users",
                "traefik.http.middlewares.a.digestauth.users",
                "traefik.http.middlewares.a.headers.customrequestheaders.Authorization",
                "traefik.http.middlewares.a.forwardauth.address",
                "traefik.http.middlewares.a.ratelimit.average",
                "traefik.http.middlewares.a.redirectregex.regex",
                "traefik.http.middlewares.a.stripprefix.prefixes",
                "traefik.http.routers.a.tls.options",
                "traefik.http.routers.a.entrypoints",
                "traefik.http.unknown",
                "caddy.basicauth.ann",
                "caddy.basic_auth",
                "caddy.forward_auth",
                "caddy.reverse_proxy.header_up.Authorization",
                "caddy.tls.dns",
                "caddy.tls",
                "caddy.import",
                "caddy.rewrite",
                "caddy.unknown",
            })
    void noSecretIsPrinted(String label) throws Exception {
        for (String value : List.of("x:hunter2", "http://x/?key=hunter2", "Bearer hunter2")) {
            run("check", "--from", label.split("\\.")[0], file("compose.yml", """
                    services:
                      shop:
                        labels:
                          traefik.http.routers.a.rule: Host(`shop.example`)
                          traefik.http.routers.a.middlewares: a
                          caddy: shop.example
                          caddy.reverse_proxy: "{{upstreams 80}}"
                          %s: "%s"
                          ? "%s2=hunter2: hunter2"
                    """.formatted(label, value, label)));

            assertThat(err).isEmpty();
            assertThat(out).doesNotContain("hunter2");
        }
    }
}
