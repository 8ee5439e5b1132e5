package io.millau.core;

import io.millau.core.internal.HostAddresses;
import io.millau.core.internal.IpAddresses;
import io.millau.core.internal.LabelReader;
import io.millau.core.internal.Labels;
import io.millau.core.internal.Vocabulary;
import io.millau.core.internal.Words;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The services in a Java properties file (UTF-8). {@code NAME.endpoints} lists URLs; the other keys are a service's
 * name followed by the name of a label, without its prefix.
 *
 * <p>The file is read twice a second, which works even where file events are missed (bind mounts, symbolic links). A
 * change counts once two reads agree. If the file lost a service or its end, it may be half written: that counts once
 * it has stayed so for five seconds. Host names in its URLs are resolved every 30 seconds; a name that no longer
 * resolves keeps its last addresses. A file of more than 10 MiB can't be read.
 *
 * <p>A line that can't be read is a problem of its service, which keeps its last good configuration or is left out.
 *
 * <p>Immutable; safe for use by several threads. Each subscription has its own daemon thread.
 *
 * <pre>{@code
 * Path file = folder.resolve("services.properties");
 * Files.writeString(file, "orders.endpoints=http://127.0.0.1:8080\norders.path=/orders/\n");
 * ServicesFile services = ServiceSource.file(file);
 * for (Problem problem : services.look().problems()) {
 *     throw new IllegalArgumentException(file + ": " + problem);
 * }
 * builder.source(services);
 * }</pre>
 */
public final class ServicesFile implements ServiceSource {

    private static final String ENDPOINTS = Labels.ENDPOINTS.name();

    private static final Duration READ_PAUSE = Duration.ofMillis(500);
    private static final long RESOLVE_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long HALF_WRITTEN_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final int MOST_BYTES = 10 * 1024 * 1024;

    private final Path file;
    private final String idPrefix;
    private final Ticker ticker;

    ServicesFile(Path file, Ticker ticker) {
        this(file, "file:", ticker);
    }

    /** @param idPrefix what the ids of its services begin with */
    ServicesFile(Path file, String idPrefix, Ticker ticker) {
        this.file = file;
        this.idPrefix = idPrefix;
        this.ticker = ticker;
    }

    /**
     * Reads the file once, in the calling thread, which it blocks.
     *
     * @throws IOException if the file can't be read or isn't text in UTF-8
     */
    public Snapshot look() throws IOException {
        return watch().read();
    }

    @Override
    public Subscription subscribe(Consumer<Snapshot> consumer) {
        return new PolledServices(toString(), READ_PAUSE, watch()::read, Words::reason).subscribe(consumer);
    }

    /** A watch whose first read counts at once. */
    Watch watch() {
        return new Watch(null);
    }

    /** A watch for a file that has just appeared, so that somebody may still be writing it. */
    Watch watchNew() {
        return new Watch(Snapshot.EMPTY);
    }

    @Override
    public String toString() {
        return "file " + file;
    }

    /** The state of one subscription. For the source's thread only. */
    final class Watch {
        private final LabelReader labels = new LabelReader();
        private final HostAddresses addresses = new HostAddresses();

        /** The URLs of each route that were read last. */
        private final Map<String, List<Url>> lastUrls = new HashMap<>();

        private byte[] content = new byte[0];
        private byte @Nullable [] unconfirmed;
        private long unconfirmedSince;
        private DeclaredServices declared = DeclaredServices.NONE;
        private @Nullable Snapshot last;
        private long resolvedAt;

        private Watch(@Nullable Snapshot last) {
            this.last = last;
        }

        Snapshot read() throws IOException {
            boolean changed = readChange(bytes());
            Snapshot now = last;
            if (now == null || changed || ticker.nanoTime() - resolvedAt >= RESOLVE_NANOS) {
                resolvedAt = ticker.nanoTime();
                now = snapshot();
                last = now;
            }
            return now;
        }

        private byte[] bytes() throws IOException {
            try (InputStream in = Files.newInputStream(file)) {
                byte[] bytes = in.readNBytes(MOST_BYTES + 1);
                if (bytes.length > MOST_BYTES) {
                    throw new IOException("expected at most " + MOST_BYTES + " bytes");
                }
                return bytes;
            }
        }

        /** Takes over a new content of the file, unless somebody may still be writing it. */
        private boolean readChange(byte[] now) throws IOException {
            boolean isFirst = last == null;
            if (!isFirst && Arrays.equals(now, content)) {
                unconfirmed = null;
                return false;
            }
            if (!isFirst && !Arrays.equals(now, unconfirmed)) {
                unconfirmed = now;
                unconfirmedSince = ticker.nanoTime();
                return false;
            }
            DeclaredServices read = DeclaredServices.parse(ServicesFile.this.toString(), now);
            if (!isFirst && read.mayBePartOf(declared) && ticker.nanoTime() - unconfirmedSince < HALF_WRITTEN_NANOS) {
                return false;
            }
            declared = read;
            content = now;
            unconfirmed = null;
            return true;
        }

