package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ServicesFileTest {

    @TempDir
    Path folder;

    private Path file;
    private ServiceSource.Subscription reading;
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

    @ParameterizedTest
    @ValueSource(strings = {"app.hosts = \\u00zz", "app.hosts = \u00ff"})
    void lookFailsForAnInvalidPropertiesFile(String text) throws Exception {
        Files.write(file, text.getBytes(StandardCharsets.ISO_8859_1));

        assertThatThrownBy(() -> ServiceSource.file(file).look()).isInstanceOf(IOException.class);
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
                        "d: expected keys like d.endpoints");
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
        assertThat(missing.trouble()).contains("NoSuchFileException", file.toString());
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
        reading = ServiceSource.file(file).subscribe(delivered::add);
    }

    private Snapshot awaitSnapshots(int number) {
        await().atMost(Duration.ofSeconds(30)).until(() -> delivered.size() >= number);
        return delivered.get(number - 1);
    }
}
