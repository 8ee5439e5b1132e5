package io.millau.server;

import io.millau.core.testing.Fuzz;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.Random;

/** A client with a loopback address of its own, by which its requests are found at a service. */
final class NumberedClient implements Closeable {

    /** The client stops sending after this time without a byte; nothing but coverage depends on it. */
    private static final int QUIET_MILLIS = 60;

    private final Socket socket = new Socket();

    NumberedClient(int number, int port) throws IOException {
        socket.bind(new InetSocketAddress(address(number), 0));
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(QUIET_MILLIS);
    }

    private static InetAddress address(int client) throws IOException {
        int number = Math.floorMod(client, 1 << 20);
        return InetAddress.getByAddress(new byte[] {
            127, (byte) (1 + (number >> 14)), (byte) (1 + (number >> 7 & 127)), (byte) (1 + (number & 127))
        });
    }

    /** Its address; numbers far apart share one. */
    static String addressOf(int client) throws IOException {
        return address(client).getHostAddress();
    }

    /** The connection, for a client of another protocol. */
    Socket socket() {
        return socket;
    }

    /** Sends all bytes, at once or in pieces. */
    void send(byte[] bytes, Random random) throws IOException {
        int from = 0;
        for (int cut : random.nextBoolean() ? List.of(bytes.length) : Fuzz.cuts(bytes.length, random)) {
            socket.getOutputStream().write(bytes, from, cut - from);
            from = cut;
        }
    }

    /** What is received; the client stops sending when nothing comes any more. */
    InputStream in() {
        return new BufferedInputStream(new Received());
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }

    private final class Received extends InputStream {
        private boolean ended;

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] to, int offset, int length) throws IOException {
            try {
                return socket.getInputStream().read(to, offset, length);
            } catch (SocketTimeoutException e) {
                if (ended) {
                    throw new AssertionError("the connection does not end", e);
                }
                ended = true;
                socket.setSoTimeout(30_000);
                socket.shutdownOutput();
                return socket.getInputStream().read(to, offset, length);
            }
        }
    }
}
