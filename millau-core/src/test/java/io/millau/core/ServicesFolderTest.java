package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServicesFolderTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path temporary;

    private Path folder;
    private ServiceSource.Subscription reading;
    private final AtomicLong passed = new AtomicLong();
    private final List<Snapshot> delivered = new CopyOnWriteArrayList<>();

    @BeforeEach
    void make() throws IOException {
        folder = Files.createDirectory(temporary.resolve("services"));
    }

    @AfterEach
    void close() {
        if (reading != null) {
            reading.close();
        }
    }

    @Test
    void allFilesAreReadInTheOrderOfTheirNames() throws Exception {
        write("b.properties", "two.endpoints=http://10.0.0.2\n");
        write("a.properties", "one.endpoints=http://10.0.0.1\n");
        Snapshot snapshot = look();

        assertThat(names(snapshot)).containsExactly("one", "two");
        assertThat(snapshot.problems()).isEmpty();
        assertThat(snapshot.services()).extracting(Service::id).doesNotHaveDuplicates();
    }

    @Test
    void whatIsNoServicesFileIsIgnored() throws Exception {
        write("a.properties", "a.endpoints=http://10.0.0.1\n");
        for (String name : List.of(
                "a.properties~",
                "a.properties.bak",
                "#a.properties#",
                ".a.properties.swp",
                ".b.properties",
                "README")) {
            write(name, "no.endpoints=http://10.0.0.2\n");
        }
        Files.createSymbolicLink(folder.resolve(".#a.properties"), Path.of("somebody@machine.123"));
        Files.createDirectory(folder.resolve("more.properties"));
        Files.createDirectory(folder.resolve("below"));
        write("below/c.properties", "no.endpoints=http://10.0.0.2\n");
        Snapshot snapshot = look();

        assertThat(names(snapshot)).containsExactly("a");
        assertThat(snapshot.problems()).isEmpty();
    }

    @Test
    void aBadFileHurtsOnlyItsOwnServices() throws Exception {
        write("a.properties", "a.endpoints=http://10.0.0.1\n");
        Files.write(folder.resolve("b.properties"), new byte[] {'b', 0, 'c'});
        write("c.properties", "c.endpoints=http://10.0.0.3\nc.timeout=soon\n");
        Files.createSymbolicLink(folder.resolve("d.properties"), Path.of("nothing"));
        Snapshot snapshot = look();

        assertThat(names(snapshot)).containsExactly("a");
        assertThat(snapshot.problems())
                .extracting(Problem::toString)
                .satisfiesExactly(
                        b -> assertThat(b)
                                .startsWith("file " + folder.resolve("b.properties")
                                        + ": can't be read: expected a text file in UTF-8, but byte 2 is 0; its"),
                        c -> assertThat(c).startsWith("c: c.properties: c.timeout=soon: expected "),
                        d -> assertThat(d)
                                .startsWith("file " + folder.resolve("d.properties")
                                        + ": can't be read: there is none; its"));
    }

    @Test
    void oneNameInTwoFilesIsAProblemThatNamesBoth() throws Exception {
        write("a.properties", "shop.endpoints=http://10.0.0.1\n");
        write("copy.properties", "shop.endpoints=http://10.0.0.2\nshop.hosts=b.example\nshop.b.path=/b\n");
        Snapshot snapshot = look();

        assertThat(snapshot.services()).extracting(Service::name).containsExactlyInAnyOrder("shop", "shop", "shop/b");
        assertThat(snapshot.services()).extracting(Service::id).doesNotHaveDuplicates();
        assertThat(snapshot.problems())
                .extracting(Problem::toString)
                .containsExactly(
                        "shop: two files have a service of this name, a.properties and copy.properties: both are"
                                + " served, but look like one in logs and metrics; expected different names");
    }

    @Test
    void tooManyFilesAreRefused() throws Exception {
        for (int i = 0; i <= 500; i++) {
            write(i + ".properties", "");
        }

        assertThatThrownBy(this::look)
                .isInstanceOf(IOException.class)
                .hasMessage("expected at most 500 files *.properties");
    }

    @Test
    void aFileThatIsTooLargeIsAProblem() throws Exception {
        write("a.properties", "a.endpoints=http://10.0.0.1\n");
        Files.write(folder.resolve("b.properties"), new byte[10 * 1024 * 1024 + 1]);
        Snapshot snapshot = look();

        assertThat(names(snapshot)).containsExactly("a");
        assertThat(snapshot.problems())
                .singleElement()
                .asString()
                .contains("b.properties: can't be read", "expected at most 10485760 bytes");
    }

    /** The clock stands still: only the removal of services takes its time. */
    @Test
    void filesMayBeAddedChangedAndReplaced() throws Exception {
        write("a.properties", "a.endpoints=http://10.0.0.1\n");
        read();
        awaitServices("a");
        write("b.properties", "b.endpoints=http://10.0.0.2\n");
        awaitServices("a", "b");
        write("b.properties", "b.endpoints=http://10.0.0.2\nb.path=/b\n");
        awaitLast("b * /b → [http://10.0.0.2:80]");
        Path written = Files.writeString(temporary.resolve("written"), "b.endpoints=http://10.0.0.3\nb.path=/b\n");
        Files.move(written, folder.resolve("b.properties"), StandardCopyOption.ATOMIC_MOVE);

        awaitLast("b * /b → [http://10.0.0.3:80]");
    }

    @Test
    void aFileThatStaysAwayLosesItsServices() throws Exception {
        write("a.properties", "a.endpoints=http://10.0.0.1\n");
        write("b.properties", "b.endpoints=http://10.0.0.2\n");
        read();
        awaitServices("a", "b");
        Files.delete(folder.resolve("b.properties"));
        awaitReads(4);
        assertThat(names(last())).containsExactly("a", "b");
        passed.addAndGet(Duration.ofSeconds(5).toNanos());

        awaitServices("a");
    }

    /** Some editors remove a file before they write it anew. */
    @Test
    void aFileThatComesBackKeepsItsServices() throws Exception {
        write("a.properties", "a.endpoints=http://10.0.0.1\n");
        read();
        awaitServices("a");
        for (int i = 0; i < 2; i++) {
            Files.delete(folder.resolve("a.properties"));
            awaitReads(2);
            passed.addAndGet(Duration.ofSeconds(4).toNanos());
            write("a.properties", "a.endpoints=http://10.0.0.1\n");
            awaitReads(2);
        }

        assertThat(delivered).hasSize(1);
    }

    /** Without the line that was still to come, it would be there for every host. */
    @Test
    void aNewFileCountsWhenItsLastLineHasAnEnd() throws Exception {
        write("a.properties", "a.endpoints=http://10.0.0.1\n");
        read();
        awaitServices("a");
        write("b.properties", "b.endpoints=http://10.0.0.2\nb.hos");
        awaitReads(4);
        assertThat(delivered).hasSize(1);
        write("b.properties", "b.endpoints=http://10.0.0.2\nb.hosts=two.com\n");

        awaitLast("b two.com / → [http://10.0.0.2:80]");
        assertThat(delivered).hasSize(2);
    }

    @Test
    void aFileThatIsCutKeepsItsServices() throws Exception {
        write("a.properties", "a.endpoints=http://10.0.0.1\nb.endpoints=http://10.0.0.2\n");
        read();
        awaitServices("a", "b");
        write("a.properties", "a.endpoints=http://10.0.0.1\n");
        awaitReads(4);
        assertThat(delivered).hasSize(1);
        passed.addAndGet(Duration.ofSeconds(5).toNanos());

        awaitServices("a");
    }

    @Test
    void aFileThatCannotBeReadAnyMoreKeepsItsServices() throws Exception {
        write("a.properties", "a.endpoints=http://10.0.0.1\n");
        read();
        awaitServices("a");
        Files.write(folder.resolve("a.properties"), new byte[] {'a', 0, '\n'});
        await().atMost(PATIENCE).until(() -> last().problems().size() == 1);

        assertThat(names(last())).containsExactly("a");
        write("a.properties", "a.endpoints=http://10.0.0.2\n");
        awaitLast("a * / → [http://10.0.0.2:80]");
        assertThat(last().problems()).isEmpty();
    }

    /** How Kubernetes mounts a config map: links through {@code ..data}, which is replaced. */
    @Test
    void allFilesMayBeReplacedBehindALink() throws Exception {
        version("..1", "a.properties", "a.endpoints=http://10.0.0.1\n");
        Files.createSymbolicLink(folder.resolve("..data"), Path.of("..1"));
        Files.createSymbolicLink(folder.resolve("a.properties"), Path.of("..data/a.properties"));
        read();
        awaitServices("a");
        version("..2", "a.properties", "a.endpoints=http://10.0.0.2\n");
        Files.createSymbolicLink(folder.resolve("..new"), Path.of("..2"));
        Files.move(folder.resolve("..new"), folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);

        awaitLast("a * / → [http://10.0.0.2:80]");
        assertThat(delivered).hasSize(2);
    }

    private void version(String version, String file, String text) throws IOException {
        Files.createDirectory(folder.resolve(version));
        write(version + "/" + file, text);
    }

    @Test
    void whileTheFolderIsAwayItsServicesStay() throws Exception {
        write("a.properties", "a.endpoints=http://10.0.0.1\n");
        read();
        awaitServices("a");
        Files.move(folder, temporary.resolve("elsewhere"));
        await().atMost(PATIENCE).until(() -> reading.status().trouble() != null);
        passed.addAndGet(Duration.ofSeconds(60).toNanos());
        Files.move(temporary.resolve("elsewhere"), folder);
        await().atMost(PATIENCE).until(() -> reading.status().trouble() == null);
        awaitReads(2);

        assertThat(delivered).hasSize(1);
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text);
    }

    private Snapshot look() throws IOException {
        return ServiceSource.folder(folder).look();
    }

    private void read() {
        reading = new ServicesFolder(folder, passed::get).subscribe(delivered::add);
    }

    private Snapshot last() {
        return delivered.get(delivered.size() - 1);
    }

    private static List<String> names(Snapshot snapshot) {
        return snapshot.services().stream().map(Service::name).toList();
    }

    private void awaitServices(String... names) {
        await().atMost(PATIENCE)
                .until(() -> !delivered.isEmpty() && names(last()).equals(List.of(names)));
    }

    private void awaitLast(String service) {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(last().services())
                        .extracting(Service::toString)
                        .endsWith(service));
    }

    /** Waits until the folder was read so many times from now on. */
    private void awaitReads(int number) {
        for (int i = 0; i < number; i++) {
            Instant before = reading.status().lastSuccess();
            await().atMost(PATIENCE).until(() -> reading.status().lastSuccess().isAfter(before));
        }
    }
}
