package io.millau.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Delivery;
import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.Router;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.examples.echo.Echo;
import io.millau.server.Millau;
import io.millau.testing.Fault;
import io.millau.testing.TestGateway;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** How to declare routes in code, and how to test them: without any I/O, with a proxy that runs, and with endpoints that fail. */
class RouteApiTest {

    private static Service.Builder shop() {
        return Service.named("shop").hosts("shop.example");
    }

    private static Service.Builder orders() {
        return Service.named("orders").hosts("shop.example").path("/orders/");
    }

    private static Service.Builder website() {
        return Service.named("website");
    }

    @ParameterizedTest
    @CsvSource({
        "shop.example,         /,           shop",
        "www.shop.example:443, /cart,       shop",
        "shop.example,         /orders/17,  orders",
        "shop.example,         /orders,     shop",
        "other.example,        /orders/17,  website",
    })
    void aRouterAloneTellsWhereARequestWouldGo(String host, String path, String service) {
        Endpoint anywhere = Endpoint.http("anywhere", InetAddress.getLoopbackAddress(), 80);
        Router router = new Router();
        router.replace(List.of(
                shop().endpoints(anywhere).build(),
                orders().endpoints(anywhere).build(),
                website().endpoints(anywhere).build()));

        Delivery delivery = router.open(host, path, "GET");

        assertThat(delivery).isNotNull();
        assertThat(delivery.service().name()).isEqualTo(service);
    }

    @Test
    void aRunningProxyTakesNewRoutesAtOnce() throws Exception {
        try (Echo blue = new Echo("blue", 0, Duration.ZERO);
                Echo green = new Echo("green", 0, Duration.ZERO)) {
            InMemoryServices services =
                    ServiceSource.of(website().endpoints(at(blue)).build());
            try (Millau millau =
                    Millau.builder().http("127.0.0.1:0").source(services).start()) {
                assertThat(get(millau, "/")).startsWith("name: blue\n");

                services.replace(website().endpoints(at(green)).build());
                assertThat(get(millau, "/")).startsWith("name: green\n");

                services.replace(
                        website().endpoints(at(blue)).build(),
                        Service.named("new").path("/new/").endpoints(at(green)).build());
                assertThat(get(millau, "/new/page")).startsWith("name: green\n");
                assertThat(get(millau, "/page")).startsWith("name: blue\n");

                services.replace();
                assertThat(get(millau, "/")).startsWith("No matching services found");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"REFUSE", "RESET_AFTER_HEAD", "GARBAGE"})
    void aFaultOfOneEndpointIsNotSeenWhereAnotherIsGood(Fault fault) {
        try (TestGateway millau = TestGateway.start()) {
            millau.routes(website().build());
            millau.upstream("website").fails(fault);
            millau.upstream("website").responds(200, "good");

            assertThat(millau.get("/").body()).isEqualTo("good");
            assertThat(millau.get("/").body()).isEqualTo("good");
        }
    }

    private static Endpoint at(Echo server) {
        return Endpoint.http(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()));
    }

    private static String get(Millau millau, String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + millau.port() + path))
                .build();
        return HttpClient.newHttpClient()
                .send(request, HttpResponse.BodyHandlers.ofString())
                .body();
    }
}
