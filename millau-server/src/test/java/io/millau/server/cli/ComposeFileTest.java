package io.millau.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The check of Compose and stack files. */
class ComposeFileTest extends CommandTest {

    private void check(String yaml) throws Exception {
        run("check", file("compose.yml", yaml));
    }

    @Test
    void labelsMayBeAListOrAMapping() throws Exception {
        check("""
                services:
                  list:
                    labels:
                      - "millau.enabled=true"
                      - millau.port=80
                      - other=1
                      - millau.prot=80
                  mapping:
                    labels:
                      millau.enabled: true
                      millau.port: 80
                      "millau.weight": 5000
                  none:
                    labels: [other=1]
                  nothing:
                """);

        assertThat(out).isEqualTo("""
                compose.yml:7: list: millau.prot=80: unknown, did you mean millau.port?
                compose.yml:12: mapping: millau.weight=5000: expected a share from 0 to 1000 (the service is left out)
                compose.yml:15: nothing: expected a mapping, with image and labels for instance
                3 problems in 2 services
                """);
        assertThat(status).isEqualTo(1);
    }

    /** The running proxy names such mistakes, but only then. */
    @Test
    void mistakesInTheEnvironmentOfAProxyAreProblems() throws Exception {
        environment.put("RANGE", "10.1.2.3/33");
        environment.put("TAG", "1.0");
        check("""
                services:
                  proxy:
                    image: ghcr.io/someone/millau:${TAG}
                    environment:
                      HTPS: ":443"
                      HTTP: 80a
                      TRUSTED: 10.0.0.0/33
                      PROXY_PROTOCOL: ${RANGE}
                      LOGGING: ${NOT_SET}
                      ACME: "off"
                      ACME_EAB_KID: x
                      ACME_EAB_HMAC: "s3cret !"
                      CERTS: /certs
                      SERVICES: /services
                      STORE: swarm
                      STORE_KEY_FILE: /run/secrets/key
                      TELEMETRY:
                      TZ: UTC
                  list:
                    image: millau
                    labels: [millau.enabled=false]
                    environment: [HTTPS_PORT=a, ACME_EMAIL, HTTPS=off]
                  other:
                    image: shop
                    environment: {HTTP: 80a}
                  named:
                    image: millau
                    environment: {HTTP: "no.such.host.invalid:80", TELEMETRY: "[::1]:x"}
                """);

        assertThat(out).isEqualTo("""
                compose.yml:5: proxy: HTPS: unknown, did you mean HTTPS?
                compose.yml:6: proxy: HTTP=80a: expected 8080, :8080, 127.0.0.1:8080 or [::1]:8080
                compose.yml:7: proxy: TRUSTED=10.0.0.0/33: "10.0.0.0/33": expected a prefix of 0 to 32 bits after the /
                compose.yml:8: proxy: PROXY_PROTOCOL=${RANGE}: expected a prefix of 0 to 32 bits after the /
                compose.yml:12: proxy: ACME_EAB_HMAC=…: expected the key in base64url, as the authority shows it
                compose.yml:22: list: HTTPS_PORT=a: expected a port from 1 to 65535
                compose.yml:28: named: TELEMETRY=[::1]:x: expected 8080, :8080, 127.0.0.1:8080 or [::1]:8080
                7 problems in 3 services
                """);
        assertThat(status).isEqualTo(1);
    }

    @Test
    void aTypoInThePrefixIsAProblem() throws Exception {
        check("""
                services:
                  list:
                    labels:
                      - milau.enabled=true
                      - milau.port=80
                  mapping:
                    labels:
                      millau.host: a.test
                      millau_enabled: true
                  mail:
                    labels: {mailu.enabled: true, milan.port: 80}
                """);

        assertThat(out).isEqualTo("""
                compose.yml:4: list: milau.enabled=true: unknown, did you mean millau.enabled? (the service is left out)
                compose.yml:5: list: milau.port=80: unknown, did you mean millau.port? (the service is left out)
                compose.yml:8: mapping: millau.host=a.test: unknown, did you mean millau.hosts? (the service is left out), so that it gets no requests for a.test
                compose.yml:9: mapping: millau_enabled=true: unknown, did you mean millau.enabled? (the service is left out), so that it gets no requests for a.test
                4 problems in 2 services
                """);
        assertThat(status).isEqualTo(1);
    }

