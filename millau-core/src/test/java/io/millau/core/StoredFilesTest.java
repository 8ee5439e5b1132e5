package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millau.core.testing.StoreContract;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoredFilesTest extends StoreContract {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration LONG = Duration.ofMinutes(5);

    @TempDir
    private Path temporary;

    private Path folder;
    private Store store;

    @BeforeEach
    void name() {
        store = open();
    }

    @Override
    protected Store open() {
        folder = temporary.resolve("data/millau");
        return Store.files(folder);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private List<Path> unfinished(Path parent) throws IOException {
        try (Stream<Path> files = Files.list(parent)) {
            return files.filter(file -> file.getFileName().toString().startsWith("~new"))
                    .toList();
        }
    }

    @Test
    void aValueIsAFileInFolders() throws Exception {
        store.put("issuer/name/certificate", bytes("x"));
        assertThat(folder.resolve("issuer/name/certificate")).hasContent("x");
        Files.writeString(folder.resolve("issuer/account"), "y");
        assertThat(store.get("issuer/account")).contains(bytes("y"));
    }

    @Test
    void onlyTheOwnerMayReadTheFiles() throws Exception {
        assumeTrue(Files.getFileStore(temporary).supportsFileAttributeView("posix"));
        store.put("issuer/name/certificate", bytes("x"));
        store.tryLock("issuer", LONG).orElseThrow().close();
        store.put("issuer/name/key", bytes("y"));
        store.setAside("issuer/name/key");

        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.toList()) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                        .as(path.toString())
                        .isEqualTo(Files.isDirectory(path) ? "rwx------" : "rw-------");
            }
        }
    }

    @Test
    void theLastValueThatWasSetAsideIsKept() throws Exception {
        for (String value : List.of("first", "second")) {
            store.put("issuer/name/certificate", bytes(value));
            store.setAside("issuer/name/certificate");
            assertThat(folder.resolve("issuer/name/~damaged/certificate")).hasContent(value);
        }
    }

    @Test
    void symbolicLinksAreRejected() throws Exception {
        Path outside = Files.createDirectory(temporary.resolve("outside"));
        Files.writeString(outside.resolve("certificate"), "secret");
        store.put("issuer/account", bytes("x"));
        Files.createSymbolicLink(folder.resolve("issuer/name"), outside);
        Files.createSymbolicLink(folder.resolve("linked"), outside.resolve("certificate"));

        for (String name : List.of("issuer/name/certificate", "linked")) {
            assertRejected(() -> store.get(name));
            assertRejected(() -> store.put(name, bytes("y")));
            assertRejected(() -> store.remove(name));
            assertRejected(() -> store.setAside(name));
        }
        assertThat(store.names("")).containsExactly("issuer/account");
        assertRejected(() -> store.names("issuer/name/"));
        assertRejected(() -> store.names("issuer/name/further/"));
        assertThat(outside.resolve("certificate")).hasContent("secret");
    }

    private static void assertRejected(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(IOException.class).hasMessageContaining("is a symbolic link: expected");
    }

    @Test
    void theStoreFolderMayBeALink() throws Exception {
        Path real = Files.createDirectory(temporary.resolve("real"));
        Store linked = Store.files(Files.createSymbolicLink(temporary.resolve("link"), real));
        linked.put("a/b", bytes("x"));
        assertThat(linked.names("")).containsExactly("a/b");
        assertThat(linked.names("a/")).containsExactly("a/b");
        try (Store.Lock lock = linked.tryLock("a", LONG).orElseThrow()) {
            assertThat(lock).isNotNull();
            assertThat(Store.files(real).tryLock("a", LONG)).isEmpty();
        }
    }

    @Test
    void aFolderThatIsNotWritableIsNamedInTheException() throws Exception {
        Path file = Files.writeString(temporary.resolve("file"), "");
        Store nowhere = Store.files(file.resolve("data"));
        String expected = "folder " + file.resolve("data") + " can't be written (";
        assertThatThrownBy(() -> nowhere.put("a", bytes("x")))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(expected)
                .hasMessageContaining("expected one that this process's user may write");
        assertThatThrownBy(() -> nowhere.tryLock("a", LONG)).hasMessageStartingWith(expected);
    }

    @Test
    void aFileThatIsTooLargeIsRejected() throws Exception {
        store.put("a", bytes("x"));
        Files.write(folder.resolve("a"), new byte[Store.LARGEST_VALUE + 1]);
        assertThatThrownBy(() -> store.get("a"))
                .isInstanceOf(IOException.class)
                .hasMessage(folder.resolve("a") + " is too large: expected at most 262144 bytes");
    }

    @Test
    void aKilledProcessReleasesItsLock() throws Exception {
        Process holder = java(Holder.class, folder.toString(), LONG.toString());
        try {
            assertThat(firstLine(holder)).isEqualTo("held");
            assertThat(store.tryLock("issuer", LONG)).isEmpty();
        } finally {
            holder.destroyForcibly().waitFor();
        }
        store.tryLock("issuer", LONG).orElseThrow().close();
    }

    @Test
    void theLockOfAHangingProcessExpires() throws Exception {
        Process holder = java(Holder.class, folder.toString(), "PT1S");
        try {
            assertThat(firstLine(holder)).isEqualTo("held");
            await().atMost(PATIENCE).until(() -> store.tryLock("issuer", LONG).isPresent());
            assertThat(holder.isAlive()).isTrue();
        } finally {
            holder.destroyForcibly().waitFor();
        }
    }

    @Test
    void aFailedAttemptInTheSameProcessDoesNotReleaseTheLock() throws Exception {
        try (Store.Lock lock = store.tryLock("issuer", LONG).orElseThrow()) {
            assertThat(lock).isNotNull();
            assertThat(store.tryLock("issuer", LONG)).isEmpty();
            assertThat(open().tryLock("issuer", LONG)).isEmpty();
            Process holder = java(Holder.class, folder.toString(), LONG.toString());
            try {
                assertThat(firstLine(holder)).isEqualTo("not held");
            } finally {
                holder.destroyForcibly().waitFor();
            }
        }
    }

    @Test
    void aCrashDuringAWriteLeavesAWholeValue() throws Exception {
        for (int round = 0; round < 3; round++) {
            Process writer = java(Writer.class, folder.toString());
            try {
                assertThat(firstLine(writer)).isEqualTo("written");
                await().atMost(PATIENCE)
                        .pollInterval(Duration.ofMillis(1))
                        .until(() -> !unfinished(folder.resolve("issuer")).isEmpty());
            } finally {
                writer.destroyForcibly().waitFor();
            }
            byte[] value = store.get("issuer/account").orElseThrow();
            assertThat(value).isEqualTo(Writer.value(value[0]));
            assertThat(store.names("")).containsExactly("issuer/account");
        }
    }

    @Test
    void leftoversOfACrashAreIgnoredAndRemovedAfterAnHour() throws Exception {
        store.put("issuer/account", bytes("old"));
        Path young = Files.writeString(folder.resolve("issuer/~new-1"), "ne");
        Path abandoned = Files.writeString(folder.resolve("issuer/~new-2"), "ne");
        Files.setLastModifiedTime(abandoned, FileTime.from(Instant.now().minus(Duration.ofMinutes(61))));

        assertThat(store.get("issuer/account")).contains(bytes("old"));
        assertThat(store.names("")).containsExactly("issuer/account");
        store.put("issuer/account", bytes("new"));
        assertThat(young).exists();
        assertThat(abandoned).doesNotExist();
    }

    private static Process java(Class<?> main, String... arguments) throws IOException {
        Stream<String> command = Stream.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                main.getName());
        return new ProcessBuilder(
                        Stream.concat(command, Arrays.stream(arguments)).toList())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static String firstLine(Process process) throws IOException {
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8)).readLine();
    }

    /** A process that takes a lock and hangs. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] arguments) throws IOException {
            Optional<Store.Lock> lock =
                    Store.files(Path.of(arguments[0])).tryLock("issuer", Duration.parse(arguments[1]));
            System.out.println(lock.isPresent() ? "held" : "not held");
            // until it is killed
            System.in.read();
        }
    }

    /** A process that writes one value after another. */
    static final class Writer {
        private Writer() {}

        static byte[] value(int filling) {
            byte[] value = new byte[Store.LARGEST_VALUE];
            Arrays.fill(value, (byte) filling);
            return value;
        }

        public static void main(String[] arguments) throws IOException {
            Store store = Store.files(Path.of(arguments[0]));
            for (int filling = 0; ; filling++) {
                store.put("issuer/account", value(filling));
                if (filling == 0) {
                    System.out.println("written");
                }
            }
        }
    }
}
