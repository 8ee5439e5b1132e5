package io.millau.core.internal;

import io.millau.core.Certificate;
import io.millau.core.Endpoint;
import io.millau.core.Service;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The label vocabulary: from the labels of one service to its {@link Settings}, or to what is wrong with them. Pure
 * functions, for any thread; {@link LabelReader} adds the memory of what was good before.
 */
public final class ServiceLabels {

    /** What every label of ours starts with. */
    public static final String PREFIX = "millau.";

    private static final String ENABLED = "enabled";
    private static final String PORT = "port";
    private static final String HOSTS = "hosts";
    private static final String PATH = "path";
    private static final String TIMEOUT = "timeout";
    private static final String RETRY = "retry";
    private static final String RETRY_UNSAFE = "retry-unsafe";
    private static final String WEIGHT = "weight";
    private static final String BALANCE = "balance";
    private static final String STICKY = "sticky";
    private static final String HEALTH = "health";
    private static final String DRAIN = "drain";
    private static final String BUFFER = "buffer";
    private static final String NETWORK = "network";
    private static final String CERT = "cert";
    private static final String KEY = "key";
    private static final String CLIENT_CA = "client-ca";
    private static final String REDIRECT = "redirect";
    private static final String HSTS = "hsts";
    private static final String SCHEME = "scheme";
    private static final String UPSTREAM_CA = "upstream-ca";
    private static final String UPSTREAM_NAME = "upstream-name";

    private static final List<String> KNOWN = List.of(
            ENABLED,
            PORT,
            HOSTS,
            PATH,
            TIMEOUT,
            RETRY,
            RETRY_UNSAFE,
            WEIGHT,
            BALANCE,
            STICKY,
            HEALTH,
            DRAIN,
            BUFFER,
            NETWORK,
            CERT,
            KEY,
            CLIENT_CA,
            REDIRECT,
            HSTS,
            SCHEME,
            UPSTREAM_CA,
            UPSTREAM_NAME);

    /** Where the URLs of endpoints say it. */
    private static final Set<String> NOT_IN_FILE = Set.of(PORT, NETWORK, SCHEME);

    /** The URLs of a service in the services file, which take the place of discovery. */
    public static final String ENDPOINTS = "endpoints";

    private static final List<String> KNOWN_IN_FILE = Stream.concat(
                    Stream.of(ENDPOINTS), KNOWN.stream().filter(label -> !NOT_IN_FILE.contains(label)))
            .toList();

    /** Labels that keep somebody out: what looks like a misspelt one closes the service rather than opening it. */
    private static final Set<String> PROTECTING = Set.of(ENABLED, CLIENT_CA);

    /** Their values help nobody, and one of them is secret. */
    private static final Set<String> IN_BASE64 = Set.of(CERT, KEY, CLIENT_CA, UPSTREAM_CA);

    /** What may be a key under a name that is none of ours, as it is or in Base64. */
    private static final Pattern PEM = Pattern.compile("-----BEGIN|^\\s*LS0tLS1CRUdJT");

    private static final int LONGEST_VALUE_SHOWN = 80;

    private ServiceLabels() {}

    /**
     * What the labels of a service came to.
     *
     * @param settings null where a value can't be read or the service is closed
     * @param closed whether it must not be served at all, not with older settings either
     * @param problems one message each, without the service's name; may stand beside good settings
     */
    public record Reading(@Nullable Settings settings, boolean closed, List<String> problems) {}

    /** Whether any of these labels is meant for us. */
    public static boolean concern(Map<String, String> labels) {
        return labels.keySet().stream().anyMatch(label -> label.startsWith(PREFIX));
    }

    /**
     * Reads labels that start with {@link #PREFIX}; others are passed over.
     *
     * @param exposedPorts ports that stand for a missing {@code millau.port} where there is exactly one
     */
    public static Reading read(Map<String, String> labels, Collection<Integer> exposedPorts) {
        return new Read(PREFIX, labels, KNOWN).settings(false, exposedPorts);
    }

    /** Reads the settings of the services file: the same words behind the service's name; enabled unless it says not. */
    public static Reading readFile(String service, Map<String, String> settings) {
        return new Read(service + ".", settings, KNOWN_IN_FILE).settings(true, List.of(80));
    }

    /** The nearest of some words, if it is near enough to be what somebody meant. */
    public static @Nullable String nearest(String word, Collection<String> words) {
        if (word.length() > LONGEST_VALUE_SHOWN) {
            return null; // nobody's slip of the finger, and dear to compare
        }
        String nearest = null;
        int best = Math.max(1, word.length() / 3) + 1;
        for (String candidate : words) {
            int distance = distance(word.toLowerCase(Locale.ROOT), candidate);
            if (distance < best) {
                best = distance;
                nearest = candidate;
            }
        }
        return nearest;
    }

