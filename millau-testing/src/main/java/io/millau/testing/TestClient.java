package io.millau.testing;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A client that sends plain HTTP requests for every host to one proxy, whatever the host's name resolves to. A client has a thread
 * that ends with the garbage collection at the earliest, so later tests use it again.
 */
final class TestClient {

    private static final Queue<TestClient> FREE = new ConcurrentLinkedQueue<>();

    private static final ExecutorService THREADS = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "millau-testing-client");
        thread.setDaemon(true);
        return thread;
    });

    final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .executor(THREADS)
            .proxy(new ToTheProxy())
            .sslContext(TestCertificates.CLIENT)
            .build();

    private volatile int port;

    private TestClient() {}

    /** @param port where the proxy listens for plain HTTP on the loopback address */
    static TestClient of(int port) {
        TestClient free = FREE.poll();
        TestClient client = free == null ? new TestClient() : free;
        client.port = port;
        return client;
    }

    /** The proxy has ended. */
    void free() {
        FREE.add(this);
    }

    private final class ToTheProxy extends ProxySelector {
        @Override
        public List<Proxy> select(URI uri) {
            int proxy = port;
            boolean direct = !uri.getScheme().equals("http") || uri.getPort() == proxy;
            return List.of(
                    direct
                            ? Proxy.NO_PROXY
                            : new Proxy(
                                    Proxy.Type.HTTP, new InetSocketAddress(InetAddress.getLoopbackAddress(), proxy)));
        }

        @Override
        public void connectFailed(URI uri, SocketAddress address, IOException failure) {}
    }
}
