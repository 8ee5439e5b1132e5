package io.millau.server.internal.text;

import io.millau.core.internal.IpAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads an address to listen on: {@code 8080}, {@code :8080}, {@code 127.0.0.1:8080} or {@code [::1]:8080}. */
public final class ListenAddress {

    private static final Pattern FORM = Pattern.compile("(?:(\\[[0-9A-Fa-f:.%a-z]+]|[^:\\[\\]\\s]+)?:)?([0-9]{1,5})");

    private ListenAddress() {}

    /** @throws IllegalArgumentException whose message says what was expected */
    public static InetSocketAddress parse(String text) {
        Matcher form = FORM.matcher(text.strip());
        if (!form.matches() || Integer.parseInt(form.group(2)) > 65535) {
            throw new IllegalArgumentException("expected 8080, :8080, 127.0.0.1:8080 or [::1]:8080");
        }
        int port = Integer.parseInt(form.group(2));
        if (form.group(1) == null) {
            return new InetSocketAddress(port);
        }
        try {
            return new InetSocketAddress(InetAddress.getByName(form.group(1)), port);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("expected an address of this machine, " + form.group(1) + " is none", e);
        }
    }

    /** Whether it has the form of an address with the name of a host, which has to be resolved. */
    public static boolean hasName(String text) {
        Matcher form = FORM.matcher(text.strip());
        return form.matches()
                && form.group(1) != null
                && !form.group(1).startsWith("[")
                && IpAddresses.parse(form.group(1)) == null;
    }

    /** Formats an address: {@code :8080} for all local addresses. */
    public static String show(InetSocketAddress address) {
        InetAddress host = address.getAddress();
        if (host == null || host.isAnyLocalAddress()) {
            return ":" + address.getPort();
        }
        String name = host.getHostAddress();
        return (name.indexOf(':') < 0 ? name : "[" + name + "]") + ":" + address.getPort();
    }
}
