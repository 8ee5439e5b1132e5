package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClientTlsTest {

    @TempDir
    private Path folder;

    private Path pem(String type, byte[] der) throws IOException {
        return Files.writeString(
                folder.resolve("key.pem"),
                "-----BEGIN " + type + "-----\n"
                        + Base64.getMimeEncoder().encodeToString(der)
                        + "\n-----END " + type + "-----\n");
    }

    private static PrivateKey key(String algorithm, int size) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
        generator.initialize(size);
        return generator.generateKeyPair().getPrivate();
    }

    @ParameterizedTest
    @CsvSource({"RSA, 2048", "EC, 256"})
    void readsKeysOfCurrentOpenssl(String algorithm, int size) throws Exception {
        PrivateKey key = key(algorithm, size);
        assertThat(ClientTls.privateKey(pem("PRIVATE KEY", key.getEncoded()))).isEqualTo(key);
    }

    @Test
    void readsRsaKeysOfOldOpenssl() throws Exception {
        PrivateKey key = key("RSA", 2048);
        byte[] pkcs8 = key.getEncoded();
        // Skips the 26 bytes that say that it is an RSA key.
        byte[] pkcs1 = Arrays.copyOfRange(pkcs8, 26, pkcs8.length);
        assertThat(ClientTls.privateKey(pem("RSA PRIVATE KEY", pkcs1))).isEqualTo(key);
    }

    @Test
    void rejectsOtherKeysAndSaysHowToConvertThem() throws Exception {
        Path file = pem("EC PRIVATE KEY", new byte[40]);
        assertThatThrownBy(() -> ClientTls.privateKey(file)).hasMessageContaining("openssl pkcs8 -topk8 -nocrypt");
    }

    @Test
    void rejectsAFolderWithoutCertificatesWithAHint() {
        assertThatThrownBy(() -> DockerSource.at("tcp://engine").withTls(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(folder.toString())
                .hasMessageContaining("ca.pem, cert.pem and key.pem");
    }
}
