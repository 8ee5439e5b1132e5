package io.millau.core.internal;

import io.millau.core.Endpoint;
import io.millau.core.LoadBalancer;
import io.millau.core.Service;
import java.math.BigDecimal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The types of labels. Immutable. */
final class LabelTypes {

    private static final int LARGEST_BUFFER = 64 * 1024 * 1024;
    private static final long LARGEST_BODY = 1L << 40;
    private static final int LARGEST_WEIGHT = 1000;
    private static final int LARGEST_LIMIT = 1_000_000;
    private static final long LONGEST_HSTS = 10 * 365 * 86_400L;
    private static final Duration DAY = Duration.ofDays(1);

    /** Letters, digits, hyphens, and underscores, which Docker allows; at most 63 in each label. */
    private static final Pattern HOST = Pattern.compile(
            "(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?" + "(\\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*");

    /** A host name in any script, or an IPv6 address, perhaps in brackets. Less strict than {@link #host}. */
    private static final String HOST_LIKE =
            "(?:\\[[0-9A-Fa-f:.]+\\]|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*|[^\\s*/:,?#\\[\\]]+)";

    private static final Pattern PATH_START = Pattern.compile("/[^\\s?#\\u0000-\\u001f\\u007f]*");

    /** A path with an optional query, as in a request line (RFC 9112, 3.2.1). */
    private static final Pattern ORIGIN_FORM = Pattern.compile("/[!-\"$-~]*");

    private static final Pattern DECIMAL = Pattern.compile("[0-9]{1,6}(\\.[0-9]{1,3})?");
    // What users mean by values of other programs; suggested, not read.
    private static final Pattern LIKE_PORT = Pattern.compile("(?:.*:)?([1-9][0-9]{0,4})(?:/tcp)?");
    private static final Pattern LIKE_HOST = Pattern.compile("(?:https?://)?([a-z0-9._-]+)(?::[0-9]*)?/?");
    private static final Pattern WITH_UNIT =
            Pattern.compile("([0-9]{1,6}(?:\\.[0-9]{1,3})?)\\s*(ms|s|sec|m|h)", Pattern.CASE_INSENSITIVE);

    private static final Pattern BYTES = Pattern.compile("([0-9]{1,9})([kKmM]?)");
    private static final Pattern MANY_BYTES = Pattern.compile("([0-9]{1,13})([kKmMgG]?)");
    private static final String HEADER_VALUE = "[^\\u0000-\\u0008\\u000a-\\u001f\\u007f]*";
    private static final int LONGEST_HEADER = 8 * 1024;
    private static final String BASE64 = "[A-Za-z0-9+/=_\\s-]+";

    static final LabelType<Boolean> BOOLEAN = LabelType.of(anyCase("true|false"), LabelTypes::bool)
            .scalar("boolean")
            .examples("true", "false");

    /** Any text. */
    static final LabelType<String> TEXT = LabelType.of(".*", text -> text);

    static final LabelType<Integer> PORT =
            LabelType.of("[0-9]{1,5}", LabelTypes::port).scalar("integer").limits(1, 65535);

    /** Host names in their canonical form: lower case, Punycode, no trailing dot. */
    static final LabelType<List<String>> HOSTS = LabelType.of(
                    "(?:\\*|(?:\\*\\.)?" + HOST_LIKE + ")(?:\\s+(?:\\*|(?:\\*\\.)?" + HOST_LIKE + "))*",
                    LabelTypes::words)
            .checked(LabelTypes::hosts)
            .examples("shop.example", "*.shop.example");

    /** A server's name or address. */
    static final LabelType<String> SERVER_NAME =
            LabelType.of(HOST_LIKE, (String text) -> text).checked(LabelTypes::serverName);

    /** A path prefix. */
    static final LabelType<String> PATH =
            LabelType.of(PATH_START.pattern(), (String text) -> text).checked(LabelTypes::path);

    /** A path with an optional query. */
    static final LabelType<String> PATH_AND_QUERY = LabelType.of(ORIGIN_FORM.pattern(), (String text) -> text)
            .checked(LabelTypes::pathAndQuery)
            .examples("/health");

    /** A path and query with a place for a status. */
    static final LabelType<String> STATUS_PATH = LabelType.of(ORIGIN_FORM.pattern(), (String text) -> text)
            .checked(LabelTypes::statusPath)
            .examples("/errors/{status}.html");

