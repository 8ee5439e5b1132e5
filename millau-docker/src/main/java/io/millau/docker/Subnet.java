package io.millau.docker;

import io.millau.core.internal.IpAddresses;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * An address with the prefix length of its network. Immutable.
 *
 * @param address of a host in the network, or of the network itself
 * @param prefix in bits
 */
record Subnet(InetAddress address, int prefix) {

    /** @throws IllegalArgumentException if the prefix is longer than the address, or less than none */
    Subnet {
        int bits = address.getAddress().length * 8;
        if (prefix < 0 || prefix > bits) {
            throw new IllegalArgumentException(
                    IpAddresses.text(address) + "/" + prefix + ": expected a prefix length from 0 to " + bits);
        }
    }

    /** Parses text like {@code 10.0.1.3/24}. */
    static Subnet of(String text) {
        int slash = text.lastIndexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException(
                    text + ": expected an address with its prefix length, for example 10.0.1.3/24");
        }
        return new Subnet(literal(text.substring(0, slash)), Integer.parseInt(text.substring(slash + 1)));
    }

    /** Parses an address without a DNS look-up: {@code cafe} would be a name to Java. */
    static InetAddress literal(String text) {
        InetAddress address = IpAddresses.parse(text);
        if (address == null) {
            throw new IllegalArgumentException(text + ": expected an IP address");
        }
        return address;
    }

    boolean contains(InetAddress other) {
        return IpAddresses.haveSamePrefix(address.getAddress(), other.getAddress(), prefix);
    }

    /** The address of the network itself. */
    Subnet network() {
        byte[] bytes = address.getAddress();
        for (int bit = prefix; bit < bytes.length * 8; bit++) {
            bytes[bit / 8] &= (byte) ~(0x80 >> (bit % 8));
        }
        return new Subnet(bytes(bytes), prefix);
    }

    /** The first address of the network: Docker's default for a bridge's gateway. */
    InetAddress first() {
        byte[] bytes = network().address.getAddress();
        bytes[bytes.length - 1] |= 1;
        return bytes(bytes);
    }

    private static InetAddress bytes(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("the length is right", e);
        }
    }

    @Override
    public String toString() {
        // Java appends the interface's name to local IPv6 addresses.
        return address.getHostAddress().replaceFirst("%.*", "") + "/" + prefix;
    }
}
