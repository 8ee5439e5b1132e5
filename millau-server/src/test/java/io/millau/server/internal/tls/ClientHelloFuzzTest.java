package io.millau.server.internal.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.Fuzz;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** However much of it has arrived, a ClientHello means the same, or more of it is awaited. */
class ClientHelloFuzzTest {

    @Test
    void whatHasArrivedMeansTheSameAsAllOfIt() throws Exception {
        Fuzz.of(
                        "client-hello",
                        "\0\0",
                        "\u0000\u0010",
                        "\u00ff\u00ff",
                        "\u0016\u0003\u0001\0\u0001",
                        "\u0001\0\0\u0004",
                        "h2")
                .check((input, random) -> {
                    ClientHello whole = ClientHello.read(ByteBuffer.wrap(input));
                    for (int length : Fuzz.cuts(input.length, random)) {
                        ClientHello part = ClientHello.read(ByteBuffer.wrap(input, 0, length));
                        assertThat(part == null || part.equals(whole))
                                .as("%s of %d bytes, %s of all %d", part, length, whole, input.length)
                                .isTrue();
                    }
                });
    }
}
