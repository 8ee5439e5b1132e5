package io.millau.server;

import io.millau.core.Endpoint;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** An endpoint on a real socket that does what a test says, byte by byte, with every connection that it accepts. */
final class ScriptedEndpoint implements Closeable {

    /** What to do with a connection; it is closed when this returns. */
    @FunctionalInterface
    interface Script {
        void play(Connection connection) throws IOException;
    }

    private final ServerSocket server;
    private final Script script;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    /** Every request that a script read, head and body. */
    final List<Message> requests = new CopyOnWriteArrayList<>();

    private ScriptedEndpoint(Script script) {
        this.script = script;
        try {
            server = new ServerSocket(0, 500, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        daemon("scripted-endpoint", this::accept);
    }

    static ScriptedEndpoint that(Script script) {
        return new ScriptedEndpoint(script);
    }

    /** Answers each request, over connections that are kept, with these bytes. */
    static ScriptedEndpoint thatAnswers(String answer) {
        return that(connection -> {
            while (connection.readRequest() != null) {
                connection.send(answer);
            }
        });
    }

    /** Answers 200 with a body. */
    static ScriptedEndpoint thatSays(String body) {
        return thatAnswers("HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
    }

    /** Nobody listens there. */
    static Endpoint refusing() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return Endpoint.http(new InetSocketAddress(InetAddress.getLoopbackAddress(), socket.getLocalPort()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
    }

    Endpoint endpoint() {
        return Endpoint.http(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getLocalPort()));
    }

    int openConnections() {
        return open.size();
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                open.add(socket);
                daemon("scripted-connection", () -> play(socket));
            }
        } catch (IOException e) {
            // closed: the test is over
        }
    }

    private void play(Socket socket) {
        try (socket) {
            script.play(new Connection(socket));
        } catch (IOException e) {
            // the other side may go away at any time; what it got is for the test to say
        } finally {
            open.remove(socket);
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
    }

    /** One connection, from the endpoint's side. */
    final class Connection {
        private final Socket socket;
        private final Wire wire;

        Connection(Socket socket) throws IOException {
            this.socket = socket;
            this.wire = new Wire(socket);
        }

        Wire wire() {
            return wire;
        }

        /** Reads a request with its body; null at the end. */
        Message readRequest() throws IOException {
            Message head = wire.readHead();
            if (head == null) {
                return null;
            }
            Message request = wire.readBody(head, false);
            requests.add(request);
            return request;
        }

        void send(String bytes) throws IOException {
            wire.send(bytes);
        }

        /** Ends it so that the other side gets a reset. */
        void reset() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }

        /** Does nothing until the other side ends it. */
        void hang() throws IOException {
            wire.readToEnd();
        }
    }
}
