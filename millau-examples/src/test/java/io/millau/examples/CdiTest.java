package io.millau.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.examples.echo.Echo;
import io.millau.server.Millau;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.event.Startup;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.enterprise.inject.se.SeContainer;
import jakarta.enterprise.inject.se.SeContainerInitializer;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The proxy as a bean of CDI: docs/start/embedding.md shows the class. */
class CdiTest {

    @ApplicationScoped
    static class Gateway {

        @Produces
        @Singleton
        Millau millau(ServiceSource routes) throws IOException {
            return Millau.builder().http("127.0.0.1:0").source(routes).start();
        }

        void close(@Disposes Millau millau) {
            millau.close();
        }

        /** Has it started with the application, and not when it is first asked for. */
        void start(@Observes Startup event, Millau millau) {}
    }

    static int port;
    static boolean subscribed;

    @ApplicationScoped
    static class Routes {

        @Produces
        @Singleton
        ServiceSource routes() {
            ServiceSource services = ServiceSource.of(Service.named("app")
                    .endpoints(Endpoint.http("127.0.0.1", port))
                    .build());
            return consumer -> {
                subscribed = true;
                return services.subscribe(consumer);
            };
        }
    }

    @Test
    void theProxyStartsAndEndsWithTheContainer() throws Exception {
        try (Echo app = new Echo("app", 0, Duration.ZERO)) {
            port = app.port();
            SeContainer container = SeContainerInitializer.newInstance()
                    .disableDiscovery()
                    .addBeanClasses(Gateway.class, Routes.class)
                    .initialize();
            assertThat(subscribed).isTrue();
            Millau millau = container.select(Millau.class).get();

            HttpResponse<String> response = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + millau.port() + "/"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(response.body()).startsWith("name: app\n");

            container.close();
            assertThat(millau.up()).isFalse();
        }
    }
}
