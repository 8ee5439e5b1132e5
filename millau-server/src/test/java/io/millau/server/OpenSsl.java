package io.millau.server;

import io.millau.core.internal.Pem;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** OpenSSL's client: it reports more than Java's, and its supported algorithms can be restricted. */
final class OpenSsl {

    private OpenSsl() {}

    /** The certificate that a client gets if it supports only these signature algorithms. */
    static X509Certificate certificate(int port, String serverName, String protocol, String signatures)
            throws IOException, InterruptedException {
        return Pem.certificates(handshake(port, serverName, flag(protocol), "-sigalgs", signatures))
                .get(0);
    }

    /** Its output about a handshake. */
    static String handshake(int port, String serverName, String... options) throws IOException, InterruptedException {
        return run("", port, serverName, options);
    }

    /** Resumes a session of the first name with the second name, and sends a request for the second. */
    static String resumeAs(int port, String first, String second, String protocol)
            throws IOException, InterruptedException {
        Path session = Files.createTempFile("session", ".pem");
        try {
            run(request(first), port, first, flag(protocol), "-sess_out", session.toString());
            return run(request(second), port, second, flag(protocol), "-sess_in", session.toString());
        } finally {
            Files.delete(session);
        }
    }

    private static String request(String host) {
        return "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
    }

    private static String flag(String protocol) {
        return protocol.equals("TLSv1.3") ? "-tls1_3" : "-tls1_2";
    }

    private static String run(String input, int port, String serverName, String... options)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of("openssl", "s_client", "-connect", "127.0.0.1:" + port, "-servername", serverName));
        command.addAll(List.of(options));
        if (!input.isEmpty()) {
            command.add("-ign_eof"); // waits for the response
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (OutputStream to = process.getOutputStream()) {
            to.write(input.getBytes(StandardCharsets.US_ASCII));
        }
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("openssl hangs: " + said);
        }
        return said;
    }
}
