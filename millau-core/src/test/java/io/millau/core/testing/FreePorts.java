package io.millau.core.testing;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.jspecify.annotations.Nullable;

/**
 * Ports for what can't be told "any", such as a program with a configuration file. A port that was bound and given back
 * may be somebody else's a moment later, or be given twice. These are below the range that the kernel takes ports from, and
 * each JVM has blocks of its own: it listens on the first port of a block for as long as it lives. For all threads.
 */
public final class FreePorts {

    private static final int FIRST = 20_000;
    private static final int LAST = 32_000;
    private static final int BLOCK = 100;

    private static @Nullable ServerSocket block;
    private static int next;

    private FreePorts() {}

    /** A port of this machine that nobody listens on, and that no other test gets. */
    public static synchronized int next() {
        while (true) {
            if (block == null || next == block.getLocalPort() + BLOCK) {
                block = takeBlock();
                next = block.getLocalPort() + 1;
            }
            int port = next++;
            if (isFree(port)) {
                return port;
            }
        }
    }

    /** Never closed: the process holds it until it ends. */
    private static ServerSocket takeBlock() {
        for (int port = FIRST; port < LAST; port += BLOCK) {
            try {
                ServerSocket socket = new ServerSocket();
                socket.bind(new InetSocketAddress(port));
                return socket;
            } catch (IOException e) {
                // Another JVM's.
            }
        }
        throw new AssertionError("No block of ports is free between " + FIRST + " and " + LAST);
    }

    private static boolean isFree(int port) {
        try (Socket socket = new Socket()) {
            socket.bind(new InetSocketAddress(port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
