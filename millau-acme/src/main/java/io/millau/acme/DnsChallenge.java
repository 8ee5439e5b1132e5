package io.millau.acme;

import io.millau.core.Store;
import java.net.URI;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
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
        if (uri.getHost() == null || uri.getRawUserInfo() != null || uri.getRawFragment() != null || !onlyServer) {
            throw new IllegalArgumentException(EXPECTED);
        }
        return switch (String.valueOf(uri.getScheme())) {
            case "rfc2136" -> new DnsChallenge(url, updates(uri));
            case "acme-dns" -> acmeDns(url, uri);
            default -> throw new IllegalArgumentException(EXPECTED);
        };
    }

    private static Maker updates(URI uri) {
        Map<String, String> options = options(uri);
        String algorithm = options.getOrDefault("algorithm", "hmac-sha256").toLowerCase(Locale.ROOT);
        String key = options.get("key");
        String file = options.get("secret-file");
        if (key == null
                || file == null
                || !Set.of("key", "algorithm", "secret-file").containsAll(options.keySet())) {
            throw new IllegalArgumentException(EXPECTED);
        }
        if (!DnsUpdates.ALGORITHMS.contains(algorithm)) {
            throw new IllegalArgumentException(
                    "algorithm=" + algorithm + ": expected one of " + String.join(", ", DnsUpdates.ALGORITHMS));
        }
        int port = uri.getPort() < 0 ? DNS_PORT : uri.getPort();
        DnsUpdates updates = DnsUpdates.of(new DnsUpdates.Server(host(uri), port), key, algorithm, Path.of(file));
        return (store, provider) -> updates;
    }

    private static DnsChallenge acmeDns(String url, URI uri) {
        if (uri.getRawQuery() != null) {
            throw new IllegalArgumentException(EXPECTED);
        }
        URI api = URI.create("https://" + uri.getRawAuthority());
        return new DnsChallenge(url, (store, provider) -> new AcmeDns(api, store, provider));
    }

    private static String host(URI uri) {
        String host = uri.getHost();
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
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
