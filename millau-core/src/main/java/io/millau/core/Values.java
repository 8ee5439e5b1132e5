package io.millau.core;

import java.math.BigDecimal;
import java.net.IDN;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Reads single values as labels, the services file and code write them. Every method throws {@link
 * IllegalArgumentException} whose message says what was expected.
 */
final class Values {

    /** Letters, digits, hyphens and (in the names of Docker networks' own hosts) underscores; 63 a label. */
    private static final Pattern HOST = Pattern.compile(
            "(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?" + "(\\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*");

    private static final Pattern IPV6 = Pattern.compile("\\[[0-9a-f:.]+]");
    private static final Pattern PATH = Pattern.compile("/[^\\s?#\\p{Cntrl}]*");
    private static final Pattern SECONDS = Pattern.compile("[0-9]{1,6}(\\.[0-9]{1,3})?");
    private static final Duration DAY = Duration.ofDays(1);

    private Values() {}

    static boolean bool(String value) {
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("expected true or false");
        };
    }

    static int port(String value) {
        if (value.matches("[0-9]{1,5}")) {
            int port = Integer.parseInt(value);
            if (port >= 1 && port <= 65535) {
                return port;
            }
        }
        throw new IllegalArgumentException("expected a port from 1 to 65535");
    }

    /** A host name in its canonical form: lower case, Punycode, no trailing dot. */
    static String host(String value) {
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

    static String path(String value) {
        if (!PATH.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    value.startsWith("/")
                            ? "expected the beginning of a path, without blanks, ? or #"
                            : "expected a path that starts with /"
                                    + (value.isBlank() ? "" : ", /" + value + " for instance"));
        }
        return value;
    }

    static Duration seconds(String value) {
        if (!SECONDS.matcher(value).matches()) {
            throw new IllegalArgumentException("expected seconds, 30 or 0.5 for instance");
        }
        return withinADay(
                Duration.ofMillis(new BigDecimal(value).movePointRight(3).longValueExact()));
    }

    static Duration positiveSeconds(String value) {
        Duration seconds = seconds(value);
        if (seconds.isZero()) {
            throw new IllegalArgumentException("expected more than 0 seconds");
        }
        return seconds;
    }

    static Duration withinADay(Duration duration) {
        if (duration.isNegative() || duration.compareTo(DAY) > 0) {
            throw new IllegalArgumentException("expected 0 to 86400 seconds");
        }
        return duration;
    }
}
