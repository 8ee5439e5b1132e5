package io.millau.testing;

import io.millau.core.Endpoint;
import io.millau.core.UpstreamTls;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * An endpoint on a real socket that runs a test's script, byte by byte, on every connection it accepts. Each connection has
 * its own thread.
 *
 * <pre>{@code
 * try (ScriptedEndpoint faulty = ScriptedEndpoint.that(Fault.RESET_AFTER_HEAD);
 *         ScriptedEndpoint good = ScriptedEndpoint.thatSays("good")) {
 *     Service app = Service.named("app").endpoints(faulty.endpoint(), good.endpoint()).build();
 * }
 * }</pre>
 */
public final class ScriptedEndpoint implements Closeable {

    /** What to do with a connection. The connection is closed when the script returns. */
    @FunctionalInterface
    public interface Script {

        /** Runs on one connection; an exception ends that connection only. */
        void play(Connection connection) throws IOException;
    }

    private final InetSocketAddress address;
    private final @Nullable Script script;

    /** Gives each new connection its TLS; null for none. */
    private final Supplier<@Nullable SSLContext> tls;

    private final Activity activity;

    private Closeable listener;
    private boolean closed;
    private volatile @Nullable Acceptor acceptor;
    private final Map<Socket, WatchedInput> open = new ConcurrentHashMap<>();
    private final AtomicInteger connections = new AtomicInteger();
    private final AtomicInteger attempts = new AtomicInteger();
    private final CountDownLatch over = new CountDownLatch(1);

    /** Every request that a script read, head and body. */
    public final List<Message> requests = new CopyOnWriteArrayList<>();

    private ScriptedEndpoint(@Nullable Script script, Supplier<@Nullable SSLContext> tls) {
        this(script, tls, new Activity());
    }

