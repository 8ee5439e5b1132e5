package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.acme.Replica;
import io.millau.acme.testing.Pebble;
import io.millau.acme.testing.RequiresPebble;
import io.millau.core.internal.Pem;
import io.millau.docker.testing.Engine;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code stacks/replicas.yml}: several Millaus that share their certificates in a Swarm, and a CA that asks another one of
 * them each time: three times for each challenge, as pebble does.
 */
@RequiresImages
@RequiresPebble
class ReplicasIT {

    private static final List<String> NAMES =
            List.of("shop.example", "www.shop.example", "api.shop.example", "blog.example");
    private static final String KEY = "0123456789abcdef0123456789ABCDEF";
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(250);

    /** That of Millau, and a test's. */
    private static final Duration LEASE = Duration.ofMinutes(3);

    private static final Duration SHORT_LEASE = Duration.ofSeconds(20);

    /** Whichever is free, since all replicas run on one node. */
    private static final String OWN_PORT = "      - target: PORT\n        mode: host\n";

    private static final String OF_TEST = """
                extra_hosts:
                  - "ca.example:ADDRESS"
                configs:
                  - source: ca
                    target: /ca.pem
                environment:
                  ACME: DIRECTORY
                  ACME_CA: /ca.pem
            """;

    @TempDir
    Path folder;

    private Stage stage;
    private Balancer balancer;
    private Pebble pebble;

    /** A Swarm for each test alone: what is in it is counted. */
    @BeforeEach
    void open() throws IOException {
        stage = Stage.open(1);
        balancer = new Balancer();
        pebble = Pebble.with()
                .at(engine().gateway(), "ca.example")
                .httpPort(balancer.front().port())
                .start();
    }

    @AfterEach
    void close() throws IOException {
        pebble.close();
        balancer.close();
        stage.close();
    }

    private Engine engine() {
        return stage.engine();
    }

    @Test
    void aNameHasOneOrderHoweverManyReplicasThereAre() throws Exception {
        try (Stack stack = deploy(3)) {
            List<String> replicas = stack.awaitInstances("millau", 3, List.of());
            join(replicas, 3);
            createShop(stack);
            Map<String, X509Certificate> certificates = awaitCertificates(replicas.get(0));
            for (String replica : replicas) {
                assertThat(awaitCertificates(replica)).isEqualTo(certificates);
                assertThat(balancer.given(front(replica, 80))).as(replica).isPositive();
            }
            assertOrders(NAMES.size());

            engine().docker("service", "scale", "--detach", stack.name() + "_millau=4");
            List<String> four = stack.awaitInstances("millau", 4, List.of());
            assertThat(awaitCertificates(newOne(four, replicas))).isEqualTo(certificates);

            String victim = replicas.get(0);
            engine().docker("kill", "--signal=KILL", victim);
            List<String> others = stack.awaitInstances("millau", 4, List.of(victim));
            assertThat(awaitCertificates(newOne(others, four))).isEqualTo(certificates);
            assertOrders(NAMES.size());

            awaitConfigsOfNames();
            assertThatConfigsAreSealed();
            System.out.printf(
                    "5 replicas, 1 killed: %d names, %d orders, %d certificates, %d configs left%n",
                    NAMES.size(),
                    pebble.ordered(),
                    pebble.issued(),
                    configs("value").size());
        }
    }

    /** What the next test shows with the time limit that Millau really has. */
    @EnabledIfSystemProperty(
            named = "millau.rounds",
            matches = "[2-9]|\\d{2,}",
            disabledReason = "waits for minutes, so it runs in the nightly build")
    @Test
    void whoIsKilledInMidOrderBlocksNamesForItsLeaseAlone() throws Exception {
        try (Stack stack = deploy(1)) {
            List<String> first = stack.awaitInstances("millau", 1, List.of());
            pebble.freeze();
            createShop(stack);
            Instant locked = awaitLocks(NAMES.size());
            engine().docker("kill", "--signal=KILL", first.get(0));
            pebble.thaw();
            engine().docker("service", "scale", "--detach", stack.name() + "_millau=3");
            List<String> replicas = stack.awaitInstances("millau", 3, first);
            join(replicas, 3);

            Map<String, X509Certificate> certificates = awaitCertificates(replicas.get(0), LEASE.plus(PATIENCE));
            Duration blocked = Duration.between(locked, Instant.now());
            for (String replica : replicas) {
                assertThat(awaitCertificates(replica)).isEqualTo(certificates);
            }
            assertThat(blocked).isBetween(LEASE, LEASE.plusSeconds(30));
            assertOrders(NAMES.size());
            System.out.println("Killed in mid-order: " + NAMES.size() + " names blocked for " + blocked.toSeconds()
                    + " s, lease " + LEASE.toSeconds() + " s, orders " + pebble.ordered());
        }
    }