    /** A blank that can't be seen, and a colon where a list has =, were names with no likeness to any. */
    @Test
    void whatYamlMakesOfALabelIsExplained() throws Exception {
        environment.put("TOKEN", "s3cr3t");
        check("""
                services:
                  list:
                    labels:
                      - "millau.enabled = true"
                      - "millau.port: 80"
                      - "millau.path: /${TOKEN}"
                      - other=1
                  mapping:
                    labels:
                      millau.enabled: true
                      millau.port: 80
                      millau.hosts: [a.test, b.test]
                      millau.users: ["ann:$$2y$$05$$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a"]
                      millau.path: [{a: b}]
                      millau.timeout: []
                      millau.retry: {a: b}
                """);

        assertThat(out).isEqualTo("""
                compose.yml:4: list: millau.enabled: its name has a blank at its end: write millau.enabled=true (the service is left out)
                compose.yml:5: list: millau.port: expected = after its name: write millau.port=80 (the service is left out)
                compose.yml:6: list: millau.path: expected = after its name (the service is left out)
                compose.yml:12: mapping: millau.hosts: expected text: write a.test b.test
                compose.yml:13: mapping: millau.users: expected text, with spaces between several values
                compose.yml:14: mapping: millau.path: expected text
                compose.yml:15: mapping: millau.timeout: expected text
                compose.yml:16: mapping: millau.retry: expected text
                8 problems in 2 services
                """);
    }

    @Test
    void aMistakeInALabelOfARouteHasItsLine() throws Exception {
        check("""
                services:
                  shop:
                    labels:
                      - millau.enabled=true
                      - millau.port=80
                      - millau.admin.port=9000
                      - millau.admin.path=admin
                      - millau.admin.prot=1
                      - millau.lone.weight=2
                  good:
                    labels:
                      millau.api.enabled: "true"
                      millau.api.port: 9000
                """);

        assertThat(out).isEqualTo("""
                compose.yml:7: shop: millau.admin.path=admin: expected a path that starts with /, /admin for instance (the service is left out)
                compose.yml:8: shop: millau.admin.prot=1: unknown, did you mean millau.admin.port? (the service is left out)
                compose.yml:9: shop: millau.lone.weight: expected millau.lone.port or millau.lone.hosts or millau.lone.path beside it, since each route has one of these (the service is left out)
                3 problems in 2 services
                """);
    }

    /** The message about a port that is missing begins with no label of the file. */
    @Test
    void aVariableInTheNameOfARouteIsNotShown() throws Exception {
        environment.put("TOKEN", "s3cr3t");
        check("""
                services:
                  shop:
                    expose: [80, 81]
                    labels:
                      - millau.enabled=true
                      - millau.${TOKEN}.path=/
                      - millau.${TOKEN}.weight=x
                """);

        assertThat(out).isEqualTo("""
                compose.yml:4: shop: millau.….port is missing: expected the port the service listens on inside its container; it exposes 80, 81 (the service is left out)
                compose.yml:7: shop: millau.….weight=x: expected a share from 0 to 1000 (the service is left out)
                2 problems in 1 service
                """);
    }

    @Test
    void aMistakeInALabelOfAHeaderHasItsLine() throws Exception {
        check("""
                services:
                  list:
                    labels:
                      - millau.enabled=true
                      - millau.port=80
                      - millau.request-header.X-Tenant=a=b
                      - millau.response-header.Server=
                      - millau.response-header.X-Key=1
                      - millau.response-header.x-key=2
                  mapping:
                    labels:
                      millau.enabled: true
                      millau.port: 80
                      millau.request-header.X-Number: 1
                      millau.response-header.Server: ""
                      millau.request-header.Connection: close
                      millau.response-header.X-Nothing:
                """);

        assertThat(out).isEqualTo("""
                compose.yml:9: list: millau.response-header.x-key=2: header x-key: expected once, but it is there twice, since names of \
                headers have no case (the service is left out)
                compose.yml:16: mapping: millau.request-header.Connection: header Connection: expected another, since it frames the \
                message, or belongs to the connection or the routing (the service is left out)
                compose.yml:17: mapping: millau.response-header.X-Nothing has no value: expected one, or no such label
                3 problems in 2 services
                """);
    }

