package io.millau.bench;

import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.handlers.proxy.LoadBalancingProxyClient;
import io.undertow.server.handlers.proxy.ProxyHandler;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * Undertow's own {@code ProxyHandler}, a peer of the benchmark: with its defaults, but for bodies of more than 2 MB, for
 * HTTP/2, and for as many connections to the backend as there are clients.
 */
public final class UndertowProxy {

    private static final int CONNECTIONS_PER_THREAD = 1_000;

    private UndertowProxy() {}

    /** Arguments: the port to listen on, the backend's URL, the port for TLS, and the folder of the certificate. */
    public static void main(String[] arguments) throws IOException, GeneralSecurityException {
        LoadBalancingProxyClient backend = new LoadBalancingProxyClient()
                .setConnectionsPerThread(CONNECTIONS_PER_THREAD)
                .setSoftMaxConnectionsPerThread(CONNECTIONS_PER_THREAD)
                .addHost(URI.create(arguments[1]));
        Undertow.builder()
                .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, -1L)
                .setServerOption(UndertowOptions.ENABLE_HTTP2, true)
                .setHandler(ProxyHandler.builder().setProxyClient(backend).build())
                .addHttpListener(Integer.parseInt(arguments[0]), "127.0.0.1")
                .addHttpsListener(Integer.parseInt(arguments[2]), "127.0.0.1", tls(Pem.read(Path.of(arguments[3]))))
                .build()
                .start();
    }

    private static SSLContext tls(Pem pem) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("bench", pem.key(), new char[0], new Certificate[] {pem.certificate()});
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }
}
