package io.millau.examples.docker;

import io.millau.core.testing.TrustAll;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

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
                        TrustAll.context().getSocketFactory().createSocket(plain, hostName, front.port(), true)) {
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
}
