package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.Authority;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which CAs client certificates of a host must be from. */
class ClientCaTest {

    private static final X509Certificate OLD = Authority.root("old").certificate();
    private static final X509Certificate NEW = Authority.root("new").certificate();

    private final Router router = new Router();

    @Test
    void aHostRequiresTheCasOfItsServices() {
        router.replace(List.of(
                service("a", "shop.example", "/", OLD),
                service("b", "shop.example", "/api/"),
                service("c", "open.shop.example", "/"),
                service("d", "*", "/")));

        assertThat(router.clientCa("shop.example")).containsExactly(OLD);
        assertThat(router.clientCa("WWW.shop.example:443")).containsExactly(OLD);
        assertThat(router.clientCa("open.shop.example")).isNull();
        assertThat(router.clientCa("else.example")).isNull();
        assertThat(router.clientCa("")).isNull();
        assertThat(router.open("shop.example", "/api/", "GET").clientCa()).containsExactly(OLD);
        assertThat(router.open("else.example", "/", "GET").clientCa()).isNull();
    }

    @Test
    void servicesOnOneHostShareTheirCommonCas() {
        router.replace(List.of(service("a", "both.example", "/", OLD), service("b", "both.example", "/", OLD, NEW)));
        assertThat(router.clientCa("both.example")).containsExactly(OLD);

        router.replace(List.of(service("a", "both.example", "/", OLD), service("b", "both.example", "/", NEW)));
        assertThat(router.clientCa("both.example")).isEmpty();
        assertThat(router.open("both.example", "/", "GET").clientCa()).isEmpty();
    }

    /** A request whose path the more specific host does not have goes to the wider host, with that host's client CA. */
    @Test
    void aRequestHasTheClientCaOfTheHostThatServesIt() {
        router.replace(List.of(service("a", "open.shop.example", "/open/"), service("b", "shop.example", "/", OLD)));

        assertThat(router.clientCa("open.shop.example")).isNull();
        assertThat(router.open("open.shop.example", "/", "GET").clientCa()).containsExactly(OLD);
    }

    @Test
    void aRemovedServiceProtectsItsHostForAnotherMinute() {
        router.replace(List.of(service("a", "shop.example", "/", OLD), service("b", "*", "/")));
        router.replace(List.of(service("b", "*", "/")));

        assertThat(router.clientCa("shop.example")).containsExactly(OLD);
    }

    @Test
    void withoutClientCasNoHostRequiresACertificate() {
        router.replace(List.of(service("b", "*", "/")));

        assertThat(router.clientCa("shop.example")).isNull();
    }

    private static Service service(String name, String host, String path, X509Certificate... clientCa) {
        return Service.named(name)
                .hosts(host)
                .path(path)
                .clientCa(Set.of(clientCa))
                .endpoints(Endpoint.http(new InetSocketAddress("127.0.0.1", 80)))
                .build();
    }
}
