package io.millau.server;

import io.millau.core.Certificate;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** Self-signed certificates, and clients that take every one. */
final class TestCertificates {

    private static final String PASSWORD = "secret";

    private TestCertificates() {}

    /** @param keyAlgorithm {@code EC} or {@code RSA} */
    static Certificate selfSigned(String name, String keyAlgorithm) throws Exception {
        Path folder = Files.createTempDirectory("certificate");
        Path store = folder.resolve("store");
        String keytool =
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        String command = "-genkeypair -alias a -keyalg " + keyAlgorithm + " -dname CN=" + name
                + " -storetype PKCS12 -keystore " + store + " -storepass " + PASSWORD;
        ProcessBuilder process = new ProcessBuilder((keytool + " " + command).split(" ")).inheritIO();
        if (process.start().waitFor() != 0) {
            throw new AssertionError("keytool failed");
        }
        KeyStore keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
        Files.delete(store);
        Files.delete(folder);
        return new Certificate((PrivateKey) keys.getKey("a", PASSWORD.toCharArray()), List.of((X509Certificate)
                keys.getCertificate("a")));
    }

    static SSLContext trustingAll() throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new TrustAll()}, null);
        return context;
    }

    private static final class TrustAll extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
