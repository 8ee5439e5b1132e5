package io.millau.examples.docker;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code stacks/blue-green.yml} and {@code stacks/canary.yml}. */
@RequiresImages
@ExtendWith(Stage.Provider.class)
class BlueGreenIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private static Stack stack;

    @BeforeAll
    static void deploy(Stage stage) {
        stack = stage.deploy("blue-green.yml", "api");
        stack.front().await("blue.local", "/api/", answer -> answer.status() == 200);
        stack.front().await("green.local", "/api/", answer -> answer.status() == 200);
    }

    @AfterAll
    static void remove() {
        if (stack != null) {
            stack.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"company.com", "www.company.com", "COMPANY.com:80"})
    void blueAndGreenGetHalfEach(String host) throws Exception {
        Map<String, Long> answers = stack.front().get(host, "/api/orders?id=7", 20).stream()
                .peek(answer -> assertThat(answer.status()).isEqualTo(200))
                .collect(groupingBy(Answer::name, counting()));

        assertThat(answers).containsOnly(Map.entry("blue", 10L), Map.entry("green", 10L));
    }

    @ParameterizedTest
    @CsvSource({"blue.local, blue", "green.local, green", "www.green.local, green"})
    void eachHasANameOfItsOwn(String host, String name) throws Exception {
        assertThat(stack.front().get(host, "/api/", 6)).allSatisfy(answer -> {
            assertThat(answer.status()).isEqualTo(200);
            assertThat(answer.name()).isEqualTo(name);
        });
    }

    @ParameterizedTest
    @CsvSource({
        "company.locall, /api/",
        "notcompany.com, /api/",
        "red.local, /api/",
        "other, /",
        "localhost, /api/",
        "company.com, /apii/",
        "company.com, /api",
        "company.com, /",
    })
    void nothingElseIsServed(String host, String path) throws Exception {
        Answer answer = stack.front().get(host, path);

        assertThat(answer.status()).isEqualTo(502);
        assertThat(answer.body()).isEqualTo("No matching services found\n");
    }

    @Test
    void theServiceIsToldWhatTheClientAskedFor() throws Exception {
        Answer answer = stack.front().get("green.local", "/api/x?y=z");

        assertThat(answer.fact("path")).isEqualTo("/api/x?y=z");
        assertThat(answer.fact("header Host")).isEqualTo("green.local");
        assertThat(answer.fact("header X-Forwarded-Host")).isEqualTo("green.local");
        assertThat(answer.fact("header X-Forwarded-Proto")).isEqualTo("http");
    }

    @Test
    void aCanaryGetsOneOfTenUntilItsWeightSaysMore(Stage stage) throws Exception {
        try (Stack shop = stage.deploy("canary.yml", "canary")) {
            shop.front().awaitInstances("localhost", "/", 2);
            assertThat(names(shop)).containsOnly(Map.entry("canary", 1L), Map.entry("stable", 9L));

            shop.engine().docker("service", "update", "--detach", "--label-add=millau.weight=9", "canary_canary");
            await().atMost(PATIENCE).until(() -> names(shop).equals(Map.of("canary", 5L, "stable", 5L)));
        }
    }

    /** How many of ten requests each name gets. */
    private static Map<String, Long> names(Stack stack) throws IOException {
        return stack.front().get("localhost", "/", 10).stream().collect(groupingBy(Answer::name, counting()));
    }
}
