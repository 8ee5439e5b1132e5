package io.millau.server.internal.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.Set;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.Test;

class ClientHelloTest {

    @Test
    void serverNameProtocolsAndKeyTypesAreRead() throws Exception {
        ClientHello hello = ClientHello.read(ByteBuffer.wrap(hello("Shop.Example", "h2", "http/1.1")));

        assertThat(hello).isEqualTo(new ClientHello("shop.example", List.of("h2", "http/1.1"), Set.of("RSA", "EC")));
        assertThat(hello.offers("h2")).isTrue();
        assertThat(hello.offers("acme-tls/1")).isFalse();
    }

    @Test
    void anIncompleteHelloIsNotRead() throws Exception {
        byte[] hello = hello("shop.example");
        for (int length = 0; length < hello.length; length++) {
            assertThat(ClientHello.read(ByteBuffer.wrap(hello, 0, length))).isNull();
        }
    }

    @Test
    void itMayArriveInRecordsOfAnySize() throws Exception {
        byte[] hello = hello("shop.example", "h2");
        for (int size : new int[] {1, 3, 4, 5, 100, 1000}) {
            ByteBuffer records = ByteBuffer.allocate(hello.length * 6);
            for (int at = 5; at < hello.length; at += size) {
                int length = Math.min(size, hello.length - at);
                records.put(new byte[] {22, 3, 1, (byte) (length >> 8), (byte) length})
                        .put(hello, at, length);
            }
            assertThat(ClientHello.read(records.flip()).serverName()).isEqualTo("shop.example");
        }
    }

    /** A client may send on at once (RFC 8446, 2.3); its name was lost then. */
    @Test
    void recordsAfterTheHelloDoNotBelongToIt() throws Exception {
        byte[] hello = hello("shop.example", "h2");
        ByteBuffer records = ByteBuffer.allocate(hello.length + 20);
        records.put(hello).put(new byte[] {20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 2, 'a', 'b'});

        assertThat(ClientHello.read(records.flip()).serverName()).isEqualTo("shop.example");
    }

    @Test
    void anUnreadableHelloIsLeftToTheTlsEngine() throws Exception {
        byte[] hello = hello("shop.example", "h2");
        byte[] http = "GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        assertThat(ClientHello.read(ByteBuffer.wrap(http))).isSameAs(ClientHello.UNREADABLE);
        assertThat(ClientHello.read(endless())).isSameAs(ClientHello.UNREADABLE);

        Random random = new Random(1);
        for (int i = 0; i < 10_000; i++) {
            byte[] damaged = hello.clone();
            damaged[5 + random.nextInt(damaged.length - 5)] = (byte) random.nextInt();
            ClientHello.read(ByteBuffer.wrap(damaged)); // any result is fine, but no exception
        }
    }

    /** The beginning of a hello longer than any client sends. */
    private static ByteBuffer endless() {
        ByteBuffer records = ByteBuffer.allocate(20 * 1024);
        records.put(new byte[] {22, 3, 1, 63, (byte) 0xff, 1, 0, 64, 0});
        return records.limit(records.capacity()).position(0);
    }

    private static byte[] hello(String serverName, String... protocols) throws Exception {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine();
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setServerNames(List.of(new SNIHostName(serverName)));
        parameters.setApplicationProtocols(protocols);
        engine.setSSLParameters(parameters);
        ByteBuffer out = ByteBuffer.allocate(20_000);
        engine.wrap(ByteBuffer.allocate(0), out);
        byte[] bytes = new byte[out.flip().remaining()];
        out.get(bytes);
        return bytes;
    }
}
