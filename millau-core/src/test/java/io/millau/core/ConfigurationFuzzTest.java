package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.internal.LabelReader;
import io.millau.core.internal.Labels;
import io.millau.core.internal.ServiceLabels;
import io.millau.core.internal.Vocabulary;
import io.millau.core.internal.Words;
import io.millau.core.testing.Fuzz;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Whatever stands in labels or a services file is a value, or a mistake that is named and hurts no other service. */
class ConfigurationFuzzTest {

    private static final byte[] GOOD =
            "\n\ngood-one.endpoints = http://10.1.1.1:81\ngood-one.hosts = good.example\ngood-one.timeout = 7\n"
                    .getBytes(StandardCharsets.UTF_8);

    @Test
    void aLabelHasAValueOrAMistakeThatIsNamed() throws Exception {
        Fuzz.of(
                        "labels",
                        "millau.",
                        "true",
                        "\n",
                        "=",
                        " ",
                        "*",
                        ".",
                        "/",
                        "\0",
                        "millau.path=/x\n",
                        "millau.enabled=true\n",
                        "millau.admin.",
                        "admin.port=9000\n",
                        "xn--",
                        "\u00c3\u009f",
                        "-----BEGIN CERTIFICATE-----",
                        "$2y$10$")
                .check((input, random) -> {
                    Map<String, String> labels = labels(new String(input, StandardCharsets.UTF_8));
                    Vocabulary.Reading reading = ServiceLabels.read(labels, Set.of(80));
                    assertThat(reading)
                            .hasToString(ServiceLabels.read(labels, Set.of(80)).toString());
                    assertThat(!reading.routes().isEmpty()
                                    || !reading.problems().isEmpty())
                            .as("settings, or why there are none")
                            .isTrue();
                    for (String problem : reading.problems()) {
                        boolean nearly = labels.keySet().stream()
                                .anyMatch(label -> problem.startsWith(Words.shown(Words.withoutValue(label)))
                                        && ServiceLabels.isNearlyOurs(label));
                        assertThat(nearly || problem.toLowerCase().startsWith("millau."))
                                .as("names the label: %s", problem)
                                .isTrue();
                        assertThat(problem).as("one line").doesNotContain("\n", "\r", "\0");
                    }
                    reading.routes().forEach((route, settings) -> {
                        assertThat(route).matches("[0-9A-Za-z-]*");
                        assertThat(settings.port()).isBetween(0, 65_535);
                        assertThat(settings.service("app").build().path()).startsWith("/");
                    });
                });
    }

    private static Map<String, String> labels(String lines) {
        Map<String, String> labels = new LinkedHashMap<>();
        for (String line : lines.split("\n")) {
            String[] parts = line.split("=", 2);
            labels.put(parts[0], parts.length > 1 ? parts[1] : "");
        }
        return labels;
    }

    @Test
    void aMistakeInTheFileHurtsItsServiceAlone() throws Exception {
        Fuzz.of(
                        "services",
                        ".endpoints = http://10.0.0.9:80",
                        ".hosts=",
                        ".admin",
                        ".path=/admin\n",
                        ".",
                        "=",
                        ":",
                        "\\",
                        "\\\n",
                        "\\u0041",
                        "\\u00",
                        "\n",
                        "\r",
                        "#",
                        "\0",
                        "\u00ef\u00bb\u00bf",
                        "\u00e2\u0080\u0082",
                        "orders",
                        "web.client_ca = x\n")
                .check((input, random) -> {
                    ByteArrayOutputStream file = new ByteArrayOutputStream();
                    file.writeBytes(input);
                    file.writeBytes(GOOD);
                    DeclaredServices declared;
                    try {
                        declared = DeclaredServices.parse("file x", file.toByteArray());
                    } catch (IOException e) {
                        assertThat(e.getMessage()).contains("expected a text file in UTF-8, but byte");
                        return;
                    }
                    LabelReader.Batch batch = new LabelReader().batch();
                    List<String> read = new ArrayList<>();
                    declared.values().forEach((name, values) -> {
                        List<String> mistakes = declared.mistakes(name);
                        Vocabulary.Reading reading = Labels.ALL.readFile(name, values);
                        List<LabelReader.Route> routes =
                                batch.accept(name, name, mistakes.isEmpty() ? reading : reading.unreadable(mistakes));
                        assertThat(name).isNotEmpty();
                        if (!routes.isEmpty()) {
                            read.add(name);
                            assertThat(mistakes).as("mistakes of " + name).isEmpty();
                        }
                    });
                    assertThat(read).contains("good-one");
                    Service good = Labels.ALL
                            .readFile("good-one", declared.values().get("good-one"))
                            .routes()
                            .get("")
                            .service("good-one")
                            .build();
                    assertThat(good.hosts()).containsExactly("good.example");
                    assertThat(good.timeout()).hasSeconds(7);
                    for (Problem problem : batch.finish()) {
                        assertThat(declared.values()).containsKey(problem.service());
                        assertThat(problem.service()).isNotEqualTo("good-one");
                    }
                });
    }
}
