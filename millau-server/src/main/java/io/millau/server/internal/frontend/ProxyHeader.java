package io.millau.server.internal.frontend;

import io.millau.core.internal.IpAddresses;
import io.millau.core.internal.Words;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The header of the PROXY protocol, version 1 or 2, as HAProxy's <i>The PROXY protocol</i> describes it. With it a proxy that
 * forwards bytes tells the addresses of the connection that it accepted. Immutable.
 *
 * @param peer the client's address
 * @param local the address that the client connected to
 * @param tls whether the proxy says that it ended the client's TLS
 */
record ProxyHeader(InetSocketAddress peer, InetSocketAddress local, boolean tls) {

    /** The longest header that is accepted; those of version 1 are at most 107 bytes long. */
    static final int MAX_BYTES = 4096;

    private static final byte[] VERSION_1 = "PROXY ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] VERSION_2 = "\r\n\r\n\0\r\nQUIT\n".getBytes(StandardCharsets.US_ASCII);
    private static final int MAX_BYTES_1 = 107;
    private static final int FIXED_BYTES_2 = 16;
    private static final int PROXY = 1;
    private static final int TCP_IPV4 = 0x11;
    private static final int TCP_IPV6 = 0x21;
    private static final int TLV_SSL = 0x20;
    private static final int CLIENT_SSL = 1;
    private static final int HTTPS_PORT = 443;

    /** Whether the client uses HTTPS: its port tells where the header can't. */
    boolean isSecure() {
        return tls || local.getPort() == HTTPS_PORT;
    }

    /**
     * How many bytes of the header are surely missing; 0 if it is complete.
     *
     * @param received the first bytes of the connection; at most those of the header
     */
    static int missing(ByteBuffer received) throws ProtocolException {
        int count = received.limit();
        if (count == 0) {
            return VERSION_2.length; // each header is longer
        }
        if (begins(received, VERSION_2)) {
            if (count < FIXED_BYTES_2) {
                return FIXED_BYTES_2 - count;
            }
            int length = FIXED_BYTES_2 + Short.toUnsignedInt(received.getShort(14));
            if (length > MAX_BYTES) {
                throw new ProtocolException("PROXY header of " + length + " bytes, expected at most " + MAX_BYTES);
            }
            return length - count;
        }
        if (!begins(received, VERSION_1)) {
            throw new ProtocolException("no PROXY header, expected one from this peer (PROXY_PROTOCOL)");
        }
        if (count > 1 && received.get(count - 2) == '\r' && received.get(count - 1) == '\n') {
            return 0;
        }
        if (count >= MAX_BYTES_1) {
            throw new ProtocolException("PROXY header without an end, expected at most " + MAX_BYTES_1 + " bytes");
        }
        return count > 0 && received.get(count - 1) == '\r' ? 1 : 2;
    }

    /** Whether what was received is the beginning of something, or begins with it. */
    private static boolean begins(ByteBuffer received, byte[] with) {
        for (int i = 0; i < with.length && i < received.limit(); i++) {
            if (received.get(i) != with[i]) {
                return false;
            }
        }
        return true;
    }

    /**
     * Reads a complete header.
     *
     * @return null if it says nothing of a client: a health check of the proxy for instance
     */
    static @Nullable ProxyHeader parse(ByteBuffer complete) throws IOException {
        return complete.get(0) == VERSION_1[0] ? version1(complete) : version2(complete);
    }

    private static @Nullable ProxyHeader version1(ByteBuffer complete) throws IOException {
        String line = StandardCharsets.ISO_8859_1
                .decode(complete.slice(0, complete.limit() - 2))
                .toString();
        String[] words = line.split(" ", -1);
        if (words[1].equals("UNKNOWN")) {
            return null;
        }
        if (words.length == 6 && (words[1].equals("TCP4") || words[1].equals("TCP6"))) {
            InetSocketAddress peer = address(words[2], words[4]);
            InetSocketAddress local = address(words[3], words[5]);
            if (peer != null && local != null) {
                return new ProxyHeader(peer, local, false);
            }
        }
        throw new ProtocolException("PROXY header \"" + Words.shown(line)
                + "\", expected one like PROXY TCP4 192.0.2.1 192.0.2.2 50000 443");
    }

    private static @Nullable InetSocketAddress address(String host, String port) {
        InetAddress address = IpAddresses.parse(host);
        boolean fits = port.matches("[0-9]{1,5}") && Integer.parseInt(port) <= 65_535;
        return address == null || !fits ? null : new InetSocketAddress(address, Integer.parseInt(port));
    }

    private static @Nullable ProxyHeader version2(ByteBuffer complete) throws IOException {
        int command = complete.get(12);
        int family = complete.get(13);
        if (command >> 4 != 2 || (command & 0xf) > PROXY) {
            throw new ProtocolException(
                    String.format("PROXY header with version and command 0x%02X, expected 0x20 or 0x21", command));
        }
        boolean isTcp = family == TCP_IPV4 || family == TCP_IPV6;
        if ((command & 0xf) != PROXY || !isTcp) {
            return null;
        }
        int addressBytes = family == TCP_IPV4 ? 4 : 16;
        ByteBuffer rest = complete.slice(FIXED_BYTES_2, complete.limit() - FIXED_BYTES_2);
        if (rest.remaining() < 2 * (addressBytes + 2)) {
            throw new ProtocolException("PROXY header with " + rest.remaining() + " bytes of addresses, expected "
                    + 2 * (addressBytes + 2));
        }
        InetAddress peer = address(rest, addressBytes);
        InetAddress local = address(rest, addressBytes);
        int peerPort = Short.toUnsignedInt(rest.getShort());
        int localPort = Short.toUnsignedInt(rest.getShort());
        return new ProxyHeader(
                new InetSocketAddress(peer, peerPort), new InetSocketAddress(local, localPort), saysTls(rest));
    }

    private static InetAddress address(ByteBuffer from, int length) throws IOException {
        byte[] bytes = new byte[length];
        from.get(bytes);
        return InetAddress.getByAddress(bytes);
    }

    private static boolean saysTls(ByteBuffer extensions) throws ProtocolException {
        while (extensions.remaining() >= 3) {
            int type = extensions.get();
            int length = Short.toUnsignedInt(extensions.getShort());
            if (length > extensions.remaining()) {
                throw new ProtocolException(
                        "PROXY header with " + extensions.remaining() + " bytes of an extension, expected " + length);
            }
            if (type == TLV_SSL && length > 0) {
                return (extensions.get() & CLIENT_SSL) != 0;
            }
            extensions.position(extensions.position() + length);
        }
        return false;
    }
}
