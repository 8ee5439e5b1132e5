package io.millau.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.RequestFilter;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.examples.echo.Echo;
import io.millau.server.Filter;
import io.millau.server.Millau;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The proxy as a bean of Spring: docs/start/embedding.md shows the configuration. */
class SpringBootTest {

    @Configuration(proxyBeanMethods = false)
    static class GatewayConfiguration {

        @Bean(destroyMethod = "close")
        Millau millau(
                @Value("${gateway.http}") String address,
                ObjectProvider<ServiceSource> sources,
                ObjectProvider<RequestFilter> filters)
                throws IOException {
            Millau.Builder builder = Millau.builder().http(address);
            sources.forEach(builder::source);
            filters.orderedStream().forEach(builder::filter); // as @Order says
            return builder.start();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Application {

        @Bean
        ServiceSource routes(@Value("${app.port}") int port) {
            return ServiceSource.of(Service.named("app")
                    .endpoints(Endpoint.http("127.0.0.1", port))
                    .build());
        }

        /** A filter, too: one that is asked for as Filter alone is without it. */
        @Bean
        RequestFilter audit() {
            return request -> request.setHeader("X-Audit", "yes").proceed();
        }

        @Bean
        Filter tenant() {
            return request -> request.setHeader("X-Tenant", "t1").proceed();
        }
    }

    @Test
    void theProxyStartsAndEndsWithTheContext() throws Exception {
        try (Echo app = new Echo("app", 0, Duration.ZERO)) {
            ConfigurableApplicationContext context = new SpringApplicationBuilder(
                            GatewayConfiguration.class, Application.class)
                    .web(WebApplicationType.NONE)
                    .properties("gateway.http=127.0.0.1:0", "app.port=" + app.port(), "spring.main.banner-mode=off")
                    .run();
            Millau millau = context.getBean(Millau.class);

            HttpResponse<String> response = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + millau.port() + "/"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(response.body())
                    .startsWith("name: app\n")
                    .contains("header X-Tenant: t1\n", "header X-Audit: yes\n");

            context.close();
            assertThat(millau.up()).isFalse();
        }
    }
}
