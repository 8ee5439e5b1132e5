package io.millau.core;

import io.millau.core.internal.Words;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * A store in files. Files and folders that are not values have a {@code ~} in their names, which no segment may have:
 * unfinished values, the folders of values that were set aside, and that of the locks.
 *
 * <p>A value is written to a temporary file and then moved to its place, which is atomic. Safe for use by several
 * threads; the state is only on the disk.
 */
final class StoredFiles implements Store {

    private static final Pattern SEGMENT = Pattern.compile("(?!\\.{1,2}$)[a-z0-9._-]{1,255}");

    private static final String UNFINISHED = "~new-";
    private static final String DAMAGED = "~damaged";
    private static final String LOCKS = "~locks";

    /** Much longer than writing takes, plus the difference between the clocks of processes that share a volume. */
    private static final Duration ABANDONED = Duration.ofHours(1);

    private final Path folder;
    private final boolean posix;

    StoredFiles(Path folder) {
        this.folder = folder.toAbsolutePath();
        this.posix = folder.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    static boolean isName(String name) {
        return Arrays.stream(name.split("/", -1))
                .allMatch(segment -> SEGMENT.matcher(segment).matches());
    }

    @Override
    public Optional<byte[]> get(String name) throws IOException {
        Path file = file(name);
        if (!isThere(file)) {
            return Optional.empty();
        }
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            byte[] value = in.readNBytes(LARGEST_VALUE + 1);
            if (value.length > LARGEST_VALUE) {
                throw new IOException(file + " is too large: expected at most " + LARGEST_VALUE + " bytes");
            }
            return Optional.of(value);
        } catch (NoSuchFileException e) {
            // Removed meanwhile.
            return Optional.empty();
        }
    }

    @Override
    public void put(String name, byte[] value) throws IOException {
        Path file = file(name);
        Store.checkValue(value);
        createFolder(folder);
        rejectLinks(file);
        Path parent = parent(file);
        createFolder(parent);
        try {
            removeAbandoned(parent);
            write(parent.resolve(UNFINISHED + UUID.randomUUID()), value, file);
            force(parent);
        } catch (IOException e) {
            throw cannotBeWritten(e);
        }
    }