    @Test
    void labelsInOtherCaseAreNamed() throws Exception {
        check("""
                services:
                  list:
                    labels:
                      - Millau.Enabled=true
                  mapping:
                    deploy: {labels: {Millau.Port: 80}}
                """);

        assertThat(out)
                .contains(
                        "compose.yml:4: list: Millau.Enabled=true: unknown, since labels begin with millau. in lower case")
                .contains(
                        "compose.yml:6: mapping: Millau.Port=80: unknown, since labels begin with millau. in lower case");
    }

    /** What Compose takes for the name of a variable is a part of a hash, and not printed. */
    @Test
    void dollarsOfHashesAreDoubled() throws Exception {
        check("""
                services:
                  right:
                    labels:
                      - millau.enabled=true
                      - millau.port=80
                      - millau.users=a:$$2y$$05$$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a
                  none:
                    labels:
                      millau.enabled: true
                      millau.port: 80
                      millau.users: a:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a
                  some:
                    labels:
                      millau.enabled: true
                      millau.port: 80
                      millau.users: a:$$2y$$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a
                """);

        assertThat(out).isEqualTo("""
                compose.yml:11: none: millau.users: a $ in it is taken for a variable: write $$ for each $, such as name:$$2y$$10$$..., \
                or give all users in Base64
                compose.yml:16: some: millau.users: a $ in it is taken for a variable: write $$ for each $, such as name:$$2y$$10$$..., \
                or give all users in Base64
                compose.yml:16: some: millau.users: user 1: expected a bcrypt hash, such as htpasswd -nB NAME makes; it seems that a $ in it \
                was taken for a variable: in a Compose file write $$ for each $, such as name:$$2y$$10$$..., in a shell put it in single \
                quotes, or give all users in Base64 (the service is closed: requests get 503)
                3 problems in 3 services
                """);
    }

    /** The output of a check is in the log of a build, for everybody. */
    @Test
    void valuesOfVariablesAreNotPrinted() throws Exception {
        environment.put("SECRET", "hunter2,hunter3");
        environment.put("HOSTS", "hunter4:80 hunter5");
        check("""
                services:
                  list:
                    labels:
                      - millau.enabled=true
                      - millau.port=$SECRET
                      - millau.path=x${SECRET}
                      - millau.hosts=${SECRET}
                      - millau.colour=${SECRET}
                      - millau.timeout=${NONE:?unlike $SECRET}
                      - millau.$SECRET
                      - millau.x$SECRET=1
                      - millau.x$SECRET=2
                  colon:
                    labels:
                      - "millau.$SECRET:"
                  mapping:
                    labels: {millau.port: "80${SECRET:-81}", millau.hosts: "${HOSTS}", millau.allow: "${HOSTS}", millau.retry: "${SECRET:+soon} $SECRET"}
                """);

        assertThat(out)
                .doesNotContain("hunter")
                .contains("list: millau.port=$SECRET: expected a port from 1 to 65535 (")
                .contains("list: millau.path=x${SECRET}: expected a path that starts with /, /x… for instance (")
                .contains("list: millau.hosts=${SECRET}: expected host names separated by spaces (")
                .contains(
                        "mapping: millau.hosts=${HOSTS}: expected host names separated by spaces, without port, or * (")
                .contains("mapping: millau.allow=${HOSTS}: expected addresses or ranges")
                .contains("list: millau.colour=${SECRET}: unknown")
                .contains("list: millau.timeout: NONE is not set: unlike $SECRET")
                .contains("list: millau.…=: unknown")
                .contains("compose.yml:15: colon: millau.…=: unknown")
                .contains("list: millau.x… is there twice: line 11 has no effect")
                .contains("list: millau.x…=2: unknown")
                .contains("mapping: millau.port=80${SECRET:-81}: expected a port");
    }

    @Test
    void deployLabelsCountIfTheyContainMillauLabels() throws Exception {
        check("""
                services:
                  both:
                    labels: {millau.prot: 1}
                    deploy: {labels: {millau.enabled: true, millau.port: 80}}
                  containers:
                    labels: {millau.enabled: true, millau.port: x}
                    deploy: {labels: {other: 1}}
                """);

        assertThat(out).isEqualTo("""
                compose.yml:3: both: labels and deploy.labels differ: a Swarm takes deploy.labels alone, Compose labels alone; \
                expected all of them in one place, or the same in both
                compose.yml:6: containers: millau.port=x: expected a port from 1 to 65535 (the service is left out)
                2 problems in 2 services
                """);
    }

