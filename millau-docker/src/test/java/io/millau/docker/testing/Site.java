package io.millau.docker.testing;

import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A network namespace for an engine, on a bridge shared by all engines of this JVM. The engines and this JVM can reach each
 * other. There is no route to other networks, so that no image is ever pulled.
 */
final class Site implements AutoCloseable {

    private static final int MOST_ATTEMPTS = 10;

    private static @Nullable Lan lan;
    private static int sites;

    private final Lan on;
    private final int number;

    private Site(Lan on, int number) {
        this.on = on;
        this.number = number;
    }

    /** The bridge, and the number of sites on it. */
    private static final class Lan {
        private final int subnet;
        private int sites;

        Lan(int subnet) {
            this.subnet = subnet;
        }

        String bridge() {
            return "millau" + subnet;
        }

        String address(int host) {
            return "10.213." + subnet + "." + host;
        }
    }

    static synchronized Site open() {
        if (lan == null) {
            lan = buildLan();
        }
        lan.sites++;
        sites++;
        Site site = new Site(lan, 10 + sites % 240);
        site.build();
        return site;
    }

    /** A subnet that is used neither by another JVM's engines nor by leftovers of a killed JVM. */
    private static int freeSubnet() {
        try {
            String used = NetworkInterface.networkInterfaces()
                            .flatMap(NetworkInterface::inetAddresses)
                            .map(address -> address.getHostAddress() + " ")
                            .collect(Collectors.joining())
                    + NetworkInterface.networkInterfaces()
                            .map(NetworkInterface::getName)
                            .collect(Collectors.joining(" ", " ", " "));
            int subnet;
            do {
                subnet = ThreadLocalRandom.current().nextInt(1, 255);
            } while (used.contains("10.213." + subnet + ".") || used.contains(" millau" + subnet + " "));
            return subnet;
        } catch (SocketException e) {
            throw new AssertionError("network interfaces can't be listed", e);
        }
    }

    private static Lan buildLan() {
        Lan lan = addBridge();
        Shell.run("ip", "address", "add", lan.address(1) + "/24", "dev", lan.bridge());
        Shell.run("ip", "link", "set", lan.bridge(), "up");
        // Another engine on this machine may have blocked forwarding between the ports of a bridge.
        forward("-I", lan);
        return lan;
    }

    /** Another JVM may take the subnet in between, but only one of them adds its bridge. */
    private static Lan addBridge() {
        for (int attempts = 1; ; attempts++) {
            Lan lan = new Lan(freeSubnet());
            try {
                Shell.run("ip", "link", "add", lan.bridge(), "type", "bridge");
                return lan;
            } catch (AssertionError e) {
                if (attempts == MOST_ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private static void forward(String change, Lan lan) {
        Shell.attempt(
                List.of("iptables", "-w", change, "FORWARD", "-i", lan.bridge(), "-o", lan.bridge(), "-j", "ACCEPT"),
                Map.of(),
                null);
    }

    private void build() {
        String inside = name() + "i";
        Shell.run("ip", "netns", "add", name());
        Shell.run("ip", "link", "add", outside(), "type", "veth", "peer", "name", inside);
        Shell.run("ip", "link", "set", inside, "netns", name(), "name", "eth0");
        Shell.run("ip", "link", "set", outside(), "master", on.bridge(), "up");
        Shell.run("ip", "-n", name(), "address", "add", address() + "/24", "dev", "eth0");
        Shell.run("ip", "-n", name(), "link", "set", "eth0", "up");
        Shell.run("ip", "-n", name(), "link", "set", "lo", "up");
    }

    String name() {
        return on.bridge() + "-" + number;
    }

    private String outside() {
        return name() + "o";
    }

    String address() {
        return on.address(number);
    }

    /** The address of this JVM's machine on the bridge. */
    String host() {
        return on.address(1);
    }

    /** Whether the required commands and permissions are available. */
    static boolean isPossible() {
        return Files.isDirectory(Path.of("/sys/class/net"))
                && List.of("ip", "nsenter", "unshare").stream().allMatch(Site::isInstalled);
    }

    static boolean isInstalled(String command) {
        return Shell.attempt(List.of("sh", "-c", "command -v \"$0\"", command), Map.of(), null)
                        .status()
                == 0;
    }

    @Override
    public void close() {
        synchronized (Site.class) {
            Shell.attempt(List.of("ip", "link", "delete", outside()), Map.of(), null);
            Shell.attempt(List.of("ip", "netns", "delete", name()), Map.of(), null);
            on.sites--;
            if (on.sites == 0) {
                forward("-D", on);
                Shell.attempt(List.of("ip", "link", "delete", on.bridge()), Map.of(), null);
                lan = null;
            }
        }
    }
}