    private void write(Path unfinished, byte[] value, Path file) throws IOException {
        try {
            try (FileChannel channel = FileChannel.open(
                    unfinished, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), mode("rw-------"))) {
                ByteBuffer rest = ByteBuffer.wrap(value);
                while (rest.hasRemaining()) {
                    channel.write(rest);
                }
                channel.force(true);
            }
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    /** Removes unfinished files of processes that crashed. */
    private static void removeAbandoned(Path parent) throws IOException {
        Instant abandoned = Instant.now().minus(ABANDONED);
        try (DirectoryStream<Path> unfinished = Files.newDirectoryStream(parent, UNFINISHED + "*")) {
            for (Path file : unfinished) {
                if (lastModified(file).isBefore(abandoned)) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
    }

    private static Instant lastModified(Path file) throws IOException {
        try {
            return Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS).toInstant();
        } catch (NoSuchFileException e) {
            // Another process has moved it to its place.
            return Instant.MAX;
        }
    }

    @Override
    public void remove(String name) throws IOException {
        Path file = file(name);
        if (!isThere(file)) {
            return;
        }
        try {
            Files.deleteIfExists(file);
            force(parent(file));
        } catch (IOException e) {
            throw cannotBeWritten(e);
        }
    }

    @Override
    public List<String> names(String prefix) throws IOException {
        Path root;
        try {
            root = folder.toRealPath();
        } catch (NoSuchFileException e) {
            return List.of();
        }
        // Only the folder at the beginning of the prefix has to be searched.
        int slash = prefix.lastIndexOf('/');
        Path first = root;
        if (slash >= 0) {
            String beginning = prefix.substring(0, slash);
            if (!isName(beginning)) {
                return List.of();
            }
            rejectLinks(folder.resolve(beginning));
            first = root.resolve(beginning);
        }
        Names all = new Names(root, prefix);
        Files.walkFileTree(first, all);
        Collections.sort(all.names);
        return all.names;
    }

    /** Collects the names of values. */
    private static final class Names extends SimpleFileVisitor<Path> {
        private final Path root;
        private final String prefix;
        private final List<String> names = new ArrayList<>();

        Names(Path root, String prefix) {
            this.root = root;
            this.prefix = prefix;
        }

        private String name(Path path) {
            return root.relativize(path).toString().replace(File.separatorChar, '/');
        }

        @Override
        public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            boolean ours = directory.equals(root) || isName(name(directory));
            return ours ? FileVisitResult.CONTINUE : FileVisitResult.SKIP_SUBTREE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            String name = name(file);
            if (attributes.isRegularFile() && name.startsWith(prefix) && isName(name)) {
                names.add(name);
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            // Removed meanwhile.
            if (e instanceof NoSuchFileException) {
                return FileVisitResult.CONTINUE;
            }
            throw e;
        }
    }

    @Override
    public void setAside(String name) throws IOException {
        Path file = file(name);
        if (!isThere(file)) {
            return;
        }
        Path aside = parent(file).resolve(DAMAGED);
        createFolder(aside);
        try {
            Files.move(file, aside.resolve(file.getFileName()), StandardCopyOption.ATOMIC_MOVE);
            force(aside);
            force(parent(file));
        } catch (NoSuchFileException e) {
            if (isThere(file)) {
                throw cannotBeWritten(e);
            }
        } catch (IOException e) {
            throw cannotBeWritten(e);
        }
    }

    @Override
    public Optional<Lock> tryLock(String name, Duration atMost) throws IOException {
        Store.checkName(name);
        Store.checkLock(atMost);
        createFolder(folder.resolve(LOCKS));
        try {
            // Hashed, because a lock needs no value, and its name may be the beginning of another one.
            Path file = folder.toRealPath().resolve(LOCKS).resolve(digest(name));
            return FileLocks.tryLock(file, name, atMost, mode("rw-------"));
        } catch (IOException e) {
            throw cannotBeWritten(e);
        }
    }

    private static String digest(String name) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private Path file(String name) {
        return folder.resolve(Store.checkName(name));
    }

    private Path parent(Path file) {
        Path parent = file.getParent();
        return parent == null ? folder : parent;
    }

    /**
     * Whether a value's file exists.
     *
     * @throws IOException if it or a folder above it is a symbolic link, which may lead out of the store's folder
     */
    private boolean isThere(Path file) throws IOException {
        Path at = folder;
        for (Path segment : folder.relativize(file)) {
            at = at.resolve(segment);
            BasicFileAttributes attributes;
            try {
                attributes = Files.readAttributes(at, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            } catch (NoSuchFileException e) {
                return false;
            }
            if (attributes.isSymbolicLink()) {
                throw new IOException(at + " is a symbolic link: expected a file or folder in its place");
            }
            if (!attributes.isDirectory()) {
                return at.equals(file);
            }
        }
        return false;
    }

    private void rejectLinks(Path file) throws IOException {
        isThere(file);
    }

    private void createFolder(Path path) throws IOException {
        // Checked first: before JDK 20, createDirectories fails if the folder is a symbolic link.
        if (Files.isDirectory(path)) {
            return;
        }
        try {
            Files.createDirectories(path, mode("rwx------"));
        } catch (IOException e) {
            throw cannotBeWritten(e);
        }
    }

    private FileAttribute<?>[] mode(String permissions) {
        return posix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }

    /**
     * Writes a folder's entries to the disk, so that they survive a power failure. Only POSIX systems can open folders.
     */
    private void force(Path directory) throws IOException {
        if (posix) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    private IOException cannotBeWritten(IOException cause) {
        return new IOException(
                "folder " + folder + " can't be written (" + Words.reason(cause)
                        + "): expected one that this process's user may write and that has space left, for example a volume",
                cause);
    }

    @Override
    public String toString() {
        return "folder " + folder;
    }
}
