package io.millau.bench;

import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.handlers.proxy.LoadBalancingProxyClient;
import io.undertow.server.handlers.proxy.ProxyHandler;
import java.net.URI;

/**
 * Undertow's own {@code ProxyHandler}, a peer of the benchmark: with its defaults, but for bodies of more than 2 MB and for
 * as many connections to the backend as there are clients.
 */
public final class UndertowProxy {

    private static final int CONNECTIONS_PER_THREAD = 1_000;

    private UndertowProxy() {}

    /** Arguments: the port to listen on, and the backend's URL. */
    public static void main(String[] arguments) {
        int port = Integer.parseInt(arguments[0]);
        LoadBalancingProxyClient backend = new LoadBalancingProxyClient()
                .setConnectionsPerThread(CONNECTIONS_PER_THREAD)
                .setSoftMaxConnectionsPerThread(CONNECTIONS_PER_THREAD)
                .addHost(URI.create(arguments[1]));
        Undertow.builder()
                .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, -1L)
                .setHandler(ProxyHandler.builder().setProxyClient(backend).build())
                .addHttpListener(port, "127.0.0.1")
                .build()
                .start();
    }
}
