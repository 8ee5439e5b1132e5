package io.millau.core.internal;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A set of IP addresses: ranges in CIDR notation (RFC 4632, 3.1), single addresses, and names of well-known ranges. Immutable.
 */
public final class AddressRanges {

    /** No address at all. */
    public static final AddressRanges NONE = new AddressRanges("", List.of());

    public static final String EXPECTED =
            "expected addresses or ranges such as 10.0.0.0/8 or 2001:db8::/32, private, or cloudflare";

    /** RFC 1918, loopback, link-local and unique local addresses (RFC 4193). */
    private static final String PRIVATE =
            "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8 169.254.0.0/16 ::1/128 fe80::/10 fc00::/7";

    /** The addresses that Cloudflare publishes, as of 28 September 2023. */
    private static final String CLOUDFLARE = "173.245.48.0/20 103.21.244.0/22 103.22.200.0/22 103.31.4.0/22"
            + " 141.101.64.0/18 108.162.192.0/18 190.93.240.0/20 188.114.96.0/20 197.234.240.0/22 198.41.128.0/17"
            + " 162.158.0.0/15 104.16.0.0/13 104.24.0.0/14 172.64.0.0/13 131.0.72.0/22 2400:cb00::/32 2606:4700::/32"
            + " 2803:f800::/32 2405:b500::/32 2405:8100::/32 2a06:98c0::/29 2c0f:f248::/32";

    private static final Map<String, String> NAMES = Map.of("private", PRIVATE, "cloudflare", CLOUDFLARE);

    /** The first bits of an address. */
    private record Range(byte[] network, int prefix) {}

    private final String text;
    private final List<Range> ranges;

    private AddressRanges(String text, List<Range> ranges) {
        this.text = text;
        this.ranges = ranges;
    }

    /**
     * Reads ranges, separated by blanks or commas; none of an empty text.
     *
     * @throws IllegalArgumentException if the text has anything else; the message names it
     */
    public static AddressRanges parse(String text) {
        List<Range> ranges = new ArrayList<>();
        String normal = text.strip().replaceAll("[\\s,]+", " ");
        if (normal.isEmpty()) {
            return NONE;
        }
        for (String word : normal.split(" ")) {
            String named = NAMES.get(word.toLowerCase(Locale.ROOT));
            for (String range : (named == null ? word : named).split(" ")) {
                ranges.add(range(range));
            }
        }
        return new AddressRanges(normal, List.copyOf(ranges));
    }

    private static Range range(String text) {
        int slash = text.indexOf('/');
        InetAddress address = IpAddresses.parse(slash < 0 ? text : text.substring(0, slash));
        if (address == null) {
            throw new IllegalArgumentException("\"" + Words.shown(text) + "\": " + EXPECTED);
        }
        byte[] network = address.getAddress();
        int bits = 8 * network.length;
        String prefix = slash < 0 ? String.valueOf(bits) : text.substring(slash + 1);
        if (!prefix.matches("[0-9]{1,3}") || Integer.parseInt(prefix) > bits) {
            throw new IllegalArgumentException(
                    "\"" + Words.shown(text) + "\": expected a prefix of 0 to " + bits + " bits after the /");
        }
        return new Range(network, Integer.parseInt(prefix));
    }

    public boolean contains(InetAddress address) {
        if (ranges.isEmpty()) {
            return false;
        }
        byte[] bytes = address.getAddress();
        for (int i = 0; i < ranges.size(); i++) {
            Range range = ranges.get(i);
            if (IpAddresses.haveSamePrefix(range.network, bytes, range.prefix)) {
                return true;
            }
        }
        return false;
    }

    public boolean isEmpty() {
        return ranges.isEmpty();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof AddressRanges that && text.equals(that.text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** The text that they were read from. */
    @Override
    public String toString() {
        return text;
    }
}
