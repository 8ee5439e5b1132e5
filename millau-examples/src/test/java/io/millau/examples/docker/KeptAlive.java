package io.millau.examples.docker;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A client with one connection that stays open from request to request. It repeats nothing, unlike most clients: a
 * request that is lost is seen. For one thread at a time.
 */
final class KeptAlive implements AutoCloseable {

    private static final int PATIENCE_MS = 30_000;

    private final Socket socket = new Socket();
    private final InputStream in;

    KeptAlive(InetSocketAddress address) throws IOException {
        socket.setSoTimeout(PATIENCE_MS);
        socket.setTcpNoDelay(true);
        socket.connect(address, PATIENCE_MS);
        in = new BufferedInputStream(socket.getInputStream());
    }

    Answer get(String host, String path) throws IOException {
        return exchange("GET", host, path, new byte[0]);
    }

    Answer post(String host, String path, byte[] body) throws IOException {
        return exchange("POST", host, path, body);
    }

    private Answer exchange(String method, String host, String path, byte[] body) throws IOException {
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(
                (method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        if (body.length > 0) {
            request.writeBytes(("Content-Length: " + body.length + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        }
        request.writeBytes("\r\n".getBytes(StandardCharsets.ISO_8859_1));
        request.writeBytes(body);
        socket.getOutputStream().write(request.toByteArray());
        try {
            return read();
        } catch (SocketTimeoutException e) {
            throw new IOException("no answer within " + PATIENCE_MS + " ms", e);
        }
    }

    private Answer read() throws IOException {
        String[] first = line().split(" ", 3);
        Map<String, String> headers = new HashMap<>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            String[] header = line.split(": *", 2);
            headers.put(header[0].toLowerCase(Locale.ROOT), header[1]);
        }
        byte[] body = "chunked".equals(headers.get("transfer-encoding"))
                ? chunks()
                : bytes(headers.get("content-length"), 10);
        return new Answer(Integer.parseInt(first[1]), headers, new String(body, StandardCharsets.UTF_8));
    }

    private byte[] chunks() throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        byte[] chunk;
        do {
            chunk = bytes(line(), 16);
            body.writeBytes(chunk);
            if (!line().isEmpty()) {
                throw new IOException("a chunk that is longer than it says, or a trailer");
            }
        } while (chunk.length > 0);
        return body.toByteArray();
    }

    private byte[] bytes(@Nullable String length, int radix) throws IOException {
        if (length == null) {
            throw new IOException("an answer without a length");
        }
        byte[] bytes = in.readNBytes(Integer.parseInt(length, radix));
        if (bytes.length < Integer.parseInt(length, radix)) {
            throw new EOFException(bytes.length + " bytes of " + length);
        }
        return bytes;
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("the connection was closed after \"" + line + "\"");
            }
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