    /** From 0 to a day. */
    static final LabelType<Duration> SECONDS = LabelType.of(DECIMAL.pattern(), LabelTypes::seconds)
            .checked(LabelTypes::withinADay)
            .scalar("number")
            .limits(0, DAY.toSeconds());

    /** More than 0, up to a day. */
    static final LabelType<Duration> POSITIVE_SECONDS = SECONDS.checked(LabelTypes::positive);

    /** Whole seconds, up to ten years. */
    static final LabelType<Duration> MAX_AGE = LabelType.of("[0-9]{1,9}", LabelTypes::readMaxAge)
            .checked(age -> checkMaxAge(age.toSeconds()))
            .scalar("integer")
            .limits(0, LONGEST_HSTS)
            .examples("31536000");

    /** A size in bytes, KiB or MiB, up to 64 MiB. */
    static final LabelType<Integer> SIZE = LabelType.of(BYTES.pattern(), LabelTypes::readSize)
            .checked(LabelTypes::checkSize)
            .scalar("integer")
            .limits(0, LARGEST_BUFFER);

    /** A size in bytes, KiB, MiB or GiB, from 1 byte to 1 TiB. */
    static final LabelType<Long> LARGE_SIZE = LabelType.of(MANY_BYTES.pattern(), LabelTypes::readLargeSize)
            .checked(LabelTypes::checkLargeSize)
            .scalar("integer")
            .limits(1, LARGEST_BODY)
            .examples("10m");

    /** A share, from 0 to 1000. */
    static final LabelType<Integer> SHARE = LabelType.of("[0-9]{1,4}", LabelTypes::readShare)
            .checked(LabelTypes::checkShare)
            .scalar("integer")
            .limits(0, LARGEST_WEIGHT);

    /** A number of requests, from 1 to a million. */
    static final LabelType<Integer> LIMIT = LabelType.of("[0-9]{1,7}", LabelTypes::readLimit)
            .checked(LabelTypes::checkLimit)
            .scalar("integer")
            .limits(1, LARGEST_LIMIT)
            .examples("100");

    /** Addresses and ranges of them, at least one. */
    static final LabelType<AddressRanges> ADDRESSES = LabelType.of("[0-9A-Za-z:./,\\s]+", AddressRanges::parse)
            .checked(LabelTypes::some)
            .examples("10.0.0.0/8", "private");

    /** How many requests in which time. */
    static final LabelType<RequestLimit> RATE =
            LabelType.of(RequestLimit.TEXT.pattern(), RequestLimit::parse).examples("20/s", "600/m");

    /** Users with the hashes of their passwords. */
    static final LabelType<Users> USERS =
            LabelType.of(Users.TEXT + "|" + BASE64, Users::parse).hidden();

    /** A URL that decides who may come in. Its query may have a secret. */
    static final LabelType<AuthServer> AUTH_SERVER = LabelType.of(AuthServer.TEXT, AuthServer::parse)
            .examples("http://login:4180/verify")
            .hidden();

    /** Names of header fields that a service can get. */
    static final LabelType<List<String>> HEADER_NAMES = LabelType.of(
                    "[A-Za-z0-9-]+(?:\\s+[A-Za-z0-9-]+)*", (String text) -> List.of(text.split("\\s+")))
            .checked(LabelTypes::headerNames)
            .examples("X-Auth-User");

    /** The built-in load balancers. */
    static final LabelType<LoadBalancer> BALANCER = LabelType.of(
                    anyCase(LoadBalancer.roundRobin() + "|" + LoadBalancer.leastConnections() + "|"
                            + LoadBalancer.leastTime()),
                    LabelTypes::balancer)
            .examples("round-robin", "least-connections", "least-time");

    /** True for the word {@code https}. */
    static final LabelType<Boolean> HTTPS_ONLY =
            LabelType.of(anyCase("https"), LabelTypes::httpsOnly).examples("https");

    /** The schemes of endpoints. */
    static final LabelType<String> SCHEME = LabelType.of(anyCase("https?|h2c"), LabelTypes::scheme)
            .examples(Endpoint.HTTP, Endpoint.HTTPS, Endpoint.H2C);

    /** A certificate chain, PEM in Base64. */
    static final LabelType<List<X509Certificate>> CHAIN = LabelType.of(
                    BASE64, (String text) -> Pem.certificates(Pem.fromBase64(text)))
            .hidden();

