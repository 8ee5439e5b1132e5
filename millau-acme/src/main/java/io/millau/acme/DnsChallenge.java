package io.millau.acme;

import io.millau.core.Store;
import java.net.URI;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * How responses to DNS challenges (RFC 8555, 8.4) are published: by updates of a name server (RFC 2136) with a key (TSIG, RFC 8945),
 * or by an <a href="https://github.com/joohoi/acme-dns">acme-dns</a> server, to which a CNAME record points. Immutable.
 *
 * <pre>{@code
 * DnsChallenge updates = DnsChallenge.parse(
 *         "rfc2136://ns1.shop.example?key=millau&algorithm=hmac-sha256&secret-file=/run/secrets/tsig");
 * AcmeCertificates.Builder certificates = AcmeCertificates.builder(Store.files(folder)).dns(updates);
 * }</pre>
 */
public final class DnsChallenge {

    private static final String EXPECTED =
            "expected rfc2136://SERVER?key=NAME&algorithm=hmac-sha256&secret-file=FILE or acme-dns://SERVER";

    private static final Set<String> ALGORITHMS =
            new TreeSet<>(Set.of("hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha224", "hmac-sha1", "hmac-md5"));

    /** With underscores, which names of Swarm services have. */
    private static final Pattern SERVER =
            Pattern.compile("(?:\\[([0-9A-Fa-f:.]+)\\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?");

    private static final int DNS_PORT = 53;

    private final String text;
    private final Maker maker;

    @FunctionalInterface
    private interface Maker {
        DnsRecords make(Store store, HttpProvider provider);
    }

    private DnsChallenge(String text, Maker maker) {
        this.text = text;
        this.maker = maker;
    }

    /**
     * Parses a URL: {@code rfc2136://SERVER[:53]?key=NAME&algorithm=hmac-sha256&secret-file=FILE}, where the file has the key in
     * Base64 or as BIND's {@code tsig-keygen} writes it, and is read for each order; or {@code acme-dns://SERVER[:443]}, which is asked
     * over HTTPS. The first needs the library dnsjava on the class path.
     *
     * @throws IllegalArgumentException if it is anything else
     */
    public static DnsChallenge parse(String url) {
        URI uri;
        try {
            uri = URI.create(url);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(EXPECTED, e);
        }
        boolean onlyServer = uri.getRawPath() == null
                || uri.getRawPath().isEmpty()
                || uri.getRawPath().equals("/");
        Matcher server = SERVER.matcher(uri.getRawAuthority() == null ? "" : uri.getRawAuthority());
        if (!server.matches() || uri.getRawFragment() != null || !onlyServer) {
            throw new IllegalArgumentException(EXPECTED);
        }
        return switch (String.valueOf(uri.getScheme())) {
            case "rfc2136" -> new DnsChallenge(url, updates(uri, server));
            case "acme-dns" -> acmeDns(url, uri);
            default -> throw new IllegalArgumentException(EXPECTED);
        };
    }

    private static Maker updates(URI uri, Matcher server) {
        Map<String, String> options = options(uri);
        String algorithm = options.getOrDefault("algorithm", "hmac-sha256").toLowerCase(Locale.ROOT);
        String key = options.get("key");
        String file = options.get("secret-file");
        if (key == null
                || file == null
                || !Set.of("key", "algorithm", "secret-file").containsAll(options.keySet())) {
            throw new IllegalArgumentException(EXPECTED);
        }
        if (!ALGORITHMS.contains(algorithm)) {
            throw new IllegalArgumentException(
                    "algorithm=" + algorithm + ": expected one of " + String.join(", ", ALGORITHMS));
        }
        String host = server.group(1) == null ? server.group(2) : server.group(1);
        int port = server.group(3) == null ? DNS_PORT : Integer.parseInt(server.group(3));
        try {
            DnsUpdates updates = DnsUpdates.of(host, port, key, algorithm, Path.of(file));
            return (store, provider) -> updates;
        } catch (NoClassDefFoundError e) {
            throw new IllegalArgumentException(
                    "expected the library dnsjava:dnsjava on the class path, which sends DNS updates", e);
        }
    }

    private static DnsChallenge acmeDns(String url, URI uri) {
        if (uri.getRawQuery() != null) {
            throw new IllegalArgumentException(EXPECTED);
        }
        URI api = URI.create("https://" + uri.getRawAuthority());
        return new DnsChallenge(url, (store, provider) -> new AcmeDns(api, store, provider));
    }

    private static Map<String, String> options(URI uri) {
        if (uri.getQuery() == null) {
            return Map.of();
        }
        try {
            return Arrays.stream(uri.getQuery().split("&"))
                    .map(option -> option.split("=", 2))
                    .collect(Collectors.toMap(
                            option -> option[0],
                            option -> option[1],
                            (one, other) -> {
                                throw new IllegalArgumentException(EXPECTED);
                            },
                            HashMap::new));
        } catch (ArrayIndexOutOfBoundsException e) {
            throw new IllegalArgumentException(EXPECTED, e);
        }
    }

    DnsRecords records(Store store, HttpProvider provider) {
        return maker.make(store, provider);
    }

    /** The URL. */
    @Override
    public String toString() {
        return text;
    }
}
