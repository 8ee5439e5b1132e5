package io.millau.core.internal;

import io.millau.core.Service;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Host names and addresses in one form: that in which clients send them. Pure functions.
 *
 * <p>Names in other scripts are mapped as browsers do it, by <a href="https://www.unicode.org/reports/tr46/">UTS 46</a>
 * (non-transitional): {@code straße.example} is {@code xn--strae-oqa.example}. {@link java.net.IDN} follows an older
 * standard, by which it is {@code strasse.example}, another domain. A character that Java's Unicode tables and those of
 * browsers could map differently is rejected.
 */
public final class HostNames {

    private static final String PREFIX = "xn--";
    private static final int SMALL_FINAL_SIGMA = 0x3c2;
    private static final int ZERO_WIDTH_NON_JOINER = 0x200c;
    private static final int ZERO_WIDTH_JOINER = 0x200d;

    /** Full stops that count as dots (UTS 46, 2.3). */
    private static final String FULL_STOPS = ".\u3002\uff0e\uff61";

    /**
     * Where a zero-width joiner or non-joiner is allowed (RFC 5892, A.1 and A.2): after a sign that suppresses a vowel
     * (canonical combining class Virama, which Java doesn't tell), and a non-joiner between Arabic letters that would join.
     */
    private static final Pattern ALLOWED_JOINER = Pattern.compile(
            "(?<=[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u0e3a\u0f84\u1039\u17d2])[\u200c\u200d]"
                    + "|(?<=[\u0620-\u06ff&&\\p{Lo}&&[^\u0621-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0677"
                    + "\u0688-\u0699\u06c0\u06c3-\u06cb\u06cd\u06cf\u06d2\u06d3\u06d5\u06ee\u06ef]])\u200c"
                    + "(?=[\u0620-\u06ff&&\\p{Lo}&&[^\u0621\u0674]])");

    private static final Pattern JOINER = Pattern.compile("[\u200c\u200d]");

    private HostNames() {}

    /** The wildcard that a name fits: {@code *.shop.example} for {@code www.shop.example}. */
    public static String wildcard(String name) {
        return "*" + name.substring(Math.max(0, name.indexOf('.')));
    }

    /** Whether a name is below a host of a service, or one that its wildcard stands for. */
    public static boolean isBelow(String host, String name) {
        return name.endsWith("." + host)
                || host.startsWith(Service.SUBDOMAINS)
                        && name.endsWith(host.substring(Service.SUBDOMAINS.length() - 1));
    }

    /** Where the colon before the port is in a valid value of Host (RFC 9110, 7.2); -1 if there is no port. */
    public static int portColon(String host) {
        int colon = host.lastIndexOf(':');
        return colon > host.lastIndexOf(']') ? colon : -1;
    }

    /** The name in a valid value of Host, in the form of a service's hosts. */
    public static String name(String host) {
        int colon = portColon(host);
        String name = colon < 0 ? host : host.substring(0, colon);
        return (name.endsWith(".") ? name.substring(0, name.length() - 1) : name).toLowerCase(Locale.ROOT);
    }

    /**
     * A host name in ASCII and lower case.
     *
     * @param name not checked otherwise
     * @throws IllegalArgumentException if it has no such form, or not for certain; the message tells why
     */
    public static String ascii(String name) {
        if (isAscii(name)) {
            return name.toLowerCase(Locale.ROOT);
        }
        StringBuilder mapped = new StringBuilder();
        name.codePoints().forEach(c -> mapped.append(map(c)));
        String composed = Normalizer.normalize(mapped, Normalizer.Form.NFC);
        if (composed.startsWith(".") || composed.contains("..")) {
            throw new IllegalArgumentException("expected a host name without empty labels");
        }
        return Arrays.stream(composed.split("\\.", -1))
                .map(HostNames::asciiLabel)
                .collect(Collectors.joining("."));
    }

    private static boolean isAscii(CharSequence text) {
        return text.chars().allMatch(c -> c < 0x80);
    }

    /** What UTS 46 maps a character to. */
    private static String map(int c) {
        if (FULL_STOPS.indexOf(c) >= 0) {
            return ".";
        }
        if (c < 0x80) {
            return String.valueOf((char) Character.toLowerCase(c));
        }
        if (isIgnored(c)) {
            return "";
        }
        if (c == ZERO_WIDTH_JOINER || c == ZERO_WIDTH_NON_JOINER) {
            return Character.toString(c); // allowed or not by their neighbours
        }
        String mapped = compatible(lowerCase(compatible(Character.toString(c))));
        if (isDisallowed(c) || isUncertain(c, mapped)) {
            throw new IllegalArgumentException(
                    "expected the name in Punycode (xn--…), as it is not certain what browsers make of U+%04X"
                            .formatted(c));
        }
        return mapped;
    }

