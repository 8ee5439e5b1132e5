package io.millau.core.testing;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import org.jspecify.annotations.Nullable;

/**
 * Ports for programs that need a fixed number, for example in a configuration file. A port that was bound to 0 and released
 * could be taken by another process, or be returned twice. So these ports are below the kernel's ephemeral range, and each
 * JVM has its own blocks: it listens on the first port of a block until it ends. Thread-safe.
 */
public final class FreePorts {

    private static final int FIRST = 20_000;
    private static final int LAST = 32_000;
    private static final int BLOCK = 100;

    private static @Nullable ServerSocket block;
    private static int next;

    private FreePorts() {}

    /** A free port of this machine that no other test gets. */
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

    /** The socket is never closed: the process keeps the block until it ends. */
    private static ServerSocket takeBlock() {
        for (int port = FIRST; port < LAST; port += BLOCK) {
            try {
                ServerSocket socket = new ServerSocket();
                socket.bind(new InetSocketAddress(port));
                return socket;
            } catch (IOException e) {
                // The block belongs to another JVM.
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
