package io.millau.docker;

import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;

/**
 * The addresses of the machine or container that this process runs in, without loopback and link-local ones. Immutable.
 */
record Interfaces(List<Own> all) {

    /** One of the addresses. */
    record Own(String device, Subnet subnet) {}

    static Interfaces current() {
        List<Own> found = new ArrayList<>();
        try {
            Enumeration<NetworkInterface> devices = NetworkInterface.getNetworkInterfaces();
            while (devices.hasMoreElements()) {
                NetworkInterface device = devices.nextElement();
                for (InterfaceAddress address : device.getInterfaceAddresses()) {
                    InetAddress ip = address.getAddress();
                    int prefix = address.getNetworkPrefixLength(); // negative where Java does not know it
                    if (!ip.isLoopbackAddress() && !ip.isLinkLocalAddress() && prefix >= 0) {
                        found.add(new Own(device.getName(), new Subnet(ip, prefix)));
                    }
                }
            }
        } catch (SocketException e) {
            throw new IllegalStateException("The system's own network interfaces can't be listed", e);
        }
        return new Interfaces(List.copyOf(found));
    }

    /** For tests: fixed addresses, for example {@code 10.0.1.9/24}. */
    static Interfaces of(String... addresses) {
        List<Own> own = new ArrayList<>();
        for (String address : addresses) {
            own.add(new Own("eth" + own.size(), Subnet.of(address)));
        }
        return new Interfaces(List.copyOf(own));
    }

    /** Whether an address is in the subnet of an interface. */
    boolean sharesSubnetWith(InetAddress address) {
        return all.stream().anyMatch(own -> own.subnet().contains(address));
    }

    /** Whether an address is one of these. */
    boolean hasAddress(InetAddress address) {
        return all.stream().anyMatch(own -> own.subnet().address().equals(address));
    }
}
