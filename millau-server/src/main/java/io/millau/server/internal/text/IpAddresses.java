package io.millau.server.internal.text;

import java.net.Inet6Address;
import java.net.InetAddress;

/** IP addresses as text. Pure functions. */
public final class IpAddresses {

    private static final int GROUPS = 8;

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
}