    @Test
    void theSameLabelsInBothPlacesAreForBoth() throws Exception {
        check("""
                services:
                  both:
                    labels: [millau.enabled=true, millau.port=80]
                    deploy: {labels: {millau.enabled: true, millau.port: 80}}
                """);

        assertThat(out).isEqualTo("1 service, no problems\n");
    }

    /** A file for Compose with labels for a Swarm alone: the service was not served, and nothing said why. */
    @Test
    void deployLabelsInAFileForComposeAreNoted() throws Exception {
        check("""
                services:
                  web:
                    restart: always
                    deploy: {labels: {millau.enabled: true, millau.port: 80}}
                """);

        assertThat(out).isEqualTo("""
                compose.yml:4: web: note: deploy.labels count in a Swarm alone, and restart in Compose alone, which takes labels
                1 service, no problems
                """);
    }

    /** The same where only another service shows what the file is for. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "container_name: db | container_name of db",
                "build: . | build without image of db",
                "depends_on: {web: {condition: service_started}} | depends_on with conditions of db",
            })
    void deployLabelsAreNotedOnceInAFileForCompose(String key, String sign) throws Exception {
        check("""
                services:
                  web:
                    image: web
                    deploy: {labels: {millau.enabled: true, millau.port: 80}}
                  api:
                    image: api
                    deploy: {labels: {millau.enabled: true, millau.port: 80, millau.path: /api/}}
                  db:
                    %s
                """.formatted(key));

        assertThat(out).isEqualTo("""
                compose.yml:4: web: note: deploy.labels count in a Swarm alone, and %s in Compose alone, which takes labels
                2 services, no problems
                """.formatted(sign));
    }

    @Test
    void labelsInBothPlacesOfAFileAreNoted() throws Exception {
        check("""
                services:
                  web:
                    image: web
                    labels: {millau.enabled: true, millau.port: 80}
                  api:
                    image: api
                    build: .
                    depends_on: [web]
                    deploy: {labels: {millau.enabled: true, millau.port: 80, millau.path: /api/}}
                """);

        assertThat(out).isEqualTo("""
                compose.yml:9: api: note: its labels are under deploy, those of web beside image: Compose without a Swarm takes only the latter
                2 services, no problems
                """);
    }

    @Test
    void anchorsAndMergesAreResolved() throws Exception {
        check("""
                x-labels: &labels
                  millau.enabled: true
                  millau.port: 80
                x-more: &more
                  millau.port: 81
                  millau.path: more
                x-list: &list [millau.enabled=true, millau.prot=80, millau.port=80]
                services:
                  one: &one
                    labels:
                      <<: *labels
                  two:
                    labels:
                      millau.path: /
                      <<: [*labels, *more]
                  three:
                    <<: *one
                  four:
                    labels:
                      <<: [*more, *labels]
                  five:
                    labels: *list
                """);

        assertThat(out).isEqualTo("""
                compose.yml:6: four: millau.path=more: expected a path that starts with /, /more for instance (the service is left out)
                compose.yml:7: five: millau.prot=80: unknown, did you mean millau.port?
                2 problems in 5 services
                """);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "$PORT | -",
                "${PORT} | -",
                "${UNSET:-80} | -",
                "${EMPTY:-80} | -",
                "${EMPTY-80} | millau.port=: expected a port",
                "${UNSET-80} | -",
                "${UNSET:-${PORT}} | -",
                "${PORT:?needed} | -",
                "${PORT:+80} | -",
                "${UNSET+x}80 | -",
                "${FROM_FILE} | -",
                "$${PORT} | millau.port=${PORT}: expected a port",
                "$UNSET | millau.port: UNSET is not set: expected it in the environment, or ${UNSET:-default}",
                "${UNSET:?needed} | millau.port: UNSET is not set: needed",
                "${EMPTY:?needed} | millau.port: EMPTY is not set: needed",
                "${PORT | millau.port: expected ${NAME}, ${NAME:-default}, or $$ for a dollar",
                "${} | millau.port: expected a name in ${}",
                "${PORT!x} | millau.port: expected ${NAME}, ${NAME:-default}, ${NAME:?message} or ${NAME:+other} rather than",
                "$ | millau.port: expected ${NAME}, ${NAME:-default}, or $$ for a dollar",
            })
    void variablesAreResolvedOrReported(String value, String problem) throws Exception {
        environment.put("PORT", "80");
        environment.put("EMPTY", "");
        file(".env", "# comment\nPORT=wrong\nexport FROM_FILE=\"80\" # here\n");
        for (String label : new String[] {"- 'millau.port=" + value + "'", "millau.port: '" + value + "'"}) {
            String enabled = label.startsWith("-") ? "- millau.enabled=true" : "millau.enabled: true";
            check("services:\n  shop:\n    labels:\n      " + enabled + "\n      " + label + "\n");
            if (problem == null) {
                assertThat(out).isEqualTo("1 service, no problems\n");
            } else {
                assertThat(out).startsWith("compose.yml:5: shop: " + problem);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "expose: [80] | 1 service, no problems",
                "expose: ['80/tcp', 80, 53/udp] | 1 service, no problems",
                "ports: ['8080:80'] | 1 service, no problems",
                "ports: ['127.0.0.1:8080:80/tcp', {target: 80, published: 81}, {target: 53, protocol: udp}] | 1 service, no problems",
                "expose: [80, '90-91'] | compose.yml:3: shop: millau.port is missing: expected the port the service listens on inside"
                        + " its container; it exposes 80, 90, 91 (the service is left out)",
                "image: x | compose.yml:3: shop: note: millau.port is missing: right if its image exposes exactly one port",
            })
    void theOnlyExposedPortReplacesAMissingPort(String key, String line) throws Exception {
        check("services:\n  shop:\n    labels: [millau.enabled=true]\n    " + key + "\n");

        assertThat(out).startsWith(line);
    }

    /** Swarm ignores the ports that an image exposes. */
    @Test
    void inAStackAnExposedPortDoesNotReplaceAMissingPort() throws Exception {
        check("services:\n  shop:\n    expose: [80]\n    deploy:\n      labels: [millau.enabled=true]\n");

        assertThat(out).startsWith("compose.yml:5: shop: millau.port is missing");
    }