    /** Not {@link String#toLowerCase}, which depends on neighbours. */
    private static String lowerCase(String text) {
        StringBuilder lower = new StringBuilder();
        text.codePoints().map(Character::toLowerCase).forEach(lower::appendCodePoint);
        return lower.toString();
    }

    private static String compatible(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFKC);
    }

    /** The soft hyphen, selectors of emoji's variants, and others that nobody sees. */
    private static boolean isIgnored(int c) {
        return c == 0xad
                || c == 0x34f
                || c >= 0x180b && c <= 0x180d
                || c == 0x200b
                || c == 0x2060
                || c == 0x2064
                || c >= 0xfe00 && c <= 0xfe0f
                || c >= 0xe0100 && c <= 0xe01ef
                || c == 0xfeff;
    }

    /** Letters that nobody sees: newer versions of UTS 46 ignore them. */
    private static boolean isFiller(int c) {
        return c == 0x115f || c == 0x1160 || c == 0x17b4 || c == 0x17b5 || c == 0x3164 || c == 0xffa0;
    }

    private static boolean isDisallowed(int c) {
        boolean describesIdeographs = c >= 0x2ff0 && c <= 0x2fff;
        boolean replacesOthers = c == 0xfffc || c == 0xfffd;
        return describesIdeographs
                || replacesOthers
                || isFiller(c)
                || switch (Character.getType(c)) {
                    case Character.UNASSIGNED,
                            Character.CONTROL,
                            Character.FORMAT,
                            Character.PRIVATE_USE,
                            Character.SURROGATE,
                            Character.SPACE_SEPARATOR,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR -> true;
                    default -> false;
                };
    }

    /** Where the case folding of browsers isn't lower case, or a part of the character is a delimiter. */
    private static boolean isUncertain(int c, String mapped) {
        boolean capitalDottedI = c == 0x130;
        boolean cherokee = c >= 0x13a0 && c <= 0x13ff || c >= 0xab70 && c <= 0xabbf;
        boolean oldCyrillic = c >= 0x1c80 && c <= 0x1c8f;
        boolean iotaBelow = Normalizer.normalize(mapped, Normalizer.Form.NFD).indexOf(0x345) >= 0;
        boolean otherFinalSigma = c != SMALL_FINAL_SIGMA && mapped.indexOf(SMALL_FINAL_SIGMA) >= 0;
        boolean delimiter = mapped.codePoints()
                .anyMatch(m -> FULL_STOPS.indexOf(m) >= 0 || m < 0x80 && m != '-' && !Character.isLetterOrDigit(m));
        return capitalDottedI || cherokee || oldCyrillic || iotaBelow || otherFinalSigma || delimiter;
    }

    private static String asciiLabel(String label) {
        if (isAscii(label)) {
            return label;
        }
        if (label.startsWith(PREFIX)) {
            throw new IllegalArgumentException("expected a host name in Punycode or in its own script, not in both");
        }
        int first = Character.getType(label.codePointAt(0));
        if (first == Character.NON_SPACING_MARK
                || first == Character.COMBINING_SPACING_MARK
                || first == Character.ENCLOSING_MARK) {
            throw new IllegalArgumentException("expected a letter before the first accent in a host name");
        }
        if (JOINER.matcher(ALLOWED_JOINER.matcher(label).replaceAll("")).find()) {
            throw new IllegalArgumentException("expected no zero-width joiner here: browsers reject such a name");
        }
        return PREFIX + Punycode.encode(label);
    }

    /**
     * An IPv6 address in brackets, as in a Host field, in its canonical form (RFC 5952).
     *
     * @param text the address, with or without brackets
     * @return null if it is anything else
     */
    public static @Nullable String ipv6(String text) {
        boolean bracketed = text.startsWith("[") && text.endsWith("]") && text.length() > 1;
        String literal = bracketed ? text.substring(1, text.length() - 1) : text;
        if (literal.indexOf(':') < 0) {
            return null;
        }
        InetAddress address = IpAddresses.parse(literal);
        if (address == null) {
            return null;
        }
        String mapped = address instanceof Inet6Address ? "" : "::ffff:"; // RFC 5952, 5
        return "[" + mapped + IpAddresses.text(address) + "]";
    }
}
