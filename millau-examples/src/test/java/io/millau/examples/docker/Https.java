package io.millau.examples.docker;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Asks where a proxy answers by HTTPS, whoever vouches for its certificate: to see which one it is.
 *
 * @param status of the answer
 * @param certificate that was shown
 */
record Https(int status, X509Certificate certificate) {

    private static final int PATIENCE_MS = 30_000;

    /** One request, on a connection of its own. */
    static Https get(Front front, String hostName) throws IOException {
        try (Socket plain = new Socket(front.host(), front.port());
                SSLSocket socket = (SSLSocket)
                        trustingAll().getSocketFactory().createSocket(plain, hostName, front.port(), true)) {
            socket.setSoTimeout(PATIENCE_MS);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName(hostName)));
            socket.setSSLParameters(parameters);
            socket.getOutputStream()
                    .write(("GET / HTTP/1.1\r\nHost: " + hostName + "\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!answer.startsWith("HTTP/1.1 ")) {
                throw new IOException("expected an answer of HTTP/1.1, not " + answer);
            }
            return new Https(Integer.parseInt(answer.substring(9, 12)), (X509Certificate)
                    socket.getSession().getPeerCertificates()[0]);
        }
    }

    private static SSLContext trustingAll() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new TrustAll()}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
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
