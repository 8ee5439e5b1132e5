package io.millau.examples.docker;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What stands in front of several proxies: shares TCP connections among those whose telemetry port says {@code up}. Of
 * what goes over a connection it knows nothing.
 */
final class Balancer implements AutoCloseable {

    private static final int CHECK_MS = 100;

    private final ServerSocket listener = new ServerSocket(0, 1024, InetAddress.getLoopbackAddress());
    private final List<Proxy> proxies = new CopyOnWriteArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final ScheduledExecutorService checks = Executors.newSingleThreadScheduledExecutor();
    private int turn;

    private static final class Proxy {
        final Front front;
        final Front telemetry;
        final AtomicLong given = new AtomicLong();
        volatile boolean up;

        Proxy(Front front, Front telemetry) {
            this.front = front;
            this.telemetry = telemetry;
        }

        Socket open() throws IOException {
            given.incrementAndGet();
            return new Socket(front.host(), front.port());
        }

        void check() {
            try {
                up = telemetry.get("localhost", "/").status() == 200;
            } catch (IOException e) {
                up = false;
            }
        }
    }

    Balancer() throws IOException {
        threads.execute(this::accept);
        checks.scheduleWithFixedDelay(() -> proxies.forEach(Proxy::check), 0, CHECK_MS, TimeUnit.MILLISECONDS);
    }

    /** Takes one more proxy; it gets connections as soon as it is up. */
    void add(Front front, Front telemetry) {
        proxies.add(new Proxy(front, telemetry));
    }

    /** How many are up. */
    long up() {
        return proxies.stream().filter(proxy -> proxy.up).count();
    }

    /** How many connections a proxy was given. */
    long given(Front front) {
        return proxies.stream()
                .filter(proxy -> proxy.front.equals(front))
                .mapToLong(proxy -> proxy.given.get())
                .sum();
    }

    /** Where it listens. */
    Front front() {
        return new Front(listener.getInetAddress().getHostAddress(), listener.getLocalPort());
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listener.accept();
                threads.execute(() -> connect(client));
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private void connect(Socket client) {
        try {
            Socket proxy = next().open();
            proxy.setTcpNoDelay(true);
            client.setTcpNoDelay(true);
            threads.execute(() -> pump(proxy, client));
            pump(client, proxy);
        } catch (IOException e) {
            close(client);
        }
    }

    private synchronized Proxy next() throws IOException {
        List<Proxy> up = proxies.stream().filter(proxy -> proxy.up).toList();
        if (up.isEmpty()) {
            throw new IOException("no proxy is up");
        }
        return up.get(turn++ % up.size());
    }

    private static void pump(Socket from, Socket to) {
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] bytes = new byte[16 * 1024];
            for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
                out.write(bytes, 0, n);
            }
            to.shutdownOutput();
        } catch (IOException e) {
            close(from);
            close(to);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is closed all the same.
        }
    }

    @Override
    public void close() throws IOException {
        checks.shutdownNow();
        listener.close();
        threads.shutdown();
    }
}