    @Test
    void whoDiesInMidOrderBlocksANameForItsLeaseAlone() throws Exception {
        try (Pebble here = Pebble.with().httpPort(balancer.front().port()).start()) {
            Replica.Plan plan =
                    new Replica.Plan(engine().host(), KEY, here.directory(), here.trusted(), NAMES.get(0), SHORT_LEASE);
            here.freeze();
            Instant locked = lockAndDie(plan);
            try (Replica one = plan.start();
                    Replica other = plan.start()) {
                join(one);
                join(other);
                await("two replicas").atMost(PATIENCE).until(() -> balancer.up() == 2);
                here.thaw();
                await("certificates")
                        .atMost(PATIENCE)
                        .until(() -> Stream.of(one, other)
                                .noneMatch(replica -> replica.found().isEmpty()));
                Duration blocked = Duration.between(locked, Instant.now());

                assertThat(one.found()).isEqualTo(other.found());
                assertThat(blocked).isBetween(SHORT_LEASE, SHORT_LEASE.plusSeconds(30));
                assertThat(here.ordered()).isEqualTo(1);
                assertThat(here.issued()).isEqualTo(1);
                System.out.println("Died in mid-order: a name blocked for " + blocked.toSeconds() + " s, lease "
                        + SHORT_LEASE.toSeconds() + " s, orders " + here.ordered());
            }
        }
    }

