package io.millau.server.cli;

import io.millau.core.Endpoint;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Asks an instance for anything, to see whether it answers: any response in its protocol counts. Certificates are not verified, since
 * nothing of worth is sent. Pure functions.
 */
final class InstanceProbe {

    private static final int CONNECT_MILLIS = 1_000;
    private static final int RESPONSE_MILLIS = 5_000;

    /** The preface of HTTP/2, and empty settings, to which the server responds with its own (RFC 9113, 3.4). */
    private static final String HTTP2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";

    private static final int SETTINGS = 4;

    private InstanceProbe() {}

    /** Why it does not answer; null if it does. */
    static @Nullable String failure(URI instance, String host, String path) {
        boolean http2 = instance.getScheme().equals(Endpoint.H2C);
        String request = http2
                ? HTTP2
                : "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: millau\r\nConnection: close\r\n\r\n";
        String address = instance.getHost().replaceAll("[\\[\\]]", "");
        try (Socket plain = new Socket()) {
            plain.connect(new InetSocketAddress(address, instance.getPort()), CONNECT_MILLIS);
            plain.setSoTimeout(RESPONSE_MILLIS);
            Socket socket = instance.getScheme().equals(Endpoint.HTTPS) ? secured(plain, host) : plain;
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return http2 ? http2Failure(socket.getInputStream()) : http1Failure(socket.getInputStream());
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static @Nullable String http1Failure(InputStream in) throws IOException {
        byte[] start = in.readNBytes(5);
        return new String(start, StandardCharsets.ISO_8859_1).equals("HTTP/")
                ? null
                : start.length == 0 ? "it closed the connection" : "its response is not HTTP";
    }

    private static @Nullable String http2Failure(InputStream in) throws IOException {
        byte[] frame = in.readNBytes(9);
        return frame.length == 9 && frame[3] == SETTINGS ? null : "its response is not HTTP/2";
    }

    private static Socket secured(Socket plain, String host) throws IOException, GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new Anybody()}, null);
        return context.getSocketFactory().createSocket(plain, host, plain.getPort(), true);
    }

    private static final class Anybody implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
