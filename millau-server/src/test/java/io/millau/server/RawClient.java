package io.millau.server;

import io.millau.testing.Message;
import io.millau.testing.Wire;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;

/** A client on a real socket that sends the bytes a test gives it. */
public final class RawClient implements Closeable {

    /** Longer than any expected wait; ends a test that hangs. */
    private static final int TIMEOUT_MILLIS = 60_000;

    private final Socket socket;
    private final Wire wire;

    public RawClient(int port) throws IOException {
        this(new Socket(InetAddress.getLoopbackAddress(), port));
    }

    /** A client with another address of this machine, {@code 127.0.0.2} for instance. */
    static RawClient from(String address, int port) throws IOException {
        return new RawClient(new Socket(InetAddress.getLoopbackAddress(), port, InetAddress.getByName(address), 0));
    }

    public RawClient(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(TIMEOUT_MILLIS);
        wire = new Wire(socket);
    }

    public Wire wire() {
        return wire;
    }

    Socket socket() {
        return socket;
    }

    public RawClient send(String bytes) throws IOException {
        wire.send(bytes);
        return this;
    }

    /** Sends a GET for the path and reads the response. */
    public Message get(String path) throws IOException {
        return send("GET " + path + " HTTP/1.1\r\nHost: test\r\n\r\n").read();
    }

    /** Reads a response with its body. */
    public Message read() throws IOException {
        Message head = readHead();
        return wire.readBody(head, true);
    }

    /** Reads the head of a response without a body. */
    public Message readHead() throws IOException {
        Message head = wire.readHead();
        if (head == null) {
            throw new AssertionError("connection ended without a response");
        }
        return head;
    }

    /** Whether the connection is at its end; waits for data otherwise. */
    boolean ended() throws IOException {
        return wire.in().read() < 0;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
