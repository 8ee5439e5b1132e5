package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Certificate;
import io.millau.core.testing.Fuzz;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What stands in PEM is read and can be written again, or is refused without being shown. */
class PemFuzzTest {

    private interface Read {
        void run();
    }

    @Test
    void whatIsReadCanBeWrittenAndReadAgain() throws Exception {
        Fuzz.of(
                        "pem",
                        "-----BEGIN CERTIFICATE-----\n",
                        "-----END CERTIFICATE-----\n",
                        "-----BEGIN PRIVATE KEY-----\n",
                        "-----BEGIN EC PRIVATE KEY-----\n",
                        "-----END EC PRIVATE KEY-----\n",
                        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
                        "MIIB",
                        "MII/////",
                        "AAAA",
                        "////",
                        "=",
                        "\n")
                .check((input, random) -> {
                    String text = new String(input, StandardCharsets.ISO_8859_1);
                    refuses(text, () -> {
                        PrivateKey key = Pem.privateKey(text);
                        assertThat(Pem.privateKey(Pem.text(key))).isEqualTo(key);
                    });
                    refuses(text, () -> {
                        List<X509Certificate> chain = Pem.certificates(text);
                        assertThat(Pem.certificates(Pem.text(chain))).isEqualTo(chain);
                    });
                    refuses(text, () -> {
                        Certificate certificate = Certificate.parse(text, text);
                        assertThat(certificate.issuer()).isNotNull();
                        assertThat(certificate.expires()).isNotNull();
                    });
                    refuses(text, () -> Pem.certificates(Pem.fromBase64(text)));
                    refuses(text, () -> {
                        ByteBuffer bytes = ByteBuffer.wrap(input);
                        Der.Value value = Der.Value.read(bytes);
                        assertThat(value.content().remaining()).isLessThanOrEqualTo(input.length - 2);
                        assertThat(Der.Value.read(ByteBuffer.wrap(value.bytes())))
                                .isEqualTo(value);
                    });
                });
    }

    private static void refuses(String text, Read read) {
        try {
            read.run();
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            assertThat(message).as("a reason").isNotBlank().isNotEqualTo("null");
            for (String line : text.split("\n")) {
                assertThat(line.length() > 30 && !line.startsWith("-----") && message.contains(line))
                        .as("a secret in the message: " + message)
                        .isFalse();
            }
        }
    }
}