    /** Insertions, deletions, replacements and swaps of neighbours between two words. */
    private static int distance(String a, String b) {
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int replaced = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replaced, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
                boolean swapped =
                        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                if (swapped) {
                    d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
                }
            }
        }
        return d[a.length()][b.length()];
    }

    /** A value as a message may show it: short, in one line. */
    public static String shown(String value) {
        String line = value.replaceAll("\\p{Cntrl}", "?");
        return line.length() <= LONGEST_VALUE_SHOWN ? line : line.substring(0, LONGEST_VALUE_SHOWN) + "…";
    }

    /** One reading in progress. */
    private static final class Read {
        private final String prefix;
        private final Map<String, String> values = new TreeMap<>();
        private final List<String> problems = new ArrayList<>();
        private final List<String> known;
        private boolean enabled;
        private int port;
        private String scheme = Endpoint.HTTP;
        private Set<X509Certificate> upstreamCa = Set.of();
        private @Nullable String upstreamName;
        private boolean unreadable;
        private boolean closed;

        Read(String prefix, Map<String, String> labels, List<String> known) {
            this.prefix = prefix;
            this.known = known;
            labels.forEach((label, value) -> {
                if (label.startsWith(prefix)) {
                    values.put(label.substring(prefix.length()), value.strip());
                }
            });
        }

        Reading settings(boolean enabledByDefault, Collection<Integer> exposedPorts) {
            reportUnknown();
            enabled = enabledByDefault;
            read(ENABLED, Values::bool, value -> enabled = value);
            if (unreadable) {
                closed = true;
            }
            read(PORT, Values::port, value -> port = value);
            if (enabled && !values.containsKey(PORT)) {
                port = onlyOf(exposedPorts);
            }
            String network = values.get(NETWORK);
            Service.Builder service = Service.named("").enabled(enabled);
            read(HOSTS, Read::hosts, service::hosts);
            read(PATH, Values::path, service::path);
            read(TIMEOUT, Values::positiveSeconds, service::timeout);
            read(RETRY, Values::seconds, service::retry);
            read(RETRY_UNSAFE, Values::bool, service::retryUnsafe);
            read(WEIGHT, Values::weight, service::weight);
            read(BALANCE, Values::balance, service::balancer);
            read(STICKY, Values::bool, service::sticky);
            read(HEALTH, Values::target, service::health);
            read(DRAIN, Values::seconds, service::drain);
            read(BUFFER, Values::buffer, service::buffer);
            readCertificate(service);
            readClientCa(service);
            read(REDIRECT, Values::redirect, service::redirectToHttps);
            read(HSTS, Values::hsts, service::hsts);
            read(SCHEME, Values::scheme, value -> scheme = value);
            read(UPSTREAM_CA, Values::certificates, value -> upstreamCa = Set.copyOf(value));
            read(UPSTREAM_NAME, Values::serverName, value -> upstreamName = value);
            Settings settings = unreadable || closed
                    ? null
                    : new Settings(service.build(), port, network, scheme, upstreamCa, upstreamName);
            return new Reading(settings, closed, List.copyOf(problems));
        }

        private void readCertificate(Service.Builder service) {
            String cert = values.get(CERT);
            String key = values.get(KEY);
            if (cert == null && key == null) {
                return;
            }
            if (cert == null || key == null) {
                unreadable = true;
                problems.add(prefix + (cert == null ? CERT : KEY) + " is missing: expected beside " + prefix
                        + (cert == null ? KEY : CERT));
                return;
            }
            read(CERT, Values::certificates, chain -> {
                try {
                    service.certificate(new Certificate(Pem.privateKey(Pem.fromBase64(key)), chain));
                } catch (IllegalArgumentException e) {
                    unreadable = true;
                    problems.add(prefix + KEY + ": " + e.getMessage());
                }
            });
        }

        /** Who can't be let in by it is kept out. */
        private void readClientCa(Service.Builder service) {
            boolean before = unreadable;
            unreadable = false;
            read(CLIENT_CA, Values::certificates, service::clientCa);
            closed |= unreadable && enabled;
            unreadable |= before;
        }

        /** Hands a value on if there is one that can be read. */
        private <T> void read(String name, Function<String, T> reader, Consumer<T> consumer) {
            String value = values.get(name);
            if (value == null) {
                return;
            }
            try {
                consumer.accept(reader.apply(value));
            } catch (IllegalArgumentException e) {
                unreadable = true;
                problems.add(
                        prefix + name + (IN_BASE64.contains(name) ? "" : "=" + shown(value)) + ": " + e.getMessage());
            }
        }

        private static List<String> hosts(String value) {
            if (value.isEmpty()) {
                throw new IllegalArgumentException("expected host names separated by spaces, or *");
            }
            List<String> hosts = new ArrayList<>();
            for (String host : value.split("\\s+")) {
                hosts.add(Values.host(host));
            }
            return hosts;
        }

        private int onlyOf(Collection<Integer> exposedPorts) {
            Set<Integer> ports = new TreeSet<>(exposedPorts);
            if (ports.size() == 1) {
                return ports.iterator().next();
            }
            unreadable = true;
            problems.add(prefix + PORT + " is missing: expected the port the service listens on inside its container"
                    + (ports.isEmpty()
                            ? ""
                            : "; it exposes "
                                    + ports.stream().map(String::valueOf).collect(Collectors.joining(", "))));
            return 0;
        }

        private void reportUnknown() {
            for (String name : values.keySet()) {
                if (known.contains(name)) {
                    continue;
                }
                String meant = nearest(name, known);
                boolean protects = meant != null && PROTECTING.contains(meant);
                closed |= protects;
                String value = values.getOrDefault(name, "");
                boolean secret = meant != null && IN_BASE64.contains(meant)
                        || PEM.matcher(value).find();
                problems.add(
                        prefix + shown(name.split("[:=\\s]", 2)[0]) + (secret ? "" : "=" + shown(value)) + ": unknown"
                                + (meant == null
                                        ? "; known are " + String.join(", ", known)
                                        : ", did you mean " + prefix + meant + "?")
                                + (protects ? " Closed until then, since that one protects" : ""));
            }
        }
    }
}
