package io.millau.testing;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes HTTP/1.1 on a socket with blocking I/O, so that tests see each byte. One thread may read while another
 * one writes.
 *
 * <pre>{@code
 * try (Socket socket = new Socket("127.0.0.1", millau.port())) {
 *     Wire wire = new Wire(socket);
 *     wire.send("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n");
 *     Message response = wire.readBody(wire.readHead(), false);
 *     assert response.status() == 200 : response;
 * }
 * }</pre>
 */
public final class Wire {

    private final InputStream in;
    private final OutputStream out;

    /** For a connected socket, which the caller closes. */
    public Wire(Socket socket) throws IOException {
        this(socket, socket.getInputStream());
    }

    /** @param in reads from the socket */
    Wire(Socket socket, InputStream in) throws IOException {
        this.in = new BufferedInputStream(in);
        out = socket.getOutputStream();
        socket.setTcpNoDelay(true);
    }

    /** Sends one byte for each character. */
    public void send(String bytes) throws IOException {
        out.write(bytes.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    /** The incoming bytes. */
    public InputStream in() {
        return in;
    }

    /** The outgoing bytes. */
    public OutputStream out() {
        return out;
    }

    /** Reads a head; null if the connection ends before the first byte. */
    public @Nullable Message readHead() throws IOException {
        String start = readLine();
        if (start == null) {
            return null;
        }
        List<String> fields = new ArrayList<>();
        for (String line = readLine(); !"".equals(line); line = readLine()) {
            if (line == null) {
                throw new EOFException("connection ended within a head");
            }
            fields.add(line);
        }
        return new Message(start, fields, "");
    }

    /**
     * Reads the body that follows a head.
     *
     * @param untilClose whether a message without a length lasts until the connection ends
     * @return the message with its body
     * @throws EOFException if the connection ends before the body does
     */
    public Message readBody(Message head, boolean untilClose) throws IOException {
        if (head.field("Transfer-Encoding") != null) {
            return head.withBody(readChunks());
        }
        String length = head.field("Content-Length");
        if (length != null) {
            return head.withBody(readExactly(Integer.parseInt(length)));
        }
        return untilClose ? head.withBody(readToEnd()) : head;
    }

    private String readChunks() throws IOException {
        StringBuilder body = new StringBuilder();
        for (int size = readSize(); size > 0; size = readSize()) {
            body.append(readExactly(size));
            readLine();
        }
        for (String line = readLine(); !"".equals(line); line = readLine()) {
            if (line == null) {
                throw new EOFException("connection ended within trailers");
            }
            body.append("\ntrailer ").append(line);
        }
        return body.toString();
    }

    private int readSize() throws IOException {
        String line = readLine();
        if (line == null) {
            throw new EOFException("connection ended within a chunked body");
        }
        return Integer.parseInt(line.split(";")[0].strip(), 16);
    }

    /** Reads exactly this many bytes. */
    public String readExactly(int length) throws IOException {
        byte[] bytes = in.readNBytes(length);
        if (bytes.length < length) {
            throw new EOFException("connection ended after " + bytes.length + " of " + length + " bytes");
        }
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** Reads until the other side ends the connection. */
    public String readToEnd() throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }

    /** Reads a line without its end; null if the connection ends before the first byte. */
    public @Nullable String readLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                if (line.size() == 0) {
                    return null;
                }
                throw new EOFException("connection ended within a line: " + line);
            }
            if (b != '\r') {
                line.write(b);
            }
        }
        return line.toString(StandardCharsets.ISO_8859_1);
    }
}
