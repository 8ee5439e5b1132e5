package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients, hosts and endpoints with IPv6 addresses. */
class Ipv6Test extends ProxyTest {

    @TempDir
    private Path folder;

    @BeforeAll
    static void isThere() {
        boolean there;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("::1"))) {
            there = socket.isBound();
        } catch (IOException e) {
            there = false;
        }
        assumeTrue(there, "this machine has no IPv6");
    }

    /** A server on ::1 that tells what it was sent. */
    private Endpoint endpointOnIpv6(String name) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress("::1", 0), 0);
        server.createContext("/", exchange -> {
            byte[] body = (name + " for " + exchange.getRequestHeaders().getFirst("X-Forwarded-For") + " at "
                            + exchange.getRequestHeaders().getFirst("Host"))
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        closing(() -> server.stop(0));
        return Endpoint.http(server.getAddress());
    }

    private String get(String address, String host) throws Exception {
        try (RawClient client = new RawClient(new Socket(InetAddress.getByName(address), millau.port()))) {
            return client.send("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
                    .read()
                    .body();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "[fd00::1]:8080, six",
        "[fd00::1], six",
        "[FD00:0:0:0:0:0:0:1]:80, six",
        "[fd00::2], rest",
        "fd00.example, rest",
    })
    void aHostMayBeAnAddress(String host, String service) throws Exception {
        startWith(
                Service.named("six")
                        .hosts("[fd00::1]")
                        .endpoints(endpointThatSays("six").endpoint())
                        .build(),
                Service.named("rest")
                        .endpoints(endpointThatSays("rest").endpoint())
                        .build());

        assertThat(get("127.0.0.1", host)).isEqualTo(service);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[::]:0", "[::1]:0"})
    void itListensOnIpv6AndReachesEndpointsThere(String address) throws Exception {
        services.replace(app(endpointOnIpv6("six")).build());
        millau = closing(Millau.builder().http(address).source(services).start());

        assertThat(get("::1", "[::1]:8080")).isEqualTo("six for ::1 at [::1]:8080");
    }

    /** On {@code [::]} it gets IPv4, too, whose addresses stay such. */
    @Test
    void onAllAddressesItServesBothFamilies() throws Exception {
        services.replace(app(endpointOnIpv6("six")).build());
        millau = closing(Millau.builder().http("[::]:0").source(services).start());

        assertThat(get("127.0.0.1", "a")).isEqualTo("six for 127.0.0.1 at a");
    }

    @Test
    void aServicesFileHasAddressesInBrackets() throws Exception {
        Endpoint endpoint = endpointOnIpv6("six");
        Path file = Files.writeString(
                folder.resolve("services.properties"),
                "six.endpoints = http://[::1]:" + endpoint.port() + "\nsix.hosts = [::1] [fd00::1]\n");
        millau = closing(Millau.builder()
                .http("[::1]:0")
                .source(ServiceSource.file(file))
                .start());

        assertThat(get("::1", "[0:0:0:0:0:0:0:1]")).isEqualTo("six for ::1 at [0:0:0:0:0:0:0:1]");
    }
}