    /** Until when another one has begun an order and died, without a chance to tidy up. */
    private Instant lockAndDie(Replica.Plan plan) throws Exception {
        Process process = plan.startProcess(folder);
        try {
            return awaitLocks(1);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    // ---- Proxies

    private Stack deploy(int replicas) throws IOException {
        Files.writeString(folder.resolve("ca.pem"), Pem.text(pebble.trusted()));
        Files.writeString(folder.resolve("store-key"), KEY);
        String text = Stage.read("stacks/replicas.yml");
        text = text.substring(0, text.indexOf("  shop:\n")) + text.substring(text.indexOf("secrets:\n  millau-store:"));
        text = text.replace("      mode: global\n", "      replicas: " + replicas + "\n")
                .replace("      - \"80:80\"\n", OWN_PORT.replace("PORT", "80") + OWN_PORT.replace("PORT", "9100"))
                .replace("      - \"443:443\"\n", OWN_PORT.replace("PORT", "443"))
                .replace("    environment:\n", OF_TEST)
                .replace(
                        "    external: true\n",
                        "    file: FOLDER/store-key\nconfigs:\n  ca:\n    file: FOLDER/ca.pem\n")
                .replace("ADDRESS", engine().gateway())
                .replace("DIRECTORY", pebble.directory().toString())
                .replace("FOLDER", folder.toString());
        return stage.deployText(text, "replicas");
    }

    /** From one moment to the next there are names that want certificates. */
    private void createShop(Stack stack) {
        engine().docker(
                        "service",
                        "create",
                        "--detach",
                        "--no-resolve-image",
                        "--name=" + stack.name() + "_shop",
                        "--network=" + stack.name() + "_default",
                        "--label=com.docker.stack.namespace=" + stack.name(),
                        "--label=millau.enabled=true",
                        "--label=millau.port=80",
                        "--label=millau.hosts=" + String.join(" ", NAMES),
                        "millau-echo:latest");
    }

    /** Has the CA ask these, too. */
    private void join(List<String> replicas, int up) {
        for (String replica : replicas) {
            balancer.add(front(replica, 80), front(replica, 9100));
        }
        await(up + " replicas").atMost(PATIENCE).until(() -> balancer.up() == up);
    }

    private void join(Replica replica) {
        balancer.add(new Front("127.0.0.1", replica.port()), new Front("127.0.0.1", replica.telemetryPort()));
    }

    private Front front(String replica, int port) {
        String published =
                engine().docker("port", replica, port + "/tcp").lines().toList().get(0);
        return new Front(engine().address(), Integer.parseInt(published.substring(published.lastIndexOf(':') + 1)));
    }

    private static String newOne(List<String> now, List<String> before) {
        List<String> others = new ArrayList<>(now);
        others.removeAll(before);
        assertThat(others).as("new ones of " + now).hasSize(1);
        return others.get(0);
    }

    private Map<String, X509Certificate> awaitCertificates(String replica) {
        return awaitCertificates(replica, PATIENCE);
    }

    /** What a replica shows, when that is the CA's for all names, and the service answers behind it. */
    private Map<String, X509Certificate> awaitCertificates(String replica, Duration patience) {
        Front https = front(replica, 443);
        Map<String, X509Certificate> certificates = new TreeMap<>();
        try {
            for (String name : NAMES) {
                Https answer = await("the certificate of " + name)
                        .atMost(patience)
                        .pollInterval(BETWEEN_LOOKS)
                        .ignoreExceptionsInstanceOf(IOException.class)
                        .until(
                                () -> Https.get(https, name),
                                got -> got.status() == 200 && isOfCa(got.certificate(), name));
                certificates.put(name, answer.certificate());
            }
        } catch (ConditionTimeoutException e) {
            throw new AssertionError("replica " + replica + " says\n" + engine().docker("logs", replica), e);
        }
        return certificates;
    }

    private static boolean isOfCa(X509Certificate certificate, String name) {
        return certificate.getIssuerX500Principal().getName().contains("Pebble")
                && certificate.toString().contains("DNSName: " + name + "\n");
    }

    private void assertOrders(int number) {
        assertThat(pebble.ordered()).as("orders").isEqualTo(number);
        assertThat(pebble.issued()).as("certificates").isEqualTo(number);
    }

    // ---- What the Swarm keeps

    private List<String> configs(String kind) {
        return engine().docker("config", "ls", "--quiet", "--filter=label=io.millau.kind=" + kind)
                .lines()
                .toList();
    }

    /** When the first of so many locks was taken. */
    private Instant awaitLocks(int number) {
        List<String> locks = await(number + " locks")
                .atMost(PATIENCE)
                .pollInterval(BETWEEN_LOOKS)
                .until(() -> configs("lock"), now -> now.size() == number);
        return locks.stream()
                .map(lock -> Instant.parse(engine().docker("config", "inspect", "--format={{json .CreatedAt}}", lock)
                        .replace("\"", "")))
                .min(Instant::compareTo)
                .orElseThrow();
    }

    /** An account and a certificate for each name, no challenge, no lock and no older version. */
    private void awaitConfigsOfNames() {
        String issuer = pebble.directory().getAuthority().replace(':', '_') + "_dir";
        List<String> expected = Stream.concat(
                        Stream.of(issuer + "/account/key"),
                        NAMES.stream().map(name -> issuer + "/" + name + "/certificate"))
                .toList();
        await("the end of challenges and locks")
                .atMost(PATIENCE)
                .pollInterval(BETWEEN_LOOKS)
                .untilAsserted(() -> {
                    assertThat(configs("lock")).isEmpty();
                    assertThat(configs("damaged")).isEmpty();
                    assertThat(configs("value"))
                            .extracting(id -> engine().docker(
                                            "config",
                                            "inspect",
                                            "--format={{index .Spec.Labels \"io.millau.store\"}}",
                                            id))
                            .containsExactlyInAnyOrderElementsOf(expected);
                });
    }

    private void assertThatConfigsAreSealed() {
        for (String id : configs("value")) {
            String text = engine().docker("config", "inspect", id);
            String data = engine().docker("config", "inspect", "--format={{json .Spec.Data}}", id)
                    .replace("\"", "");
            assertThat(text + new String(Base64.getDecoder().decode(data), StandardCharsets.ISO_8859_1))
                    .doesNotContain("BEGIN")
                    .doesNotContain("PRIVATE");
        }
    }
}
