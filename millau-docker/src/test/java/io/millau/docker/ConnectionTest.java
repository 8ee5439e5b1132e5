package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConnectionTest {

    @TempDir
    private Path folder;

    /** Answers the first connection with some text, and closes it. */
    private static URI answering(String text) throws IOException {
        ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread thread = new Thread(() -> {
            try (server;
                    Socket client = server.accept()) {
                client.getInputStream().read(new byte[4096]);
                client.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
            } catch (IOException e) {
                // The test sees it.
            }
        });
        thread.setDaemon(true);
        thread.start();
        return URI.create("tcp://127.0.0.1:" + server.getLocalPort());
    }

    private static String body(URI host) throws IOException {
        try (Connection connection = new Connection(host, null)) {
            return new String(connection.get("/x").body().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "HTTP/1.1 200 OK~~all of it|all of it",
                "HTTP/1.0 200~Content-Length: 2~~{}|{}",
                "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~3~abc~A;x=y~0123456789~0~~|abc0123456789",
                "HTTP/1.1 200 OK~transfer-encoding:gzip, Chunked ~~0~~|''"
            })
    void readsWhatItIsAnswered(String answer, String body) throws IOException {
        assertThat(body(answering(answer.replace("~", "\r\n")))).isEqualTo(body);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "SSH-2.0-OpenSSH~",
                "HTTP/2 200~~",
                "HTTP/1.1 99 ~~",
                "HTTP/1.1 200 OK~Server: x",
                "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~5~abc",
                "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~x~abc"
            })
    void anythingElseIsAnError(String answer) throws IOException {
        URI host = answering(answer.replace("~", "\r\n"));
        assertThatThrownBy(() -> body(host)).isInstanceOfAny(IOException.class, IllegalArgumentException.class);
    }

    @Test
    void endlessHeadersAreCutOff() throws IOException {
        URI longLine = answering("HTTP/1.1 200 OK\r\nX: " + "x".repeat(10_000));
        assertThatThrownBy(() -> body(longLine)).hasMessageContaining("8192");
        URI manyLines = answering("HTTP/1.1 200 OK\r\n" + "X: x\r\n".repeat(300));
        assertThatThrownBy(() -> body(manyLines)).hasMessageContaining("200 headers");
    }

    // ---- TLS

    /** A certificate that is its own authority. */
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

    /** A folder as {@code DOCKER_CERT_PATH} names it: one's own key, and the certificate of the other side. */
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

    /** An engine that wants a certificate of whoever asks. */
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
                exchange ->
                        FakeEngine.send(exchange, 200, exchange.getRequestURI().getPath()));
        server.start();
        return server;
    }

    @Test
    void bothSidesProveThemselvesOverTls() throws Exception {
        KeyStore engineKey = certificate("engine", "ip:127.0.0.1");
        KeyStore clientKey = certificate("client", "dns:client");
        KeyStore strangerKey = certificate("stranger", "ip:127.0.0.1");
        HttpsServer engine = engine(certificates("of-engine", engineKey, clientKey));
        try {
            URI host = URI.create("tcp://127.0.0.1:" + engine.getAddress().getPort());
            SSLContext client = ClientTls.context(certificates("of-client", clientKey, engineKey));
            try (Connection connection = new Connection(host, client)) {
                assertThat(connection.get("/info").body()).hasContent("/info");
            }

            SSLContext wary = ClientTls.context(certificates("of-wary", clientKey, strangerKey));
            try (Connection connection = new Connection(host, wary)) {
                assertThatThrownBy(() -> connection.get("/info")).isInstanceOf(SSLHandshakeException.class);
            }

            SSLContext stranger = ClientTls.context(certificates("of-stranger", strangerKey, engineKey));
            try (Connection connection = new Connection(host, stranger)) {
                assertThatThrownBy(() -> connection.get("/info").body().readAllBytes())
                        .isInstanceOf(IOException.class);
            }
        } finally {
            engine.stop(0);
        }
    }

    @Test
    void aCertificateForAnotherNameIsRefused() throws Exception {
        KeyStore engineKey = certificate("engine", "dns:elsewhere.example");
        KeyStore clientKey = certificate("client", "dns:client");
        HttpsServer engine = engine(certificates("of-engine", engineKey, clientKey));
        try {
            SSLContext client = ClientTls.context(certificates("of-client", clientKey, engineKey));
            URI host = URI.create("tcp://127.0.0.1:" + engine.getAddress().getPort());
            try (Connection connection = new Connection(host, client)) {
                assertThatThrownBy(() -> connection.get("/info")).isInstanceOf(SSLHandshakeException.class);
            }
        } finally {
            engine.stop(0);
        }
    }

    @Test
    void closingItEndsWhateverItWaitsFor() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Connection connection = new Connection(URI.create("tcp://127.0.0.1:" + silent.getLocalPort()), null);
            Thread waiting = new Thread(() -> {
                try {
                    connection.get("/");
                } catch (IOException e) {
                    // As it should.
                }
            });
            waiting.start();
            await().until(() -> waiting.getState() == Thread.State.RUNNABLE);
            connection.close();
            await().until(() -> !waiting.isAlive());
        }
    }
}
