package io.millau.core.internal;

import io.millau.core.Endpoint;
import io.millau.core.LoadBalancer;
import io.millau.core.Service;
import java.math.BigDecimal;
import java.net.IDN;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads single values as labels, the services file and code write them. Every method throws {@link
 * IllegalArgumentException} whose message says what was expected.
 */
public final class Values {

    /** Letters, digits, hyphens and (in the names of Docker networks' own hosts) underscores; 63 a label. */
    private static final Pattern HOST = Pattern.compile(
            "(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?" + "(\\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*");

    private static final Pattern IPV6 = Pattern.compile("\\[[0-9a-f:.]+]");
    private static final Pattern PATH = Pattern.compile("/[^\\s?#\\p{Cntrl}]*");

    /** A request target (RFC 9112, 3.2.1). */
    private static final Pattern TARGET = Pattern.compile("/[!-~&&[^#]]*");

    private static final Pattern SIZE = Pattern.compile("([0-9]{1,9})([kKmM]?)");
    private static final int LARGEST_BUFFER = 64 * 1024 * 1024;
    private static final int LARGEST_WEIGHT = 1000;
    private static final Pattern SECONDS = Pattern.compile("[0-9]{1,6}(\\.[0-9]{1,3})?");
    private static final long LONGEST_HSTS = 10 * 365 * 86_400L;
    private static final Duration DAY = Duration.ofDays(1);

    private Values() {}

    public static boolean bool(String value) {
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("expected true or false");
        };
    }

    public static int port(String value) {
        if (value.matches("[0-9]{1,5}")) {
            int port = Integer.parseInt(value);
            if (port >= 1 && port <= 65535) {
                return port;
            }
        }
        throw new IllegalArgumentException("expected a port from 1 to 65535");
    }

    /** A host name in its canonical form: lower case, Punycode, no trailing dot. */
    public static String host(String value) {
        if (value.equals(Service.ANY_HOST)) {
            return value;
        }
        if (value.startsWith("*.")) {
            throw new IllegalArgumentException("suffixes match anyway, write " + value.substring(2));
        }
        String host = value.toLowerCase(Locale.ROOT);
        if (host.endsWith(".")) {
            host = host.substring(0, host.length() - 1);
        }
        if (IPV6.matcher(host).matches()) {
            return host;
        }
        if (!host.chars().allMatch(c -> c < 128)) {
            host = punycode(host);
        }
        if (!HOST.matcher(host).matches()) {
            throw new IllegalArgumentException("expected host names separated by spaces, without port, or *");
        }
        return host;
    }

    private static String punycode(String host) {
        try {
            return IDN.toASCII(host);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("expected a host name that has a Punycode form", e);
        }
    }

    public static String path(String value) {
        if (!PATH.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    value.startsWith("/")
                            ? "expected the beginning of a path, without blanks, ? or #"
                            : "expected a path that starts with /"
                                    + (value.isBlank() ? "" : ", /" + value + " for instance"));
        }
        return value;
    }

    public static Duration seconds(String value) {
        if (!SECONDS.matcher(value).matches()) {
            throw new IllegalArgumentException("expected seconds, 30 or 0.5 for instance");
        }
        return withinADay(
                Duration.ofMillis(new BigDecimal(value).movePointRight(3).longValueExact()));
    }

    public static Duration positiveSeconds(String value) {
        Duration seconds = seconds(value);
        if (seconds.isZero()) {
            throw new IllegalArgumentException("expected more than 0 seconds");
        }
        return seconds;
    }

    public static Duration withinADay(Duration duration) {
        if (duration.isNegative() || duration.compareTo(DAY) > 0) {
            throw new IllegalArgumentException("expected 0 to 86400 seconds");
        }
        return duration;
    }

    public static Duration hsts(String value) {
        return hsts(value.matches("[0-9]{1,9}") ? Long.parseLong(value) : -1);
    }

    public static Duration hsts(long seconds) {
        if (seconds < 0 || seconds > LONGEST_HSTS) {
            throw new IllegalArgumentException(
                    "expected whole seconds up to " + LONGEST_HSTS + ", 31536000 for a year");
        }
        return Duration.ofSeconds(seconds);
    }

    public static boolean redirect(String value) {
        if (!value.equalsIgnoreCase("https")) {
            throw new IllegalArgumentException("expected https");
        }
        return true;
    }

    public static String scheme(String value) {
        String scheme = value.toLowerCase(Locale.ROOT);
        return switch (scheme) {
            case Endpoint.HTTP, Endpoint.HTTPS, Endpoint.H2C -> scheme;
            default -> throw new IllegalArgumentException("expected http, https or h2c");
        };
    }

    /** The one name, or address, of a server. */
    public static String serverName(String value) {
        String name = host(value);
        if (name.equals(Service.ANY_HOST)) {
            throw new IllegalArgumentException("expected one name");
        }
        return name;
    }

    /** PEM in Base64. */
    public static List<X509Certificate> certificates(String value) {
        return Pem.certificates(Pem.fromBase64(value));
    }

    public static int weight(String value) {
        return weight(value.matches("[0-9]{1,4}") ? Integer.parseInt(value) : -1);
    }

    public static int weight(int weight) {
        if (weight < 0 || weight > LARGEST_WEIGHT) {
            throw new IllegalArgumentException("expected a share from 0 to " + LARGEST_WEIGHT);
        }
        return weight;
    }

    public static LoadBalancer balance(String value) {
        for (LoadBalancer balancer : List.of(LoadBalancer.roundRobin(), LoadBalancer.leastConnections())) {
            if (balancer.toString().equalsIgnoreCase(value)) {
                return balancer;
            }
        }
        throw new IllegalArgumentException(
                "expected " + LoadBalancer.roundRobin() + " or " + LoadBalancer.leastConnections());
    }

    /** A path as a request line says it, with or without a query. */
    public static String target(String value) {
        if (!TARGET.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    value.startsWith("/")
                            ? "expected a path in ASCII, without blanks and #"
                            : "expected a path that starts with /, /health for instance");
        }
        return value;
    }

    /** A number of bytes, of KiB or of MiB. */
    public static int buffer(String value) {
        Matcher size = SIZE.matcher(value);
        if (!size.matches()) {
            throw new IllegalArgumentException("expected a size, 64k, 1m or a number of bytes for instance");
        }
        int shift = switch (size.group(2)) {
            case "k", "K" -> 10;
            case "m", "M" -> 20;
            default -> 0;
        };
        return buffer(Long.parseLong(size.group(1)) << shift);
    }

    public static int buffer(long bytes) {
        if (bytes < 0 || bytes > LARGEST_BUFFER) {
            throw new IllegalArgumentException("expected a size up to 64m");
        }
        return (int) bytes;
    }
}
