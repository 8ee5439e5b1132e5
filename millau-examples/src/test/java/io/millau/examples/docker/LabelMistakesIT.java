package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the operator reads in {@code docker logs} about labels that can't be what was meant. */
@RequiresImages
@ExtendWith(Stage.Provider.class)
class LabelMistakesIT {

    private static Stack stack;

    @BeforeAll
    static void deploy(Stage stage) {
        String text = Stage.read("stacks/quickstart.yml");
        text += service("typo", "millau.enabled=true", "millau.prot=80", "millau.hosts=typo.example");
        text += service("port", "millau.enabled=true", "millau.port=eighty", "millau.hosts=port.example");
        text += service("path", "millau.enabled=true", "millau.port=80", "millau.path=api/");
        text += service(
                "surplus", "millau.enabled=true", "millau.port=80", "millau.hosts=two.example", "millau.tiemout=5");
        stack = stage.deployText(text, "mistakes");
        stack.front().awaitInstances("localhost", "/", 3);
        stack.front().await("two.example", "/", answer -> answer.name().equals("surplus"));
    }

    private static String service(String name, String... labels) {
        StringBuilder text = new StringBuilder("\n  " + name + ":\n    image: millau-echo:latest\n");
        text.append("    environment:\n      NAME: ").append(name).append('\n');
        text.append("    deploy:\n      labels:\n");
        Arrays.stream(labels)
                .forEach(label -> text.append("        - ").append(label).append('\n'));
        return text.toString();
    }

    @AfterAll
    static void remove() {
        if (stack != null) {
            stack.close();
        }
    }

    private static String warningAbout(String service) {
        return await("a warning about " + service)
                .atMost(Duration.ofSeconds(120))
                .until(() -> warningsAbout(service).stream().findFirst().orElse(""), line -> !line.isEmpty());
    }

    private static List<String> warningsAbout(String service) {
        return stack.log()
                .lines()
                .filter(line -> line.contains(" WARN ") && line.contains(" mistakes_" + service + ":"))
                .toList();
    }

    @Test
    void aTypoIsNamedWithWhatWasProbablyMeant() {
        assertThat(warningAbout("typo")).contains("millau.prot=80", "did you mean millau.port?");
        assertThat(warningAbout("surplus")).contains("millau.tiemout=5", "did you mean millau.timeout?");
    }

    @Test
    void anUnreadableValueIsNamedWithWhatWasExpected() {
        assertThat(warningAbout("port")).contains("millau.port=eighty", "expected", "65535");
        assertThat(warningAbout("path")).contains("millau.path=api/", "expected", "/api/");
    }

    @Test
    void everyOtherServiceIsUnaffected() throws Exception {
        assertThat(stack.front().get("localhost", "/", 30).stream().map(Answer::instance))
                .containsAll(stack.instances("app"));
        assertThat(stack.front().get("two.example", "/").name()).isEqualTo("surplus");
        assertThat(stack.front().get("path.example", "/api/").name()).isNotEqualTo("path");
    }

    @Test
    void aMistakeThatIsMadeLaterLeavesTheServiceAsItWas() throws Exception {
        stack.engine().docker("service", "update", "--detach", "--label-add=millau.timeout=soon", "mistakes_surplus");
        await().atMost(Duration.ofSeconds(120))
                .until(() -> warningsAbout("surplus").stream().anyMatch(line -> line.contains("millau.timeout=soon")));

        assertThat(stack.front().get("two.example", "/").name()).isEqualTo("surplus");
        assertThat(warningsAbout("surplus").get(warningsAbout("surplus").size() - 1))
                .contains("expected", "last good");
    }
}
