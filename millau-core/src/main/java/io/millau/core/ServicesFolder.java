package io.millau.core;

import io.millau.core.internal.Words;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The services in all files {@code *.properties} of a folder. Each is read as a {@link ServicesFile} of its own: what is
 * wrong with one file is a problem of the services in that file.
 *
 * <p>Files may be added, changed, removed and replaced at any time. The services of a file that is gone are removed once it
 * has stayed away for five seconds. Folders in it and names that begin with a dot are ignored. A folder with more than 500
 * such files can't be read; its services stay as they are.
 *
 * <p>Services in two files that have one name are all served, and reported as a problem.
 *
 * <p>Immutable; safe for use by several threads. Each subscription has its own daemon thread.
 *
 * <pre>{@code
 * Files.writeString(folder.resolve("orders.properties"), "orders.endpoints=http://127.0.0.1:8080\n");
 * Files.writeString(folder.resolve("shop.properties"), "shop.endpoints=http://127.0.0.1:8081\nshop.path=/shop/\n");
 * builder.source(ServiceSource.folder(folder));
 * }</pre>
 */
public final class ServicesFolder implements ServiceSource {

    private static final Duration READ_PAUSE = Duration.ofMillis(500);
    private static final long GONE_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final int MOST_FILES = 500;
    private static final String SUFFIX = ".properties";

    private final Path folder;
    private final Ticker ticker;

    ServicesFolder(Path folder, Ticker ticker) {
        this.folder = folder;
        this.ticker = ticker;
    }

    /**
     * Reads the folder once, in the calling thread, which it blocks. A file that can't be read is a problem.
     *
     * @throws IOException if the folder can't be read
     */
    public Snapshot look() throws IOException {
        return new Watch().read();
    }

    /**
     * The files that are read, sorted.
     *
     * @throws IOException if the folder can't be read
     */
    public List<Path> files() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.filter(ServicesFolder::isServicesFile)
                    .limit(MOST_FILES + 1)
                    .sorted()
                    .toList();
        }
        if (files.size() > MOST_FILES) {
            throw new IOException("expected at most " + MOST_FILES + " files *" + SUFFIX);
        }
        return files;
    }

    private static boolean isServicesFile(Path file) {
        String name = file.getFileName().toString();
        boolean isNamedSo = name.endsWith(SUFFIX) && !name.startsWith(".");
        // A link to nothing, since whoever made it wants to know; no pipe, which would never end.
        return isNamedSo && (Files.isRegularFile(file) || Files.isSymbolicLink(file) && !Files.exists(file));
    }

    @Override
    public Subscription subscribe(Consumer<Snapshot> consumer) {
        return new PolledServices(toString(), READ_PAUSE, new Watch()::read, Words::reason).subscribe(consumer);
    }

    @Override
    public String toString() {
        return "folder " + folder;
    }

    /** The state of one subscription. For the source's thread only. */
    private final class Watch {
        private final Map<Path, WatchedFile> watched = new TreeMap<>();
        private boolean isFirst = true;

        Snapshot read() throws IOException {
            List<Path> files = files();
            for (Path path : files) {
                watched.computeIfAbsent(path, this::watch).read();
            }
            watched.entrySet()
                    .removeIf(entry ->
                            !files.contains(entry.getKey()) && entry.getValue().isGone());
            isFirst = false;
            return merged();
        }

        private WatchedFile watch(Path path) {
            String name = path.getFileName().toString();
            ServicesFile file = new ServicesFile(path, "file:" + name + ":", ticker);
            return new WatchedFile(name, isFirst ? file.watch() : file.watchNew());
        }

        private Snapshot merged() {
            List<Service> services = new ArrayList<>();
            List<Problem> problems = new ArrayList<>();
            Map<String, String> fileOfService = new HashMap<>();
            for (WatchedFile file : watched.values()) {
                services.addAll(file.last.services());
                problems.addAll(file.problems());
                file.serviceNames().forEach(service -> {
                    String other = fileOfService.putIfAbsent(service, file.name);
                    if (other != null) {
                        problems.add(new Problem(
                                service,
                                "two files have a service of this name, " + other + " and " + file.name
                                        + ": both are served, but look like one in logs and metrics; expected different"
                                        + " names"));
                    }
                });
            }
            return new Snapshot(services, problems);
        }
    }

    /** One of the files. While it can't be read, its services stay as they are. */
    private final class WatchedFile {
        private final String name;
        private final ServicesFile.Watch watch;
        private Snapshot last = Snapshot.EMPTY;
        private @Nullable String trouble;
        private @Nullable Long goneSince;

        WatchedFile(String name, ServicesFile.Watch watch) {
            this.name = name;
            this.watch = watch;
        }

        void read() {
            goneSince = null;
            try {
                last = watch.read();
                trouble = null;
            } catch (IOException e) {
                trouble = "can't be read: " + Words.reason(e) + "; its services stay as they are, and it is retried";
            }
        }

        /** Whether it has stayed away for long enough. Some editors remove a file before they write it anew. */
        boolean isGone() {
            long now = ticker.nanoTime();
            if (goneSince == null) {
                goneSince = now;
            }
            return now - goneSince >= GONE_NANOS;
        }

        List<Problem> problems() {
            List<Problem> problems = new ArrayList<>();
            if (trouble != null) {
                problems.add(new Problem("file " + folder.resolve(name), trouble));
            }
            for (Problem problem : last.problems()) {
                problems.add(problem.withMessage(name + ": " + problem.message()));
            }
            return problems;
        }

        Stream<String> serviceNames() {
            return last.services().stream().map(Service::name).distinct();
        }
    }
}
