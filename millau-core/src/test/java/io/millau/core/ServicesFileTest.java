package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServicesFileTest {

    @TempDir
    Path folder;

    private Path file;
    private ServiceSource.Subscription reading;
    private final AtomicLong passed = new AtomicLong();
    private final List<Snapshot> delivered = new CopyOnWriteArrayList<>();

    @AfterEach
    void close() {
        if (reading != null) {
            reading.close();
        }
    }

    @BeforeEach
    void name() {
        file = folder.resolve("services.properties");
    }

    @Test
    void lookReturnsServicesAndProblems() throws Exception {
        Files.writeString(file, "app.endpoints = http://10.0.0.5\napp.prot = 80\n");
        Snapshot snapshot = ServiceSource.file(file).look();

        assertThat(snapshot.services()).extracting(Service::name).containsExactly("app");
        assertThat(snapshot.problems())
                .extracting(Problem::toString)
                .singleElement()
                .asString()
                .startsWith("app: app.prot=80: unknown");
    }

    @Test
    void aBlankNameCostsItsServiceAlone() throws Exception {
        Files.writeString(file, """
                app.endpoints = http://10.0.0.5
                \\ .endpoints = http://10.0.0.6
                """);
        Snapshot snapshot = ServiceSource.file(file).look();

        assertThat(snapshot.services()).extracting(Service::name).containsExactly("app");
        assertThat(snapshot.problems())
                .containsExactly(new Problem(
                        " ", "service name \" \": expected at least one visible character (the service is left out)"));
    }

    @Test
    void aServiceMayHaveSeveralRoutesAtItsEndpoints() throws Exception {
        Files.writeString(file, """
                shop.endpoints = http://10.0.0.5:8080
                shop.hosts = shop.example
                shop.admin.path = /admin
                shop.admin.allow = private
                """);
        Snapshot snapshot = ServiceSource.file(file).look();

        assertThat(snapshot.problems()).isEmpty();
        assertThat(snapshot.services())
                .extracting(Service::name, Service::hosts, Service::path, Service::id)
                .containsExactly(
                        tuple("shop", List.of("shop.example"), "/", "file:shop"),
                        tuple("shop/admin", List.of("shop.example"), "/admin", "admin of file:shop"));
        assertThat(snapshot.services())
                .extracting(service -> service.endpoints().toString())
                .containsOnly("[http://10.0.0.5:8080]");
    }

    @Test
    void aNameWithEndpointsIsAServiceAndNoRoute() throws Exception {
        Files.writeString(file, """
                shop.endpoints = http://10.0.0.5
                shop.admin.endpoints = http://10.0.0.6
                shop.admin.path = /admin
                shop.admin.old.path = /old
                """);
        Snapshot snapshot = ServiceSource.file(file).look();

        assertThat(snapshot.problems()).isEmpty();
        assertThat(snapshot.services())
                .extracting(Service::name, service -> service.endpoints().toString())
                .containsExactlyInAnyOrder(
                        tuple("shop", "[http://10.0.0.5:80]"),
                        tuple("shop.admin", "[http://10.0.0.6:80]"),
                        tuple("shop.admin/old", "[http://10.0.0.6:80]"));
    }

    @Test
    void whatIsWrongWithTheEndpointsOfAllRoutesIsSaidOnce() throws Exception {
        Files.writeString(file, "shop.hosts = a.example\nshop.endpoints = ftp://10.0.0.5\nshop.b.hosts = b.example\n");

        assertThat(ServiceSource.file(file).look().problems())
                .extracting(Problem::toString)
                .containsExactly("shop: shop.endpoints=ftp://10.0.0.5: expected http://HOST:PORT, https://HOST:PORT or"
                        + " h2c://HOST:PORT without a path (this endpoint is left out)");
    }

    @Test
    void lookFailsForAFileThatIsNotText() throws Exception {
        Files.write(file, "app.hosts = one.com".getBytes(StandardCharsets.UTF_16LE));

        assertThatThrownBy(() -> ServiceSource.file(file).look())
                .isInstanceOf(IOException.class)
                .hasMessage("expected a text file in UTF-8, but byte 2 is 0");
    }

    /** "Input length = 1" was all that one read, and no service was served. */
    @Test
    void invalidUtf8IsNamedByLineAndByteAndCostsOneService() throws Exception {
        Files.write(file, """
                # Gr\u00f6\u00dfe
                app.endpoints = http://10.0.0.5
                shop.endpoints = http://10.0.0.6
                shop.hosts = gr\u00f6\u00dfe.example
                """.getBytes(StandardCharsets.ISO_8859_1));
        Snapshot snapshot = ServiceSource.file(file).look();

        assertThat(snapshot.services()).extracting(Service::name).containsExactly("app");
        assertThat(snapshot.problems())
                .extracting(Problem::toString)
                .containsExactly("shop: line 4: expected UTF-8, but byte 16 of this line is 0xf6"
                        + " (the service is left out)");
    }

    /** The service was served without what the line says: for every host, for instance. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "admin.hosts = \\u00zz | line 2: expected four hexadecimal digits after \\u, or \\\\ for a backslash",
                "admin hosts = x.example | expected keys like admin.endpoints",
                "admin,hosts = x.example | admin,hosts: expected admin.hosts",
                "admin_hosts = x.example | admin_hosts: expected admin.hosts",
                "admin. hosts = x.example | admin.: expected the name of a label after the dot, without a blank",
                "\ufeffadmin.hosts = x.example | line 2: the key has the invisible character U+FEFF, expected none",
                "admin\u00a0.hosts = x.example | line 2: the key has the invisible character U+00A0, expected none",
                "admim.\\u00zz = x.example | line 2: expected four hexadecimal digits",
            })
    void aServiceWithALineThatCannotBeReadIsNotOpenedToEverybody(String line, String problem) throws Exception {
        Files.writeString(file, "admin.endpoints = http://10.0.0.5\n" + line + "\napp.endpoints = http://10.0.0.6\n");
        Snapshot snapshot = ServiceSource.file(file).look();

        assertThat(snapshot.services()).extracting(Service::name).containsExactly("app");
        assertThat(snapshot.problems())
                .extracting(Problem::toString)
                .anySatisfy(said -> assertThat(said).startsWith("admin: " + problem));
    }

    /** Names of services and of headers may have dots. */
    @Test
    void aKeyBelongsToTheServiceWithEndpointsWhoseNameItBeginsWith() throws Exception {
        Files.writeString(file, """
                app.request-header.X-Tenant = t1
                app.endpoints = http://10.0.0.5
                app.response-header.x.y = a.b
                shop.example.endpoints = http://10.0.0.6
                shop.example.hosts = shop.example
                shop.example.request-header.X-Tenant =
                shop.endpoints = http://10.0.0.7
                shop.path = /shop/
                app.requst-header.X-Key = s3cret
                """);
        Snapshot snapshot = ServiceSource.file(file).look();

        assertThat(snapshot.problems())
                .extracting(Problem::toString)
                .containsExactly("app: app.requst-header.X-Key: unknown, did you mean app.request-header.X-Key?");
        assertThat(snapshot.services())
                .extracting(Service::name, Service::requestHeaders, Service::responseHeaders)
                .containsExactly(
                        tuple("app", Map.of("X-Tenant", "t1"), Map.of("x.y", "a.b")),
                        tuple("shop", Map.of(), Map.of()),
                        tuple("shop.example", Map.of("X-Tenant", ""), Map.of()));
    }

    @Test
    void aHeaderOfAServiceWithoutEndpointsIsNoOtherService() throws Exception {
        Files.writeString(file, "app.endpionts = http://10.0.0.5\napp.request-header.X-Tenant = t1\n");
        Snapshot snapshot = ServiceSource.file(file).look();

        assertThat(snapshot.problems())
                .extracting(Problem::toString)
                .containsExactly(
                        "app: app.endpionts=http://10.0.0.5: unknown, did you mean app.endpoints?",
                        "app: app.endpoints is missing: expected URLs separated by spaces, http://10.0.0.5:8080 for"
                                + " instance");
    }

    @Test
    void aLineWithoutAServiceIsAProblemOfTheFile() throws Exception {
        Files.writeString(file, "app.endpoints = http://10.0.0.5\n= x\n");
        Snapshot snapshot = ServiceSource.file(file).look();

        assertThat(snapshot.services()).extracting(Service::name).containsExactly("app");
        assertThat(snapshot.problems())
                .extracting(Problem::toString)
                .containsExactly("file " + file + ": line 2: expected a key like NAME.endpoints");
    }

    /** A service that was pasted and not renamed: the first one was gone, and nobody was told. */
    @Test
    void duplicateKeysAreNamed() throws Exception {
        Files.writeString(file, """
                app.endpoints = http://10.0.0.5
                app.hosts = one.com
                app.endpoints = http://10.0.0.6
                app.hosts = two.com
                """);
        Snapshot snapshot = ServiceSource.file(file).look();

        assertThat(snapshot.services())
                .extracting(Service::toString)
                .containsExactly("app two.com / → [http://10.0.0.6:80]");
        assertThat(snapshot.problems())
                .extracting(Problem::toString)
                .containsExactly(
                        "app: app.endpoints is there twice: line 3 counts, line 1 has no effect",
                        "app: app.hosts is there twice: line 4 counts, line 2 has no effect");
    }

    /** The file was taken as it was between the halves, and the services of the second half were gone. */
    @Test
    void aFileThatIsWrittenInTwoHalvesKeepsItsServices() throws Exception {
        String half = "a.endpoints=http://127.0.0.1:81\na.hosts=one.com\n";
        String whole = half + "b.endpoints=http://127.0.0.1:82\nb.hosts=two.com\n";
        Files.writeString(file, whole);
        read();
        awaitSnapshots(1);
        Files.writeString(file, half);
        awaitReads(4);
        passed.addAndGet(Duration.ofMillis(4_900).toNanos());
        awaitReads(4);
        Files.writeString(file, whole + "c.endpoints=http://127.0.0.1:83\n");

        assertThat(awaitSnapshots(2).services()).extracting(Service::name).containsExactly("a", "b", "c");
    }

    /** b would be there for every host. */
    @ParameterizedTest
    @ValueSource(strings = {"", "\nb.hos", "\nb.hosts=two.c", "\nb.hosts=two.com"})
    void aFileThatIsCutInALineKeepsItsServices(String rest) throws Exception {
        String start = "a.endpoints=http://127.0.0.1:81\nb.endpoints=http://127.0.0.1:82";
        Files.writeString(file, start + "\nb.hosts=two.com\n");
        read();
        awaitSnapshots(1);
        Files.writeString(file, start + rest);
        awaitReads(4);
        assertThat(delivered).hasSize(1);
        Files.writeString(file, start + "\nb.hosts=two.com\nb.timeout=3\n");

        assertThat(awaitSnapshots(2).services())
                .extracting(Service::toString)
                .containsExactly("a * / → [http://127.0.0.1:81]", "b two.com / → [http://127.0.0.1:82]");
    }

    @Test
    void aServiceThatStaysAwayIsRemoved() throws Exception {
        Files.writeString(file, "a.endpoints=http://127.0.0.1:81\nb.endpoints=http://127.0.0.1:82\n");
        read();
        awaitSnapshots(1);
        Files.writeString(file, "a.endpoints=http://127.0.0.1:81\n");
        awaitReads(4);
        assertThat(delivered).hasSize(1);
        passed.addAndGet(Duration.ofSeconds(6).toNanos());

        assertThat(awaitSnapshots(2).services()).extracting(Service::name).containsExactly("a");
    }

    /** Only what could be the beginning of the file waits. The clock stands still here. */
    @Test
    void theUsualChangeWaitsOnlyForASecondRead() throws Exception {
        Files.writeString(file, "a.endpoints=http://127.0.0.1:81\na.path=/a\na.hosts=one.com\n");
        read();
        awaitSnapshots(1);
        Files.writeString(file, "a.endpoints=http://127.0.0.1:82\na.hosts=two.com\nb.endpoints=http://127.0.0.1:83\n");

        assertThat(awaitSnapshots(2).services())
                .extracting(Service::toString)
                .containsExactly("a two.com / → [http://127.0.0.1:82]", "b * / → [http://127.0.0.1:83]");
    }

    /** The mark made the first service another one, for every host. */
    @Test
    void aByteOrderMarkIsIgnored() throws Exception {
        Files.writeString(file, "\ufeffadmin.hosts = admin.example\nadmin.endpoints = http://10.0.0.5\n");
        Snapshot snapshot = ServiceSource.file(file).look();

        assertThat(snapshot.services())
                .singleElement()
                .satisfies(admin -> assertThat(admin.hosts()).containsExactly("admin.example"));
        assertThat(snapshot.problems()).isEmpty();
    }

    @Test
    void labelsAndEndpointUrlsAreRead() throws Exception {
        Files.writeString(file, """
                orders.endpoints = http://10.0.0.5:8080 http://10.0.0.6 h2c://10.0.0.7
                orders.hosts     = shop.example
                orders.path      = /orders/
                orders.timeout   = 5
                orders.weight    = 9
                orders.balance   = least-connections
                """);
        read();
        Snapshot snapshot = awaitSnapshots(1);

        assertThat(snapshot.problems()).isEmpty();
        Service orders = snapshot.services().get(0);
        assertThat(orders.name()).isEqualTo("orders");
        assertThat(orders.hosts()).containsExactly("shop.example");
        assertThat(orders.path()).isEqualTo("/orders/");
        assertThat(orders.timeout()).isEqualTo(Duration.ofSeconds(5));
        assertThat(orders.weight()).isEqualTo(9);
        assertThat(orders.balancer()).isSameAs(LoadBalancer.leastConnections());
        assertThat(orders.endpoints())
                .extracting(Endpoint::toString)
                .containsExactly("http://10.0.0.5:8080", "http://10.0.0.6:80", "h2c://10.0.0.7:80");
    }

    /** It was unknown, and the instances were spoken to in HTTP/1.1. */
    @Test
    void theSchemeOfAServiceIsThatOfItsUrls() throws Exception {
        Files.writeString(file, """
                grpc.endpoints = http://10.0.0.5:8080 h2c://10.0.0.6 https://10.0.0.7
                grpc.scheme    = h2c
                """);
        Snapshot snapshot = ServiceSource.file(file).look();

        assertThat(snapshot.services().get(0).endpoints())
                .extracting(Endpoint::toString)
                .containsExactly("h2c://10.0.0.5:8080", "h2c://10.0.0.6:80");
        assertThat(snapshot.problems())
                .extracting(Problem::message)
                .containsExactly("grpc.endpoints=https://10.0.0.7: expected h2c://, as its scheme is h2c"
                        + " (this endpoint is left out)");
    }

    @Test
    void changesApplyAndProblemsAreReported() throws Exception {
        Files.writeString(file, "a.endpoints=http://127.0.0.1:81\nb.endpoints=http://127.0.0.1:82\n");
        read();
        awaitSnapshots(1);
        Files.writeString(file, """
                    a.endpoints=http://127.0.0.1:83
                    b.endpoints=http://127.0.0.1:82 http://127.0.0.1:99999 http://no_such_host:80/ ftp://127.0.0.1 http://no.such.host.invalid/ http://x/y
                    b.timeout=soon
                    c.endpoint=http://127.0.0.1:84
                    d=1
                    """);
        Snapshot snapshot = awaitSnapshots(2);

        assertThat(snapshot.services())
                .extracting(Service::toString)
                .contains("a * / → [http://127.0.0.1:83]", "b * / → [http://127.0.0.1:82]");
        assertThat(snapshot.problems())
                .extracting(Problem::toString)
                .contains(
                        "b: b.timeout=soon: expected seconds, 30 or 0.5 for instance (the service keeps its last good configuration)",
                        "b: b.endpoints=ftp://127.0.0.1: expected http://HOST:PORT, https://HOST:PORT or h2c://HOST:PORT without a path (this endpoint is left out)",
                        "b: b.endpoints=http://x/y: expected http://HOST:PORT, https://HOST:PORT or h2c://HOST:PORT without a path (this endpoint is left out)",
                        "b: b.endpoints=http://no.such.host.invalid/: the name can't be resolved; retried every 30 s (this endpoint is left out)",
                        "b: b.endpoints=http://127.0.0.1:99999: expected a port from 1 to 65535 (this endpoint is left out)",
                        "b: b.endpoints=http://no_such_host:80/: the name can't be resolved; retried every 30 s (this endpoint is left out)",
                        "c: c.endpoint=http://127.0.0.1:84: unknown, did you mean c.endpoints?",
                        "d: expected keys like d.endpoints (the service is left out)");
    }

    /** The service was down until somebody mended the line. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            a.endpoints=htp://127.0.0.1:83                | a.endpoints=htp://127.0.0.1:83: expected http://HOST:PORT, https://HOST:PORT or h2c://HOST:PORT without a path
            a.endpoints=http://127.0.0.1:70001            | a.endpoints=http://127.0.0.1:70001: expected a port from 1 to 65535
            a.endpoints=                                  | a.endpoints is missing: expected URLs separated by spaces, http://10.0.0.5:8080 for instance
            a.weight=2                                    | a.endpoints is missing: expected URLs separated by spaces, http://10.0.0.5:8080 for instance
            """)
    void aMistakeInAllEndpointsOfAServiceLeavesItThoseItHad(String line, String problem) throws Exception {
        Files.writeString(
                file, "a.endpoints=http://127.0.0.1:81 http://127.0.0.1:82\nb.endpoints=http://127.0.0.1:84\n");
        read();
        awaitSnapshots(1);
        Files.writeString(file, line + "\nb.endpoints=http://127.0.0.1:84\n");
        Snapshot snapshot = awaitSnapshots(2);

        assertThat(snapshot.services())
                .extracting(Service::toString)
                .containsExactly("a * / → [http://127.0.0.1:81, http://127.0.0.1:82]", "b * / → [http://127.0.0.1:84]");
        assertThat(snapshot.problems())
                .extracting(Problem::toString)
                .containsExactly("a: " + problem + " (its last good endpoints stay)");
    }

    /** Other messages say what to write; whoever forgets the scheme has all that is needed. */
    @Test
    void anEndpointWithoutASchemeIsAnsweredWithTheUrl() throws Exception {
        Files.writeString(file, """
                a.endpoints=127.0.0.1:7001 [::1]:7002 localhost 127.0.0.1:0 127.0.0.1:70000 x:80/y
                b.endpoints=127.0.0.1:7003
                b.scheme=https
                """);

        String expected = ": expected http://HOST:PORT, https://HOST:PORT or h2c://HOST:PORT without a path";
        read();
        assertThat(awaitSnapshots(1).problems())
                .extracting(problem -> problem.message().replace(" (this endpoint is left out)", ""))
                .contains(
                        "a.endpoints=127.0.0.1:7001" + expected + ": write http://127.0.0.1:7001",
                        "a.endpoints=[::1]:7002" + expected + ": write http://[::1]:7002",
                        "a.endpoints=localhost" + expected,
                        "a.endpoints=127.0.0.1:0" + expected,
                        "a.endpoints=127.0.0.1:70000" + expected,
                        "a.endpoints=x:80/y" + expected,
                        "b.endpoints=127.0.0.1:7003" + expected + ": write https://127.0.0.1:7003");
    }

    @Test
    void anUnreadableFileLeavesTheServicesUnchanged() throws Exception {
        Files.writeString(file, "a.endpoints=http://127.0.0.1:81\n");
        read();
        awaitSnapshots(1);
        Files.write(file, new byte[] {'a', '=', (byte) 0xff, (byte) 0xfe});
        Files.delete(file);
        Files.writeString(file, "a.endpoints=http://127.0.0.1:82\n");

        assertThat(awaitSnapshots(2).services())
                .extracting(Service::toString)
                .containsExactly("a * / → [http://127.0.0.1:82]");
    }

    @Test
    void theStatusIsReported() throws Exception {
        read();
        SourceStatus missing = awaitStatus(status -> status.trouble() != null);
        assertThat(missing.name()).isEqualTo("file " + file);
        assertThat(missing.lastSuccess()).isNull();
        assertThat(missing.trouble()).isEqualTo("there is none");
        assertThat(missing.errors()).isPositive();
        assertThat(missing.events()).isZero();

        save("a.endpoints=http://127.0.0.1:81\n");
        SourceStatus there = awaitStatus(status -> status.trouble() == null);
        assertThat(there.lastSuccess()).isNotNull();
        assertThat(there.events()).isEqualTo(1);
        assertThat(there.errors()).isGreaterThanOrEqualTo(missing.errors());
        assertThat(there.buildTime()).isPositive();

        awaitStatus(status -> status.lastSuccess().isAfter(there.lastSuccess()));
        assertThat(reading.status().events()).as("nothing changed").isEqualTo(1);
        save("a.endpoints=http://127.0.0.1:82\n");
        awaitStatus(status -> status.events() == 2);
        Files.delete(file);
        SourceStatus gone = awaitStatus(status -> status.trouble() != null);
        assertThat(gone.lastSuccess()).isAfterOrEqualTo(there.lastSuccess());
    }

    /** Replaces the file atomically. */
    private void save(String text) throws IOException {
        Path written = Files.writeString(folder.resolve("written"), text);
        Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private SourceStatus awaitStatus(Predicate<SourceStatus> expected) {
        return await().atMost(Duration.ofSeconds(30)).until(() -> reading.status(), expected::test);
    }

    private void read() {
        reading = new ServicesFile(file, passed::get).subscribe(delivered::add);
    }

    /** Waits until the file was read so many times from now on. */
    private void awaitReads(int number) {
        for (int i = 0; i < number; i++) {
            Instant before = reading.status().lastSuccess();
            awaitStatus(status -> status.lastSuccess().isAfter(before));
        }
    }

    private Snapshot awaitSnapshots(int number) {
        await().atMost(Duration.ofSeconds(30)).until(() -> delivered.size() >= number);
        return delivered.get(number - 1);
    }
}