        private Snapshot snapshot() {
            LabelReader.Batch batch = labels.batch();
            List<Service> found = new ArrayList<>();
            declared.problems().forEach(batch::problem);
            declared.values().forEach((name, values) -> {
                String urls = values.get(name + "." + ENDPOINTS);
                for (LabelReader.Route route : batch.accept(name, name, reading(name, values))) {
                    found.add(route.toService(idPrefix + name)
                            .endpoints(endpoints(route, urls, batch))
                            .build());
                }
            });
            lastUrls.keySet().retainAll(found.stream().map(Service::name).collect(Collectors.toSet()));
            return new Snapshot(found, batch.finish());
        }

        private Vocabulary.Reading reading(String name, Map<String, String> values) {
            Vocabulary.Reading reading = Labels.ALL.readFile(name, values);
            List<String> mistakes = declared.mistakes(name);
            return mistakes.isEmpty() ? reading : reading.unreadable(mistakes);
        }

        /** If none of its URLs can be read, a service keeps those that it had: a typing mistake must not take it down. */
        private List<Endpoint> endpoints(LabelReader.Route route, @Nullable String urls, LabelReader.Batch batch) {
            List<Url> readable = new ArrayList<>();
            List<String> mistakes = new ArrayList<>();
            String key = route.service() + "." + ENDPOINTS;
            for (String url : urls == null || urls.isBlank()
                    ? new String[0]
                    : urls.strip().split("\\s+")) {
                try {
                    readable.add(Url.of(url, route.settings().scheme()));
                } catch (IllegalArgumentException e) {
                    mistakes.add(key + "=" + Words.shown(url) + ": " + e.getMessage());
                }
            }
            List<Url> before = lastUrls.getOrDefault(route.name(), List.of());
            boolean keeps = readable.isEmpty() && !before.isEmpty();
            String consequence = keeps ? " (its last good endpoints stay)" : " (this endpoint is left out)";
            mistakes.forEach(mistake -> batch.problem(route.service(), mistake + consequence));
            if (readable.isEmpty() && mistakes.isEmpty()) {
                batch.problem(
                        route.service(),
                        key + " is missing: expected URLs separated by spaces, http://10.0.0.5:8080 for instance"
                                + (keeps ? consequence : ""));
            }
            List<Url> used = keeps ? before : readable;
            lastUrls.put(route.name(), used);
            return used.stream()
                    .flatMap(url -> endpoints(url, route, batch))
                    .distinct()
                    .sorted(Comparator.comparing(Endpoint::id))
                    .toList();
        }

        private Stream<Endpoint> endpoints(Url url, LabelReader.Route route, LabelReader.Batch batch) {
            List<InetAddress> found = resolve(url.host());
            if (found.isEmpty()) {
                batch.problem(
                        route.service(),
                        route.service() + "." + ENDPOINTS + "=" + Words.shown(url.text())
                                + ": the name can't be resolved; retried every 30 s (this endpoint is left out)");
            }
            return found.stream()
                    .map(address -> route.settings()
                            .endpoint(
                                    url.scheme(),
                                    route.endpointId(IpAddresses.text(address) + ":" + url.port()),
                                    address,
                                    url.port(),
                                    url.host().replaceAll("[\\[\\]]", "")));
        }

        private List<InetAddress> resolve(String host) {
            try {
                addresses.put(host, HostAddresses.resolve(InetAddress::getAllByName, host));
            } catch (UnknownHostException e) {
                // The last addresses stay; if there are none, the caller says so.
            }
            return addresses.of(host);
        }
    }

    /**
     * A URL of an endpoint.
     *
     * @param host a name or an address, which in version 6 has brackets
     */
    private record Url(String text, String scheme, String host, int port) {
        /** Simpler than {@link java.net.URI}, which rejects host names with underscores; Docker allows them. */
        private static final Pattern FORM =
                Pattern.compile("(https?|h2c)://([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+])(?::([0-9]{1,5}))?/?");

        /** @throws IllegalArgumentException if it is none */
        static Url of(String text, String schemeOfService) {
            Matcher parts = FORM.matcher(text);
            if (!parts.matches()) {
                throw new IllegalArgumentException(
                        "expected http://HOST:PORT, https://HOST:PORT or h2c://HOST:PORT without a path"
                                + withScheme(text, schemeOfService));
            }
            String scheme = scheme(parts.group(1), schemeOfService);
            int port = parts.group(3) != null
                    ? Labels.PORT.type().read(parts.group(3))
                    : scheme.equals(Endpoint.HTTPS) ? 443 : 80;
            return new Url(text, scheme, parts.group(2), port);
        }

        /** What to write for a host with its port; empty if it is none. */
        private static String withScheme(String address, String scheme) {
            String url = scheme + "://" + address;
            Matcher parts = FORM.matcher(url);
            boolean hasPort = parts.matches()
                    && parts.group(3) != null
                    && Integer.parseInt(parts.group(3)) > 0
                    && Integer.parseInt(parts.group(3)) <= 65_535;
            return hasPort ? ": write " + url : "";
        }

        /** {@code http} in a URL may mean what the service's scheme says. */
        private static String scheme(String ofUrl, String ofService) {
            if (!ofUrl.equals(Endpoint.HTTP) && !ofService.equals(Endpoint.HTTP) && !ofUrl.equals(ofService)) {
                throw new IllegalArgumentException("expected " + ofService + "://, as its scheme is " + ofService);
            }
            return ofUrl.equals(Endpoint.HTTP) ? ofService : ofUrl;
        }
    }
}