    /** @param activity is told what its connections do */
    ScriptedEndpoint(@Nullable Script script, Supplier<@Nullable SSLContext> tls, Activity activity) {
        this.script = script;
        this.tls = tls;
        this.activity = activity;
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try {
            if (script == null) {
                Socket bound = reserve(any);
                address = (InetSocketAddress) bound.getLocalSocketAddress();
                listener = bound;
            } else {
                Acceptor first = new Acceptor(any, script);
                address = (InetSocketAddress) first.server.getLocalAddress();
                listener = first;
                acceptor = first;
                first.thread.start();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Bound, so that the port stays reserved, but not listening. */
    private static Socket reserve(InetSocketAddress address) throws IOException {
        Socket bound = new Socket();
        bound.setReuseAddress(true);
        bound.bind(address);
        return bound;
    }

    /** Refuses connections from now on, and ends those that are open. */
    synchronized void refuse() {
        if (closed) {
            return;
        }
        try {
            stopListening();
            listener = reserve(address);
            closeConnections();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Accepts connections again. */
    synchronized void listenAgain() {
        if (closed) {
            return;
        }
        try {
            stopListening();
            Acceptor next = new Acceptor(address, Objects.requireNonNull(script));
            listener = next;
            acceptor = next;
            next.thread.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void stopListening() throws IOException {
        listener.close(); // the port is free now
        acceptor = null;
    }

    void closeConnections() throws IOException {
        for (Socket socket : open.keySet()) {
            socket.close();
        }
    }

    /** Runs the script on each connection. */
    public static ScriptedEndpoint that(Script script) {
        return new ScriptedEndpoint(Objects.requireNonNull(script, "script"), () -> null);
    }

    /** Runs the script on each connection, over TLS. */
    public static ScriptedEndpoint overTls(SSLContext context, Script script) {
        Objects.requireNonNull(context, "context");
        return new ScriptedEndpoint(Objects.requireNonNull(script, "script"), () -> context);
    }

    /**
     * Plays the fault on each connection.
     *
     * @throws IllegalArgumentException if it is one of {@link Fault.Layer#HTTP2}: those are for {@link TestGateway#h2cUpstream}
     */
    public static ScriptedEndpoint that(Fault fault) {
        return new ScriptedEndpoint(script(fault), () -> null);
    }

    /**
     * Plays the fault on each connection, over TLS or instead of its handshake.
     *
     * @throws IllegalArgumentException as {@link #that(Fault)}
     */
    public static ScriptedEndpoint overTls(SSLContext context, Fault fault) {
        Objects.requireNonNull(context, "context");
        return new ScriptedEndpoint(script(fault), () -> fault.layer() == Fault.Layer.HANDSHAKE ? null : context);
    }

    /** Null for a fault that refuses connections. */
    private static @Nullable Script script(Fault fault) {
        if (Objects.requireNonNull(fault, "fault").layer() == Fault.Layer.HTTP2) {
            throw new IllegalArgumentException(fault.name() + ": expected a fault of HTTP/1.1 or TLS");
        }
        return fault.script;
    }

    /** Responds to each request with these bytes, and keeps the connection. */
    public static ScriptedEndpoint thatResponds(String response) {
        Objects.requireNonNull(response, "response");
        return that(connection -> {
            while (connection.readRequest() != null) {
                connection.send(response);
            }
        });
    }

    /** Responds to each request with 200 and this body, and keeps the connection. */
    public static ScriptedEndpoint thatSays(String body) {
        return that(saying(body));
    }

    /** What {@link #thatSays} does. */
    public static Script saying(String body) {
        Objects.requireNonNull(body, "body");
        return connection -> {
            for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
                connection.respond(request, body);
            }
        };
    }

    /** Refuses each connection. */
    public static ScriptedEndpoint thatRefuses() {
        return new ScriptedEndpoint(null, () -> null);
    }

    /** Runs a task on a daemon thread. */
    public static Thread daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Its address, for a service's endpoints. */
    public Endpoint endpoint() {
        return Endpoint.http(address);
    }

    /** Its address, as an endpoint that speaks TLS. */
    public Endpoint endpoint(UpstreamTls tls) {
        Endpoint plain = endpoint();
        return Endpoint.https(plain.id(), plain.address(), plain.port(), tls);
    }

    /** The number of open connections. */
    public int openConnections() {
        return open.size();
    }

    /** The number of connections accepted so far. */
    public int connections() {
        return connections.get();
    }

    /** The number of attempts: its connections, plus each further request that began on one of them. */
    public int attempts() {
        return attempts.get();
    }

    /** Ends the stalling of its connections; a stalling connection does not notice that the other side closed it. */
    public void endStalling() {
        over.countDown();
    }

    /** Whether there is something that its threads have not noticed yet: a connection to accept, or bytes to read. */
    boolean hasUnread() {
        Acceptor accepting = acceptor;
        return accepting != null && accepting.acceptAll()
                || open.values().stream().anyMatch(WatchedInput::hasUnread);
    }

    /** Accepts connections, as soon as there are any or somebody wants to know whether there are. */
    private final class Acceptor implements Closeable {
        private final ServerSocketChannel server = ServerSocketChannel.open();
        private final Selector selector = Selector.open();
        private final Script script;
        private final Thread thread = new Thread(this::run, "scripted-endpoint");

        Acceptor(InetSocketAddress address, Script script) throws IOException {
            this.script = script;
            thread.setDaemon(true);
            server.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            server.bind(address, 500);
            server.configureBlocking(false);
            server.register(selector, SelectionKey.OP_ACCEPT);
        }

        private void run() {
            while (server.isOpen()) {
                try {
                    selector.select(key -> acceptAll());
                } catch (IOException | ClosedSelectorException e) {
                    return; // the test is over
                }
            }
        }

        /** Returns whether there were any. */
        synchronized boolean acceptAll() {
            boolean any = false;
            try {
                for (SocketChannel accepted = server.accept(); accepted != null; accepted = server.accept()) {
                    accepted(accepted.socket(), script);
                    any = true;
                }
            } catch (IOException e) {
                // closed: the test is over
            }
            return any;
        }

        @Override
        public void close() throws IOException {
            selector.close(); // first: as long as it knows the server, that keeps its port
            server.close();
        }
    }

    private void accepted(Socket socket, Script script) throws IOException {
        WatchedInput in = new WatchedInput(socket.getInputStream(), activity);
        open.put(socket, in);
        connections.incrementAndGet();
        attempts.incrementAndGet();
        activity.begins();
        daemon("scripted-connection", () -> play(socket, in, script, tls.get()));
    }

    private void play(Socket socket, WatchedInput in, Script script, @Nullable SSLContext tls) {
        try (socket;
                Socket used = tls == null ? socket : secure(socket, in, tls)) {
            script.play(new Connection(socket, used, tls == null ? in : used.getInputStream()));
        } catch (IOException e) {
            // the other side may close at any time; the test checks what it received
        } finally {
            open.remove(socket);
            activity.ends();
        }
    }

    /** The server's side of TLS over a connection. */
    private static Socket secure(Socket socket, InputStream in, SSLContext tls) throws IOException {
        SSLSocket secured = (SSLSocket) tls.getSocketFactory().createSocket(socket, in, true);
        secured.setUseClientMode(false);
        return secured;
    }

    @Override
    public synchronized void close() throws IOException {
        closed = true;
        activity.remove(this);
        endStalling();
        listener.close();
        closeConnections();
    }

    /** The endpoint's side of one connection; used only by the connection's thread. */
    public final class Connection {
        /** Carries TLS, if there is TLS. */
        private final Socket tcp;

        private final Socket socket;
        private final Wire wire;
        private int heads;

        /** What was read of a request before the script that is to play for it was chosen. */
        private @Nullable Message peeked;

        private boolean peekedWhole;
        private boolean playsOnce;
        private boolean wantsMore;

        Connection(Socket tcp, Socket socket, InputStream in) throws IOException {
            this.tcp = tcp;
            this.socket = socket;
            this.wire = new Wire(socket, in);
        }

        /** Its bytes. */
        public Wire wire() {
            return wire;
        }

        /** Waits for the first byte of a request and leaves it unread; false at the end of the connection. */
        public boolean awaitRequest() throws IOException {
            if (peeked != null) {
                return true;
            }
            wire.in().mark(1);
            boolean came = wire.in().read() >= 0;
            wire.in().reset();
            if (came) {
                requestBegan();
            }
            return came;
        }

        /** Counts a request in {@link #attempts}; for scripts that don't speak HTTP/1.1. */
        public void requestBegan() {
            if (heads++ > 0) {
                attempts.incrementAndGet();
            }
        }

        /** Keeps a request in {@link #requests}; for scripts that don't speak HTTP/1.1. */
        public void requestRead(Message request) {
            requests.add(request);
        }

        /** Reads a request's head; null at the end of the connection. */
        public @Nullable Message readHead() throws IOException {
            Message head = peeked;
            if (head != null) {
                peeked = null;
                return head;
            }
            if (playsOnce) {
                wantsMore = true;
                return null;
            }
            return awaitRequest() ? wire.readHead() : null;
        }

        /** Reads a request's head, which the script that is played next reads again; null at the end of the connection. */
        @Nullable
        Message peekHead() throws IOException {
            peekedWhole = false;
            peeked = null;
            peeked = readHead();
            return peeked;
        }

        /** Reads the body of the request whose head was peeked, too. */
        Message peekBody() throws IOException {
            Message whole = wire.readBody(Objects.requireNonNull(peeked), false);
            peeked = whole;
            peekedWhole = true;
            return whole;
        }

        /**
         * Plays a script for one request, whose beginning was peeked.
         *
         * @return whether the script would have read another request
         */
        boolean playOnce(Script script) throws IOException {
            playsOnce = true;
            wantsMore = false;
            try {
                script.play(this);
                return wantsMore;
            } finally {
                playsOnce = false;
            }
        }

        /** Reads the rest of a request and keeps it in {@link #requests}. */
        public Message readBody(Message head) throws IOException {
            Message request = peekedWhole ? head : wire.readBody(head, false);
            peekedWhole = false;
            requests.add(request);
            return request;
        }

        /** Reads a request with its body and keeps it in {@link #requests}; null at the end of the connection. */
        public @Nullable Message readRequest() throws IOException {
            Message head = readHead();
            return head == null ? null : readBody(head);
        }

        /** Sends one byte for each character. */
        public void send(String bytes) throws IOException {
            wire.send(bytes);
        }

        /** Responds with 200 in one write; a HEAD request gets only the head. */
        public void respond(Message request, String body) throws IOException {
            String head = "HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n";
            send(request.startLine().startsWith("HEAD ") ? head : head + body);
        }

        /** Sends byte by byte, with a pause after each, until the other side closes the connection. */
        public void sendSlowly(String bytes, int pauseMillis) throws IOException {
            socket.setSoTimeout(pauseMillis);
            for (char c : bytes.toCharArray()) {
                send(String.valueOf(c));
                try {
                    if (wire.in().read() < 0) {
                        return;
                    }
                } catch (SocketTimeoutException e) {
                    // a pause is over
                }
            }
        }

        /** Closes the connection with a TCP reset. */
        public void reset() throws IOException {
            tcp.setSoLinger(true, 0);
            tcp.close();
        }

        /** Closes the connection without the alert that ends TLS, {@code close_notify} (RFC 8446, 6.1). */
        public void closeWithoutNotify() throws IOException {
            tcp.close();
        }

        /** Sends one byte for each character beside TLS, unencrypted. */
        public void sendBesideTls(String bytes) throws IOException {
            tcp.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
        }

        /** Whether the other side sends something, or ends the connection, within this time. */
        public boolean readsWithin(int millis) throws IOException {
            socket.setSoTimeout(millis);
            try {
                wire.in().mark(1);
                if (wire.in().read() >= 0) {
                    wire.in().reset();
                }
                return true;
            } catch (SocketTimeoutException e) {
                return false;
            } finally {
                socket.setSoTimeout(0);
            }
        }

        /** Neither reads nor sends until {@link #endStalling}. */
        public void stall() throws IOException {
            await(over);
            hang();
        }

        /** Waits until a test allows it to go on. */
        public void await(CountDownLatch latch) throws IOException {
            activity.ends();
            try {
                latch.await();
            } catch (InterruptedException e) {
                throw new InterruptedIOException();
            } finally {
                activity.begins();
            }
        }

        /** Discards what arrives and sends nothing until the other side closes the connection. */
        public void hang() throws IOException {
            wire.in().transferTo(OutputStream.nullOutputStream());
        }
    }
}