    /** CA certificates, PEM in Base64. */
    static final LabelType<Set<X509Certificate>> AUTHORITIES = LabelType.of(
                    BASE64, (String text) -> Set.copyOf(Pem.certificates(Pem.fromBase64(text))))
            .checked(Set::copyOf)
            .hidden();

    /** A private key, PEM in Base64. */
    static final LabelType<PrivateKey> PRIVATE_KEY = LabelType.of(
                    BASE64, (String text) -> Pem.privateKey(Pem.fromBase64(text)))
            .hidden();

    /** What a header of requests is set to; empty if it is removed. It may be a secret. */
    static final LabelType<Map<String, String>> REQUEST_HEADER = LabelType.of(HEADER_VALUE, LabelTypes::header)
            .checked(headers -> headers(headers, HeaderFields::checkRequestName))
            .scalar("number")
            .hidden();

    /** What a header of responses is set to; empty if it is removed. */
    static final LabelType<Map<String, String>> RESPONSE_HEADER = LabelType.of(HEADER_VALUE, LabelTypes::header)
            .checked(headers -> headers(headers, HeaderFields::checkResponseName))
            .scalar("number");

    private LabelTypes() {}

    /** A case-insensitive pattern, as ECMA 262 has no flag for it within a pattern. */
    private static String anyCase(String pattern) {
        StringBuilder any = new StringBuilder();
        pattern.chars().forEach(c -> {
            if (Character.isLetter(c)) {
                any.append('[')
                        .append((char) c)
                        .append((char) Character.toUpperCase(c))
                        .append(']');
            } else {
                any.append((char) c);
            }
        });
        return any.toString();
    }

