package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code DOCKER_TLS_VERIFY}: mutual TLS between the engine and Millau. */
class DockerTlsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    private Path folder;

    /** A self-signed certificate with its key. */
    private KeyStore certificate(String name, String subjectAlternative) throws Exception {
        Path store = folder.resolve(name + ".p12");
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        name,
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=" + name,
                        "-ext",
                        "san=" + subjectAlternative,
                        "-ext",
                        "bc=ca:true",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        "secret")
                .inheritIO()
                .start();
        assertThat(keytool.waitFor()).isZero();
        return KeyStore.getInstance(store.toFile(), "secret".toCharArray());
    }

    private static String pem(String type, byte[] der) {
        return "-----BEGIN " + type + "-----\n" + Base64.getMimeEncoder().encodeToString(der) + "\n-----END " + type
                + "-----\n";
    }

    /** A folder for {@code DOCKER_CERT_PATH}: the own key and certificate, and the peer's certificate as CA. */
    private Path certificates(String name, KeyStore own, KeyStore others) throws Exception {
        Path certificates = Files.createDirectory(folder.resolve(name));
        String ownAlias = own.aliases().nextElement();
        Files.writeString(
                certificates.resolve("ca.pem"),
                pem(
                        "CERTIFICATE",
                        others.getCertificate(others.aliases().nextElement()).getEncoded()));
        Files.writeString(
                certificates.resolve("cert.pem"),
                pem("CERTIFICATE", own.getCertificate(ownAlias).getEncoded()));
        Files.writeString(
                certificates.resolve("key.pem"),
                pem("PRIVATE KEY", own.getKey(ownAlias, "secret".toCharArray()).getEncoded()));
        return certificates;
    }

    /** An engine that requires a client certificate. */
    private static HttpsServer engine(Path certificates) throws IOException {
        HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        SSLContext context = ClientTls.context(certificates);
        server.setHttpsConfigurator(new HttpsConfigurator(context) {
            @Override
            public void configure(HttpsParameters parameters) {
                SSLParameters ssl = context.getDefaultSSLParameters();
                ssl.setNeedClientAuth(true);
                parameters.setSSLParameters(ssl);
            }
        });
        server.createContext(
                "/",
                exchange -> FakeEngine.send(
                        exchange, 200, '"' + exchange.getRequestURI().getPath() + '"'));
        server.start();
        return server;
    }

    @Test
    void bothSidesVerifyEachOther() throws Exception {
        KeyStore engineKey = certificate("engine", "ip:127.0.0.1");
        KeyStore clientKey = certificate("client", "dns:client");
        KeyStore strangerKey = certificate("stranger", "ip:127.0.0.1");
        HttpsServer engine = engine(certificates("of-engine", engineKey, clientKey));
        try {
            URI host = URI.create("tcp://127.0.0.1:" + engine.getAddress().getPort());
            SSLContext client = ClientTls.context(certificates("of-client", clientKey, engineKey));
            try (DockerApi api = new DockerApi(host, client, PATIENCE)) {
                assertThat(api.get("/info").asText()).isEqualTo("/info");
            }

            SSLContext wary = ClientTls.context(certificates("of-wary", clientKey, strangerKey));
            try (DockerApi api = new DockerApi(host, wary, PATIENCE)) {
                assertThatThrownBy(() -> api.get("/info")).isInstanceOf(SSLException.class);
            }

            SSLContext stranger = ClientTls.context(certificates("of-stranger", strangerKey, engineKey));
            try (DockerApi api = new DockerApi(host, stranger, PATIENCE)) {
                assertThatThrownBy(() -> api.get("/info")).isInstanceOf(IOException.class);
            }
        } finally {
            engine.stop(0);
        }
    }

    @Test
    void aCertificateForAnotherNameIsRejected() throws Exception {
        KeyStore engineKey = certificate("engine", "dns:elsewhere.example");
        KeyStore clientKey = certificate("client", "dns:client");
        HttpsServer engine = engine(certificates("of-engine", engineKey, clientKey));
        try {
            SSLContext client = ClientTls.context(certificates("of-client", clientKey, engineKey));
            URI host = URI.create("tcp://127.0.0.1:" + engine.getAddress().getPort());
            try (DockerApi api = new DockerApi(host, client, PATIENCE)) {
                assertThatThrownBy(() -> api.get("/info")).isInstanceOf(SSLException.class);
            }
        } finally {
            engine.stop(0);
        }
    }
}
