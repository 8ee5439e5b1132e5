package io.millau.acme;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.millau.acme.testing.Pebble;
import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/** The proxy as the CA sees it: ports for challenges, which are served by the replicas in turn. */
final class ChallengeServers implements AutoCloseable {

    private final List<CertificateSource> replicas = new CopyOnWriteArrayList<>();
    private final AtomicInteger turn = new AtomicInteger();
    private final ExecutorService threads = Executors.newCachedThreadPool(new Threads("challenge-server"));
    private final List<Closeable> open = new ArrayList<>();
    private final CountDownLatch asked = new CountDownLatch(1);
    private volatile CountDownLatch held = new CountDownLatch(0);

    /** Makes this the only replica. */
    void only(CertificateSource replica) {
        replicas.clear();
        replicas.add(replica);
    }

    /** Adds a replica. */
    void add(CertificateSource replica) {
        replicas.add(replica);
    }

    /** Removes all replicas, which the test has closed. */
    void removeAll() {
        replicas.clear();
    }

    /** Delays the next challenges until {@link #release}. */
    void hold() {
        held = new CountDownLatch(1);
    }

    void release() {
        held.countDown();
    }

    /** Counted down by the first request for a challenge. */
    CountDownLatch asked() {
        return asked;
    }

    private CertificateSource next() {
        asked.countDown();
        try {
            held.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("closed", e);
        }
        return replicas.get(Math.floorMod(turn.getAndIncrement(), replicas.size()));
    }

    /** Serves HTTP challenges from now on. */
    ChallengeServers http(Pebble ca) throws IOException {
        HttpServer server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), ca.httpPort()), 0);
        server.setExecutor(threads);
        server.createContext("/.well-known/acme-challenge/", this::respond);
        server.start();
        open.add(() -> server.stop(0));
        return this;
    }

    private void respond(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            Optional<String> response = next().httpChallenge(path.substring(path.lastIndexOf('/') + 1))
                    .join();
            byte[] body = response.orElse("").getBytes(StandardCharsets.US_ASCII);
            exchange.sendResponseHeaders(response.isPresent() ? 200 : 404, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }

    /** Serves TLS challenges from now on. */
    ChallengeServers tls(Pebble ca) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(new KeyManager[] {new ChallengeKeys()}, null, null);
        SSLServerSocket socket = (SSLServerSocket)
                context.getServerSocketFactory().createServerSocket(ca.tlsPort(), 50, InetAddress.getLoopbackAddress());
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"acme-tls/1"});
        socket.setSSLParameters(parameters);
        threads.execute(() -> accept(socket));
        open.add(socket);
        return this;
    }

    private void accept(SSLServerSocket socket) {
        while (!socket.isClosed()) {
            try {
                SSLSocket connection = (SSLSocket) socket.accept();
                threads.execute(() -> shake(connection));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private static void shake(SSLSocket connection) {
        try (connection) {
            connection.startHandshake();
            connection.getInputStream().read();
        } catch (IOException e) {
            // The CA reports the failure.
        }
    }

    /** Uses the next replica's certificate for the requested name. */
    private final class ChallengeKeys extends X509ExtendedKeyManager {
        private final Map<String, Certificate> shown = new ConcurrentHashMap<>();

        @Override
        public @Nullable String chooseServerAlias(
                String keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
            if (!keyType.equals("EC") || !(socket instanceof SSLSocket tls)) {
                return null;
            }
            ExtendedSSLSession session = (ExtendedSSLSession) tls.getHandshakeSession();
            for (SNIServerName name : session.getRequestedServerNames()) {
                String host = ((SNIHostName) name).getAsciiName();
                Optional<Certificate> certificate = next().tlsChallenge(host).join();
                certificate.ifPresent(found -> shown.put(host, found));
                return certificate.isPresent() ? host : null;
            }
            return null;
        }

        @Override
        public X509Certificate @Nullable [] getCertificateChain(String alias) {
            return shown.get(alias).chain().toArray(X509Certificate[]::new);
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return shown.get(alias).key();
        }

        @Override
        public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
            return null;
        }

        @Override
        public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
            return null;
        }

        @Override
        public @Nullable String chooseClientAlias(
                String[] keyTypes, Principal @Nullable [] issuers, @Nullable Socket socket) {
            return null;
        }
    }

    @Override
    public void close() throws IOException {
        release();
        for (Closeable port : open) {
            port.close();
        }
        threads.shutdownNow();
    }
}
