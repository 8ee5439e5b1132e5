package io.millau.server.cli;

import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.undertow.Undertow;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.xnio.IoUtils;

/**
 * Two small services, blue and green, and a maintenance page behind them, in one process, for trying out Millau. {@code
 * DELETE} on an instance's own port stops it.
 */
final class Demo implements AutoCloseable {

    private static final String[] HERE = {"localhost", "127.0.0.1", "[::1]"};

    private final Instance blue = new Instance("blue");
    private final Instance green = new Instance("green");
    private final Instance maintenance = new Instance("maintenance page: blue and green don't run");
    private final InMemoryServices services = ServiceSource.of();

    private Demo() {
        declare(true);
    }

    static Demo start() {
        return new Demo();
    }

    ServiceSource services() {
        return services;
    }

    private void declare(boolean running) {
        services.replace(
                colour("blue", blue, running),
                colour("green", green, running),
                Service.named("maintenance").endpoints(maintenance.endpoint()).build());
    }

    private static Service colour(String name, Instance instance, boolean running) {
        Service.Builder service = Service.named(name).hosts(HERE).retry(Duration.ofSeconds(5));
        return (running ? service.endpoints(instance.endpoint()) : service).build();
    }

    /** While only one is dead, failover handles it. With both dead, the services are declared without endpoints. */
    private void killed() {
        if (blue.dead && green.dead) {
            declare(false);
        }
    }

    String introduction(int port, int telemetryPort) {
        String url = "http://localhost:" + port + "/";
        return """

                Millau listens on %1$s and shares requests over two services, blue and green.
                Open that in a browser, or try:

                  blue-green:        for i in 1 2 3 4; do curl -s %1$s; done
                  failover:          curl -s -X DELETE http://127.0.0.1:%2$d/; for i in 1 2 3 4; do curl -s %1$s; done
                  what goes on:      http://localhost:%4$d/status (in a browser)
                  maintenance page:  curl -s -X DELETE http://127.0.0.1:%3$d/; curl -s %1$s

                blue is http://127.0.0.1:%2$d/, green is http://127.0.0.1:%3$d/. Ctrl-C ends the demo.
                """.formatted(url, blue.port(), green.port(), telemetryPort);
    }

    @Override
    public void close() {
        blue.stop();
        green.stop();
        maintenance.stop();
    }

    /** An instance that responds with its name, and stops on request. */
    private final class Instance implements HttpHandler {
        private final String text;
        private final Undertow server;
        private final int port;
        private volatile boolean dead;

        Instance(String text) {
            this.text = text;
            this.server = Undertow.builder()
                    .addHttpListener(0, InetAddress.getLoopbackAddress().getHostAddress(), this)
                    .setIoThreads(1)
                    .setWorkerThreads(1)
                    .build();
            server.start();
            this.port = ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
        }

        int port() {
            return port;
        }

        Endpoint endpoint() {
            return Endpoint.http(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        }

        @Override
        public void handleRequest(HttpServerExchange exchange) {
            if (dead) {
                IoUtils.safeClose(exchange.getConnection());
                return;
            }
            exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "text/plain; charset=utf-8");
            if (exchange.getRequestMethod().equals(Methods.DELETE)) {
                dead = true;
                killed();
                exchange.addExchangeCompleteListener((ended, next) -> {
                    next.proceed();
                    new Thread(this::stop, "millau-demo-kill").start();
                });
                exchange.setPersistent(false);
                exchange.getResponseSender().send(text + " is dead\n");
            } else {
                exchange.getResponseSender().send(text + "\n");
            }
        }

        void stop() {
            server.stop();
        }
    }
}