    @Test
    void labelsInTheWrongPlaceAreReported() throws Exception {
        check("""
                services:
                  shop:
                    millau.port: 80
                    environment:
                      millau.enabled: true
                    deploy:
                      millau.hosts: shop.example
                  list:
                    environment: [A=b, millau.enabled=true]
                    labels:
                      - millau.enabled: true
                      - [millau.port=80]
                  text:
                    labels: millau.enabled=true
                  nested:
                    labels: {millau.port: [80]}
                """);

        assertThat(out).isEqualTo("""
                compose.yml:3: shop: millau.port is not read there: expected in labels
                compose.yml:5: shop: millau.enabled is not read there: expected in labels
                compose.yml:7: shop: millau.hosts is not read there: expected in deploy.labels
                compose.yml:9: list: millau.enabled is not read there: expected in labels
                compose.yml:11: list: millau.enabled: expected millau.enabled=VALUE, since labels are a list here
                compose.yml:14: text: labels: expected a list or a mapping
                compose.yml:16: nested: millau.port: expected text: write 80
                7 problems in 2 services
                """);
    }

    @Test
    void aLabelWithoutAValueIsAProblem() throws Exception {
        check("""
                services:
                  shop:
                    labels:
                      millau.enabled: true
                      millau.port:
                      millau.network: ~
                """);

        assertThat(out).isEqualTo("""
                compose.yml:5: shop: millau.port=: expected a port from 1 to 65535 (the service is left out)
                compose.yml:6: shop: millau.network has no value: expected one, or no such label
                2 problems in 1 service
                """);
    }

    @Test
    void duplicatesAreProblems() throws Exception {
        check("""
                services:
                  shop:
                    labels:
                      millau.enabled: true
                      millau.port: 80
                      millau.port: 81
                  list:
                    labels: [millau.enabled=true, millau.port=80, millau.port=81]
                  shop:
                    labels: [millau.enabled=true, millau.port=82]
                """);

        assertThat(out).isEqualTo("""
                compose.yml:8: list: millau.port is there twice: line 8 has no effect
                compose.yml:9: services: shop is there twice: expected one
                2 problems in 2 services
                """);
    }

