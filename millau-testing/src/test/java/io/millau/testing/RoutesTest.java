package io.millau.testing;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RoutesTest {

    @TempDir
    Path folder;

    private Path file(String yaml) throws IOException {
        return Files.writeString(folder.resolve("compose.yml"), yaml);
    }

    private Path shop() throws IOException {
        return file("""
                services:
                  web:
                    labels: [millau.enabled=true, millau.port=80, millau.hosts=shop.example]
                  orders:
                    deploy:
                      labels: [millau.enabled=true, millau.port=80, millau.hosts=shop.example, millau.path=/orders/]
                  blue:
                    labels: [millau.enabled=true, millau.port=80, "millau.hosts=${BLUE_GREEN}"]
                  green:
                    labels: [millau.enabled=true, millau.port=80, "millau.hosts=${BLUE_GREEN}"]
                  off:
                    labels: [millau.enabled=false]
                """);
    }

    @Test
    void itKnowsWhereAUrlGoesTo() throws Exception {
        Files.writeString(folder.resolve(".env"), "BLUE_GREEN=www.example # both\n");
        Routes routes = Routes.of(shop());

        routes.sends("https://shop.example/").to("web");
        routes.sends("https://shop.example/orders/7?x").to("orders");
        routes.sends("http://www.example/").to("green", "blue");
        routes.sends("http://other.example/").nowhere();
    }

    @Test
    void aFailureSaysWhyInTheWordsOfExplain() throws Exception {
        Files.writeString(folder.resolve(".env"), "BLUE_GREEN=www.example");
        Routes routes = Routes.of(shop());

        assertThatThrownBy(() -> routes.sends("https://shop.example/order/7").to("orders"))
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith(
                        "compose.yml: expected https://shop.example/order/7 to go to orders, but it goes to web\n"
                                + "web: matches by host shop.example and path /\n"
                                + "off: not enabled, though its host and path would fit\n"
                                + "orders: its path /orders/ is not the beginning of /order/7\n");
        assertThatThrownBy(() -> routes.sends("http://shop.example/").nowhere())
                .hasMessageContaining("expected http://shop.example/ to go nowhere, but it goes to web\n");
        assertThatThrownBy(() -> routes.sends("ftp://shop.example/")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aMistakeInALabelFailsTheTest() throws Exception {
        Path file = file("""
                services:
                  web:
                    labels: [millau.enabled=true, millau.prot=80]
                """);

        assertThatThrownBy(() -> Routes.of(file))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("compose.yml:3: web: millau.prot=80: unknown, did you mean millau.port?");
    }

    @Test
    void whatIsNoComposeFileIsNamed() throws Exception {
        Path file = file("services: [");

        assertThatThrownBy(() -> Routes.of(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("compose.yml:1: expected YAML");
        assertThatThrownBy(() -> Routes.of(folder.resolve("other.yml"))).isInstanceOf(UncheckedIOException.class);
    }
}
