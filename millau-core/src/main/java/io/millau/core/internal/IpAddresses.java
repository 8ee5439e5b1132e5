package io.millau.core.internal;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** IP addresses as text. Pure functions. */
public final class IpAddresses {

    private static final int GROUPS = 8;
    private static final int IPV4_BYTES = 4;
    private static final int LONGEST_IPV6 = "0000:0000:0000:0000:0000:ffff:255.255.255.255".length();

    private IpAddresses() {}

    /** The canonical text of an address (RFC 5952), without a zone. */
    public static String text(InetAddress address) {
        if (!(address instanceof Inet6Address)) {
            return address.getHostAddress();
        }
        int[] groups = groups(address.getAddress());
        int zerosAt = GROUPS;
        int zeros = 1; // a single group of zeros is not shortened
        for (int i = 0; i < GROUPS; i++) {
            int end = i;
            while (end < GROUPS && groups[end] == 0) {
                end++;
            }
            if (end - i > zeros) {
                zerosAt = i;
                zeros = end - i;
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < GROUPS; i++) {
            if (i == zerosAt) {
                text.append("::");
                i += zeros - 1;
            } else {
                text.append(i > 0 && i != zerosAt + zeros ? ":" : "").append(Integer.toHexString(groups[i]));
            }
        }
        return text.toString();
    }

    private static int[] groups(byte[] bytes) {
        int[] groups = new int[GROUPS];
        for (int i = 0; i < GROUPS; i++) {
            groups[i] = (bytes[2 * i] & 0xff) << 8 | bytes[2 * i + 1] & 0xff;
        }
        return groups;
    }

    /**
     * The address that a text stands for: IPv4 as four decimal numbers, IPv6 in any form of RFC 4291, 2.2, without brackets and
     * zone. An IPv4 address that is mapped to IPv6 counts as IPv4.
     *
     * @return null if the text is anything else; names are not looked up
     */
    public static @Nullable InetAddress parse(String text) {
        try {
            if (isIpv6Like(text)) {
                return InetAddress.getByName(text); // with a colon, it is never taken for a name
            }
            byte[] ipv4 = ipv4(text);
            return ipv4 == null ? null : InetAddress.getByAddress(ipv4);
        } catch (UnknownHostException e) {
            return null;
        }
    }

    /**
     * The number of the client that has an address: an IPv4 address itself, or the network (/64) of an IPv6 address, all of which
     * are one client's. The first of these networks are not in use.
     */
    public static long clientNumber(InetAddress address) {
        ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
        return address instanceof Inet6Address ? bytes.getLong() : Integer.toUnsignedLong(bytes.getInt());
    }

    /** Whether two addresses of one family have the same first bits. */
    public static boolean haveSamePrefix(byte[] one, byte[] other, int bits) {
        if (one.length != other.length) {
            return false;
        }
        int whole = bits / 8;
        for (int i = 0; i < whole; i++) {
            if (one[i] != other[i]) {
                return false;
            }
        }
        int rest = bits % 8;
        return rest == 0 || (one[whole] ^ other[whole]) >> 8 - rest == 0;
    }

    private static boolean isIpv6Like(String text) {
        if (text.indexOf(':') < 0 || text.length() > LONGEST_IPV6) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c > 'f' || c != ':' && c != '.' && Character.digit(c, 16) < 0) {
                return false;
            }
        }
        return true;
    }

    private static byte @Nullable [] ipv4(String text) {
        byte[] bytes = new byte[IPV4_BYTES];
        int at = 0;
        for (int i = 0; i < IPV4_BYTES; i++) {
            int start = at;
            int number = 0;
            while (at < text.length() && at < start + 3 && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
                number = number * 10 + text.charAt(at) - '0';
                at++;
            }
            boolean octal = at > start + 1 && text.charAt(start) == '0'; // for some readers
            boolean ends = i == IPV4_BYTES - 1 ? at == text.length() : at < text.length() && text.charAt(at) == '.';
            if (at == start || number > 255 || octal || !ends) {
                return null;
            }
            bytes[i] = (byte) number;
            at++;
        }
        return bytes;
    }
}
