package io.millau.server.internal.moving;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.Fuzz;
import io.millau.server.internal.compose.ComposeServices;
import io.millau.server.internal.compose.NotComposeException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;

/** Whatever stands in another proxy's file is carried over or named, and what is to be pasted is YAML. */
class MovingFuzzTest {

    @Test
    void aFileIsReadOrRefusedWithItsName() throws Exception {
        Fuzz.of(
                        "moving",
                        "services:\n",
                        "  ",
                        "\n",
                        "- ",
                        ": ",
                        "traefik.http.routers.",
                        ".rule=",
                        "Host(`a.example`)",
                        " && ",
                        " || ",
                        "(",
                        ")",
                        "!",
                        "`",
                        ".middlewares=",
                        "traefik.http.middlewares.",
                        "image: traefik",
                        "command: ",
                        "--entrypoints.web.",
                        "http.middlewares=",
                        "TRAEFIK_",
                        "caddy_0.",
                        "caddy.handle: /*",
                        "{{upstreams 80}}",
                        "VIRTUAL_HOST",
                        "${A:-b}",
                        "$$",
                        "'",
                        "\"",
                        "\t",
                        "\0")
                .check((input, random) -> {
                    String text = new String(input, StandardCharsets.UTF_8);
                    for (Moving.Proxy proxy : Moving.Proxy.values()) {
                        try {
                            Moving moving = Moving.from(proxy, "stack.yml", text);
                            assertThat(moving.problems()).isNotNegative();
                            checkBlocks(moving.lines());
                        } catch (NotComposeException e) {
                            assertThat(e.getMessage()).startsWith("stack.yml").contains("expected");
                        }
                    }
                });
    }

    private static void checkBlocks(List<String> lines) throws NotComposeException {
        for (String line : lines) {
            if (line.startsWith("    - ")) {
                assertThat(ComposeServices.yaml("line", line))
                        .asInstanceOf(InstanceOfAssertFactories.LIST)
                        .singleElement()
                        .asString()
                        .matches("(?s)(?:millau\\.|[A-Z_]+=).*");
            } else {
                assertThat(line).doesNotContain("\n");
            }
        }
    }
}