    @Test
    void referencesToOtherFilesAreNoted() throws Exception {
        check("include: [other.yml]\n");
        assertThat(out).isEqualTo("""
                compose.yml:1: include: note: included files are not checked
                0 services, no problems
                """);

        check("services:\n  shop:\n    extends: {service: base}\n    label_file: x\n");
        assertThat(out).isEqualTo("""
                compose.yml:3: shop: note: labels added by extends are not checked
                compose.yml:4: shop: note: labels added by label_file are not checked
                0 services, no problems
                """);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "services: [ | compose.yml:1: expected YAML: ",
                "services:\\n\\tshop: {} | compose.yml:2: expected YAML: found character '\\t(TAB)'",
                "a: *nowhere | compose.yml:1: expected YAML: found undefined alias nowhere",
                "a: 1\\n---\\nb: 2 | compose.yml:2: expected YAML: but found another document",
                "'' | compose.yml: expected a Compose or stack file, with services",
                "[services] | compose.yml: expected a Compose or stack file, with services",
                "services: | compose.yml: expected a Compose or stack file, with services",
                "version: 3 | compose.yml: expected a Compose or stack file, with services",
                "a: \u0007x | compose.yml: expected YAML: ",
            })
    void anInvalidComposeFileIsReportedInOneLine(String yaml, String line) throws Exception {
        check(yaml.replace("\\n", "\n").replace("\\t", "\t"));

        assertThat(err.lines()).singleElement().asString().startsWith(line);
        assertThat(out).isEmpty();
        assertThat(status).isEqualTo(2);
    }

    static String[] hostileFiles() {
        String bomb = IntStream.range(1, 40)
                .mapToObj(i -> "x" + i + ": &x" + i + " [" + ("*x" + (i - 1) + ", ").repeat(9) + "1]\n")
                .collect(Collectors.joining("", "x0: &x0 [1]\n", ""));
        String merges = IntStream.range(1, 40)
                .mapToObj(i ->
                        "x" + i + ": &x" + i + " {<<: [" + ("*x" + (i - 1) + ", ").repeat(9) + "{}], k" + i + ": 1}\n")
                .collect(Collectors.joining("", "x0: &x0 {a: 1}\n", "services: {shop: {labels: *x39}}\n"));
        String many = IntStream.range(0, 40_000)
                .mapToObj(i -> "      - millau.l" + i + "=1\n")
                .collect(Collectors.joining("", "services:\n  shop: &shop\n    labels: &labels\n", ""));
        return new String[] {
            bomb + "services: {shop: {labels: *x39}}\n",
            merges,
            many,
            many
                    + IntStream.range(0, 400)
                            .mapToObj(i -> "  s" + i + ": *shop\n")
                            .collect(Collectors.joining()),
            "services: " + "[".repeat(500_000),
            "services: " + "{a: ".repeat(200_000),
            "services: {shop: {labels: {millau.port: '" + "${A:-".repeat(150_000) + "}".repeat(150_000) + "'}}}",
            "services: {shop: {labels: {millau.port: '" + "$$".repeat(400_000) + "'}}}",
            "services: {shop: {labels: [millau." + "x".repeat(900_000) + "=1]}}",
            "services: {shop: {labels: [millau.hosts=" + "ü".repeat(400_000) + "]}}",
            "services: {shop: {labels: [millau.hosts=" + "a.".repeat(400_000) + "]}}",
            "services: {shop: {labels: [millau.enabled=true], ports: [" + "0-65535,".repeat(80_000) + "]}}",
            "services: &s {shop: *s}",
            "services: &s {shop: &t {<<: *t, labels: *s, deploy: *t}}",
            "services: {? {a: b} : {labels: {}}, ? [x] : 1}",
            "services: {shop: {labels: !!javax.script.ScriptEngineManager [!!java.net.URL ['http://127.0.0.1:1/']]}}",
        };
    }

    @ParameterizedTest
    @MethodSource("hostileFiles")
    void hostileFilesAreRejectedQuickly(String yaml) {
        assertTimeoutPreemptively(Duration.ofSeconds(30), () -> check(yaml));

        assertThat(status).isBetween(0, 2);
        assertThat(out.length() + err.length()).isLessThan(3_000_000);
    }
}
