package io.millau.server.internal.frontend;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.internal.IpAddresses;
import io.millau.core.testing.Fuzz;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** A PROXY protocol header is read byte by byte, and not one byte too many, or refused; what it says can be said again. */
class ProxyHeaderFuzzTest {

    @Test
    void nothingButTheHeaderIsRead() throws Exception {
        Fuzz.of(
                        "proxy-header",
                        "PROXY ",
                        "TCP4 ",
                        "TCP6 ",
                        "\r\n",
                        "\r",
                        " ",
                        "65536",
                        "::1",
                        "\r\n\r\n\0\r\nQUIT\n",
                        "\u0021\u0011\0\u000c")
                .check((input, random) -> {
                    int length = 0;
                    try {
                        for (int missing = missing(input, 0); missing > 0; missing = missing(input, length)) {
                            length += missing;
                            if (length > input.length) {
                                return;
                            }
                            assertThat(length).isLessThanOrEqualTo(ProxyHeader.MAX_BYTES);
                        }
                        ProxyHeader header = ProxyHeader.parse(ByteBuffer.wrap(input, 0, length));
                        if (header != null) {
                            assertThat(said(header)).isEqualTo(header);
                        }
                    } catch (ProtocolException e) {
                        assertThat(e.getMessage()).startsWith("PROXY header").contains("expected");
                    }
                });
    }

    private static int missing(byte[] input, int received) throws ProtocolException {
        try {
            return ProxyHeader.missing(ByteBuffer.wrap(input, 0, received));
        } catch (ProtocolException e) {
            assertThat(e.getMessage()).contains("PROXY header").contains("expected");
            throw new ProtocolException("PROXY header refused, as expected");
        }
    }

    /** The same header in version 1. */
    private static ProxyHeader said(ProxyHeader header) throws IOException {
        boolean ipv4 = header.peer().getAddress() instanceof Inet4Address
                && header.local().getAddress() instanceof Inet4Address;
        String line = "PROXY " + (ipv4 ? "TCP4 " : "TCP6 ") + text(header.peer()) + " " + text(header.local()) + " "
                + header.peer().getPort() + " " + header.local().getPort() + "\r\n";
        ProxyHeader read = ProxyHeader.parse(ByteBuffer.wrap(line.getBytes(StandardCharsets.US_ASCII)));
        return new ProxyHeader(read.peer(), read.local(), header.tls());
    }

    private static String text(InetSocketAddress address) {
        return IpAddresses.text(address.getAddress());
    }
}
