package io.millau.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.millau.core.Service;
import io.millau.core.testing.StandaloneServer;
import io.millau.server.FakeDocker;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExplainCommandTest extends CommandTest {

    @Test
    void theRunningProxyIsAsked() throws Exception {
        services.replace(
                app(endpointThatRefuses()).hosts("shop.example").build(),
                Service.named("idle").hosts("idle.example").build());
        millau = closing(builder().telemetry("127.0.0.1:0").start());
        environment.put("TELEMETRY", ":" + millau.telemetryPort());

        run("explain", "https://shop.example/a?b=c&d=ü");
        assertThat(out)
                .startsWith("https://shop.example/a?b=c&d=ü goes to app\n")
                .isEqualTo(millau.explain(URI.create("https://shop.example/a?b=c&d=ü")));
        assertThat(err).isEmpty();
        assertThat(status).isZero();

        run("explain", "idle.example");
        assertThat(out).startsWith("http://idle.example goes to idle: 502 No running instance of idle\n");
        assertThat(status).isEqualTo(1);
    }

    @Test
    void withoutARunningProxyTheSourcesAreRead() throws Exception {
        environment.put(
                "SERVICES", file("services.properties", "app.endpoints = http://127.0.0.1:8081\napp.prot = 1\n"));
        run("explain", "shop.example");

        assertThat(err.lines())
                .hasSize(2)
                .first()
                .asString()
                .startsWith("No running Millau responds at http://127.0.0.1:0");
        assertThat(out).isEqualTo("""
                Which endpoints are out of rotation is unknown here
                http://shop.example goes to app
                app: matches by host * and path /
                  http://127.0.0.1:8081 in rotation (up)
                Clients are known by the addresses of their connections: no proxy in front is trusted (TRUSTED, PROXY_PROTOCOL; in code: trusted, proxyProtocol)
                Problem: app: app.prot=1: unknown; known are endpoints, enabled, hosts, path, timeout, retry, retry-unsafe, \
                weight, balance, sticky, health, errors, drain, buffer, max-body, max-requests, allow, limit, users, auth, auth-headers, canonical, strip, request-header.NAME, response-header.NAME, compress, cert, key, client-ca, redirect, hsts, scheme, upstream-ca, upstream-name
                """);
        assertThat(status).isZero();
    }

    @Test
    void anotherServerOnTheTelemetryPortIsDetected() throws Exception {
        HttpServer other = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        other.start();
        environment.put("TELEMETRY", "127.0.0.1:" + other.getAddress().getPort());
        run("explain", "shop.example");
        other.stop(0);

        assertThat(err.lines()).first().asString().endsWith("its response is not one of Millau");
        assertThat(err.lines())
                .element(1)
                .asString()
                .startsWith("Docker Engine " + StandaloneServer.NO_ENGINE + " can't be");
        assertThat(out).isEmpty();
        assertThat(status).isEqualTo(2);
    }

    @Test
    void aRouteIsExplainedByItsName() throws Exception {
        String file = file("services.properties", """
                shop.endpoints = http://127.0.0.1:8081
                shop.path = /
                shop.admin.path = /admin
                shop.admin.allow = private
                """);
        run("explain", "--services", file, "shop.example/admin/users");

        assertThat(out)
                .contains("http://shop.example/admin/users goes to shop/admin\nshop/admin: matches by ")
                .contains("\nshop: path /admin is the longer match than /\n");
    }

    /** The order of the arguments does not matter. */
    @Test
    void onlyNamedSourcesAreRead() throws Exception {
        String file = file("services.properties", "app.endpoints = http://127.0.0.1:8081\napp.hosts = one.example\n");
        docker("[" + FakeDocker.container("shop", "\"millau.enabled\":\"true\",\"millau.port\":\"80\"") + "]");

        run("explain", "--services", file, "one.example");
        assertThat(out).contains("http://one.example goes to app\n").doesNotContain("shop");
        assertThat(status).isZero();
        run("explain", "one.example", "--services", file, "--docker");
        assertThat(out)
                .contains(
                        "http://one.example goes to app\n",
                        "shop: it has no running instance, but other matching services do\n");
        run("explain", "--docker", "one.example");
        assertThat(out)
                .contains(
                        "http://one.example goes to shop: 502 No running instance of shop\nWhy: shop: shares no network")
                .doesNotContain("app", "Problem: ");
        assertThat(err).isEmpty();
        assertThat(status).isEqualTo(1);
    }

    /** Java reads ü as two characters that stand for others where the locale is not of UTF-8, in a container for instance. */
    @Test
    void aHostThatTheLocaleDoesNotHaveIsNotBlamedOnTheHost() {
        run("explain", "http://b\uFFFD\uFFFDcher.test");

        assertThat(err)
                .endsWith(
                        "cher.test: expected a URL in ASCII, since this system's locale has no other characters: write the"
                                + " Punycode form of the host name, xn--…, or set LC_ALL=C.UTF-8\n");
        assertThat(status).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "--services", "a --services", "--services f", "--dokcer a", "ftp://a/", "/api"})
    void wrongUsageIsReportedInOneLine(String arguments) {
        run(("explain " + arguments).strip().split(" "));

        assertThat(err.lines()).singleElement().asString().startsWith("explain").contains(": expected ");
        assertThat(out).isEmpty();
        assertThat(status).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({
        "--services /no/such/file, '/no/such/file: expected a properties file, or a folder of them, that can be read (there is none)'",
        "--docker, Docker Engine unix:///var/run/no-such-engine.sock can't be reached (is it running",
    })
    void anUnreadableSourceIsReportedInOneLine(String source, String line) {
        run(("explain a " + source).split(" "));

        assertThat(err.lines()).singleElement().asString().startsWith(line);
        assertThat(status).isEqualTo(2);
    }
}