    private static boolean bool(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            case "yes", "on", "1" -> throw new IllegalArgumentException("expected true or false: write true");
            case "no", "off", "0" -> throw new IllegalArgumentException("expected true or false: write false");
            default -> throw new IllegalArgumentException("expected true or false");
        };
    }

    private static int port(String text) {
        if (text.matches("[0-9]{1,5}")) {
            int port = Integer.parseInt(text);
            if (port >= 1 && port <= 65535) {
                return port;
            }
        }
        Matcher likePort = LIKE_PORT.matcher(text);
        boolean isMeant = likePort.matches() && Integer.parseInt(likePort.group(1)) <= 65535;
        throw new IllegalArgumentException(
                "expected a port from 1 to 65535" + (isMeant ? ": write " + likePort.group(1) : ""));
    }

    private static List<String> words(String text) {
        if (text.matches("[^,;]*[\\w*\\].][,;].*")) {
            throw new IllegalArgumentException("expected host names separated by spaces: write "
                    + Words.shown(Stream.of(text.strip().split("[\\s,;]+"))
                            .map(LabelTypes::withoutUrl)
                            .collect(Collectors.joining(" "))));
        }
        return text.isEmpty() ? List.of() : List.of(text.split("\\s+"));
    }

    /** The host in what looks like a URL. */
    private static String withoutUrl(String word) {
        Matcher url = LIKE_HOST.matcher(word);
        return url.matches() ? url.group(1) : word;
    }

    private static List<String> hosts(List<String> names) {
        if (names.isEmpty()) {
            throw new IllegalArgumentException("expected host names separated by spaces, or *");
        }
        if (names.size() == 1) {
            return List.of(hostOrSubdomains(names.get(0)));
        }
        Set<String> hosts = new LinkedHashSet<>();
        List<String> mistakes = new ArrayList<>();
        for (String name : names) {
            try {
                hosts.add(hostOrSubdomains(name));
            } catch (IllegalArgumentException e) {
                mistakes.add("\"" + Words.shown(name) + "\": " + e.getMessage());
            }
        }
        if (!mistakes.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", mistakes));
        }
        return List.copyOf(hosts);
    }

    private static String hostOrSubdomains(String name) {
        if (!name.startsWith(Service.SUBDOMAINS)) {
            return host(name);
        }
        String parent = host(name.substring(Service.SUBDOMAINS.length()));
        if (!HOST.matcher(parent).matches()) {
            throw new IllegalArgumentException("expected a host name after " + Service.SUBDOMAINS);
        }
        return Service.SUBDOMAINS + parent;
    }

    private static String host(String name) {
        if (name.equals(Service.ANY_HOST)) {
            return name;
        }
        String address = HostNames.ipv6(name);
        if (address != null) {
            return address;
        }
        String host = HostNames.ascii(name);
        if (host.endsWith(".")) {
            host = host.substring(0, host.length() - 1);
        }
        if (name.chars().anyMatch(Character::isWhitespace)) {
            throw new IllegalArgumentException("expected one host name, not several with blanks between them");
        }
        if (!HOST.matcher(host).matches()) {
            Matcher url = LIKE_HOST.matcher(host);
            throw new IllegalArgumentException("expected host names separated by spaces, without port, or *"
                    + (url.matches() ? ": write " + url.group(1) : ""));
        }
        return host;
    }

    private static String serverName(String text) {
        String name = host(text);
        if (name.equals(Service.ANY_HOST)) {
            throw new IllegalArgumentException("expected one name");
        }
        return name;
    }

    private static String path(String text) {
        if (!PATH_START.matcher(text).matches()) {
            throw new IllegalArgumentException(
                    text.startsWith("/")
                            ? "expected the beginning of a path, without blanks, ? or #"
                            : "expected a path that starts with /"
                                    + (text.isBlank() ? "" : ", /" + Words.shown(text) + " for instance"));
        }
        if (text.endsWith("/*") || text.endsWith("/**")) {
            throw new IllegalArgumentException("expected the beginning of paths, without a pattern: write "
                    + Words.shown(text.substring(0, text.lastIndexOf('/') + 1)));
        }
        return text;
    }

    private static String statusPath(String text) {
        if (!pathAndQuery(text).contains(Labels.STATUS)) {
            throw new IllegalArgumentException(
                    "expected " + Labels.STATUS + " in it, as in /errors/" + Labels.STATUS + ".html");
        }
        return text;
    }

    private static String pathAndQuery(String text) {
        if (!ORIGIN_FORM.matcher(text).matches()) {
            throw new IllegalArgumentException(
                    text.startsWith("/")
                            ? "expected a path in ASCII, without blanks and #"
                            : "expected a path that starts with /, /health for instance");
        }
        return text;
    }

    private static Duration seconds(String text) {
        if (!DECIMAL.matcher(text).matches()) {
            Matcher withUnit = WITH_UNIT.matcher(text);
            throw new IllegalArgumentException("expected seconds, 30 or 0.5 for instance"
                    + (withUnit.matches() ? ": write " + inSeconds(withUnit.group(1), withUnit.group(2)) : ""));
        }
        return Duration.ofMillis(new BigDecimal(text).movePointRight(3).longValueExact());
    }

    private static String inSeconds(String number, String unit) {
        BigDecimal written = new BigDecimal(number);
        BigDecimal seconds = switch (unit.toLowerCase(Locale.ROOT)) {
            case "ms" -> written.movePointLeft(3);
            case "m" -> written.multiply(BigDecimal.valueOf(60));
            case "h" -> written.multiply(BigDecimal.valueOf(3600));
            default -> written;
        };
        return seconds.stripTrailingZeros().toPlainString();
    }

    private static Duration withinADay(Duration duration) {
        if (duration.isNegative() || duration.compareTo(DAY) > 0) {
            throw new IllegalArgumentException("expected 0 to 86400 seconds");
        }
        return duration;
    }

    private static Duration positive(Duration duration) {
        if (duration.isZero()) {
            throw new IllegalArgumentException("expected more than 0 seconds");
        }
        return withinADay(duration);
    }

    private static Duration readMaxAge(String text) {
        return checkMaxAge(text.matches("[0-9]{1,9}") ? Long.parseLong(text) : -1);
    }

    private static Duration checkMaxAge(long seconds) {
        if (seconds < 0 || seconds > LONGEST_HSTS) {
            throw new IllegalArgumentException(
                    "expected whole seconds up to " + LONGEST_HSTS + ", 31536000 for a year");
        }
        return Duration.ofSeconds(seconds);
    }

    private static int readSize(String text) {
        Matcher size = BYTES.matcher(text);
        if (!size.matches()) {
            throw new IllegalArgumentException("expected a size, 64k, 1m or a number of bytes for instance");
        }
        return checkSize(Long.parseLong(size.group(1)) * unit(size.group(2)));
    }

    private static long unit(String letter) {
        return switch (letter) {
            case "k", "K" -> 1 << 10;
            case "m", "M" -> 1 << 20;
            case "g", "G" -> 1 << 30;
            default -> 1;
        };
    }

    private static long readLargeSize(String text) {
        Matcher size = MANY_BYTES.matcher(text);
        if (!size.matches()) {
            throw new IllegalArgumentException("expected a size, 512k, 10m, 1g or a number of bytes for instance");
        }
        long number = Long.parseLong(size.group(1));
        long unit = unit(size.group(2));
        return checkLargeSize(number > LARGEST_BODY / unit ? -1 : number * unit);
    }

    private static long checkLargeSize(long bytes) {
        if (bytes < 1 || bytes > LARGEST_BODY) {
            throw new IllegalArgumentException("expected a size from 1 to 1024g; without the label there is no limit");
        }
        return bytes;
    }

    private static int checkSize(long bytes) {
        if (bytes < 0 || bytes > LARGEST_BUFFER) {
            throw new IllegalArgumentException("expected a size up to 64m");
        }
        return (int) bytes;
    }

    private static int readShare(String text) {
        return checkShare(text.matches("[0-9]{1,4}") ? Integer.parseInt(text) : -1);
    }

    private static int checkShare(int share) {
        if (share < 0 || share > LARGEST_WEIGHT) {
            throw new IllegalArgumentException("expected a share from 0 to " + LARGEST_WEIGHT);
        }
        return share;
    }

    private static int readLimit(String text) {
        return checkLimit(text.matches("[0-9]{1,7}") ? Integer.parseInt(text) : -1);
    }

    private static int checkLimit(int limit) {
        if (limit < 1 || limit > LARGEST_LIMIT) {
            throw new IllegalArgumentException(
                    "expected a number from 1 to " + LARGEST_LIMIT + "; without the label there is no limit");
        }
        return limit;
    }

    private static AddressRanges some(AddressRanges ranges) {
        if (ranges.isEmpty()) {
            throw new IllegalArgumentException(AddressRanges.EXPECTED);
        }
        return ranges;
    }

    private static List<String> headerNames(List<String> names) {
        for (String name : names) {
            if (!name.matches("[A-Za-z0-9-]+")) {
                throw new IllegalArgumentException(
                        "expected names of header fields separated by spaces, such as X-Auth-User");
            }
            if (!HeaderFields.canBeSetInRequests(name)) {
                throw new IllegalArgumentException(
                        Words.shown(name) + " is set by Millau, or frames the message: expected other names");
            }
        }
        return List.copyOf(names);
    }

    private static LoadBalancer balancer(String text) {
        List<LoadBalancer> named =
                List.of(LoadBalancer.roundRobin(), LoadBalancer.leastConnections(), LoadBalancer.leastTime());
        return named.stream()
                .filter(balancer -> balancer.toString().equalsIgnoreCase(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "expected " + named.get(0) + ", " + named.get(1) + " or " + named.get(2)));
    }

    /** @param text with the name before an equals sign, which no name has */
    private static Map<String, String> header(String text) {
        int end = text.indexOf('=');
        return Map.of(text.substring(0, end), text.substring(end + 1));
    }

    private static Map<String, String> headers(Map<String, String> values, UnaryOperator<String> checkName) {
        SortedMap<String, String> sorted = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        values.forEach((name, value) -> {
            String checked = HeaderFields.checkValue(checkName.apply(name), value);
            if (name.length() + value.length() > LONGEST_HEADER) {
                throw new IllegalArgumentException("header " + Words.shown(name)
                        + ": expected name and value of at most " + LONGEST_HEADER + " characters");
            }
            if (sorted.put(name, checked) != null) {
                throw twice(name);
            }
        });
        return Collections.unmodifiableSortedMap(sorted);
    }

    static Map<String, String> bothHeaders(Map<String, String> some, Map<String, String> others) {
        SortedMap<String, String> both = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        both.putAll(some);
        others.forEach((name, value) -> {
            if (both.put(name, value) != null) {
                throw twice(name);
            }
        });
        return Collections.unmodifiableSortedMap(both);
    }

    private static IllegalArgumentException twice(String name) {
        return new IllegalArgumentException(
                "header " + name + ": expected once, but it is there twice, since names of headers have no case");
    }

    private static boolean httpsOnly(String text) {
        if (!text.equalsIgnoreCase("https")) {
            throw new IllegalArgumentException("expected https");
        }
        return true;
    }

    private static String scheme(String text) {
        String scheme = text.toLowerCase(Locale.ROOT);
        if (Stream.of(Endpoint.HTTP, Endpoint.HTTPS, Endpoint.H2C).noneMatch(scheme::equals)) {
            throw new IllegalArgumentException("expected http, https or h2c");
        }
        return scheme;
    }
}
