package io.millau.examples.documents;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.RequiresCommands;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The commands in README and docs, from the top of each page to its end. What deploys an example file, scales or changes its services does that with a
 * {@link StandIn}; {@code curl} asks it, and the lines that the page shows must be among its output, in their order. {@code openssl} and
 * {@code export} are run as they are. Every other command stands in {@code documents/commands.txt}, with the file in which it is
 * tested, or run by whoever builds.
 */
@RequiresCommands({"curl", "openssl"})
class CommandsTest {

    private static final Path ELSEWHERE = Path.of("src/test/resources/documents/commands.txt");

    private static final Pattern DEPLOY = Pattern.compile("docker stack deploy --compose-file (\\S+) (\\S+)");
    private static final Pattern UP = Pattern.compile("docker compose --file (\\S+) up --detach");
    private static final Pattern STOP = Pattern.compile("docker compose --file (\\S+) stop (\\S+)");
    private static final Pattern SCALE = Pattern.compile("docker service scale (\\w+?)_(\\w+)=0");
    private static final Pattern LABEL = Pattern.compile("docker service update --label-add (\\S+) (\\w+?)_(\\w+)");
    private static final Pattern EXPORT = Pattern.compile("export (\\w+)=(.*)");

    @TempDir
    Path folder;

    static Stream<Document> pages() {
        return Document.all().stream()
                .filter(page -> page.blocks().stream()
                        .anyMatch(block -> Set.of("sh", "console").contains(block.kind())));
    }

    @ParameterizedTest
    @MethodSource("pages")
    void whatThePageShowsHappens(Document page) throws Exception {
        Set<String> elsewhere = elsewhere().keySet();
        try (StandIn standIn = new StandIn()) {
            for (Document.Block block : page.blocks()) {
                if (block.kind().equals("sh")) {
                    for (String command : block.text().lines().toList()) {
                        if (!elsewhere.contains(command)) {
                            perform(command, standIn, block);
                        }
                    }
                } else if (block.kind().equals("console")) {
                    ask(block, standIn, elsewhere);
                }
            }
        }
    }

    private void perform(String command, StandIn standIn, Document.Block block) throws Exception {
        Matcher deploy = DEPLOY.matcher(command);
        Matcher up = UP.matcher(command);
        Matcher stop = STOP.matcher(command);
        Matcher scale = SCALE.matcher(command);
        Matcher label = LABEL.matcher(command);
        Matcher export = EXPORT.matcher(command);
        if (deploy.matches()) {
            standIn.deploy(Document.ROOT.resolve(deploy.group(1)), deploy.group(2));
        } else if (up.matches()) {
            standIn.deploy(Document.ROOT.resolve(up.group(1)), up.group(1));
        } else if (stop.matches()) {
            standIn.stop(stop.group(1), stop.group(2));
        } else if (scale.matches()) {
            standIn.stop(scale.group(1), scale.group(2));
        } else if (label.matches()) {
            standIn.label(label.group(2), label.group(3), label.group(1));
        } else if (export.matches()) {
            String value = run("printf %s \"" + export.group(2) + "\"", List.of());
            if (!value.isEmpty()) {
                standIn.set(export.group(1), value);
            }
        } else if (command.startsWith("openssl ")) {
            run(command, List.of());
        } else {
            throw new AssertionError(
                    block + ": " + command + ": no test runs this; " + ELSEWHERE + " names those that do");
        }
    }

    private void ask(Document.Block block, StandIn standIn, Set<String> elsewhere) throws Exception {
        String[] parts = block.text().split("(?m)^\\$ ");
        assertThat(parts[0]).as(block.toString()).isEmpty();
        for (String part : List.of(parts).subList(1, parts.length)) {
            List<String> lines = new ArrayList<>(part.lines().toList());
            String command = lines.remove(0);
            if (elsewhere.contains(command)) {
                continue;
            }
            assertThat(command).as(block.toString()).contains("curl ");
            List<String> output =
                    run(command, standIn.connectTo()).lines().map(String::strip).toList();
            int from = 0;
            for (String expected : lines) {
                int found = output.subList(from, output.size()).indexOf(expected.strip());
                if (found < 0 && expected.endsWith(": :")) {
                    found = indexOfPrefix(output.subList(from, output.size()), expected.strip());
                }
                assertThat(found)
                        .as("%s: %s: “%s” in %s", block, command, expected, output)
                        .isNotNegative();
                from += found + 1;
            }
        }
    }

    /** Where a value begins as shown, and goes on. */
    private static int indexOfPrefix(List<String> lines, String prefix) {
        return lines.indexOf(lines.stream()
                .filter(line -> line.startsWith(prefix))
                .findFirst()
                .orElse("none"));
    }

    /** Runs a command in a shell, where {@code curl} has further arguments; returns its output. */
    private String run(String command, List<String> curl) throws Exception {
        Path output = Files.createTempFile(folder, "output", ".txt");
        String function = "curl() { command curl --silent --noproxy '*' " + String.join(" ", curl) + " \"$@\"; }\n";
        Process process = new ProcessBuilder("sh", "-c", function + command)
                .directory(folder.toFile())
                .redirectError(folder.resolve("error.txt").toFile())
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as(command).isTrue();
        assertThat(process.exitValue())
                .as(command + "\n" + Files.readString(folder.resolve("error.txt"), StandardCharsets.UTF_8))
                .isZero();
        return Files.readString(output);
    }

    /** Commands that this test does not run: each with the file that does, and the words there. */
    private static Map<String, String[]> elsewhere() {
        return Document.read(ELSEWHERE)
                .lines()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .map(line -> line.split(" +\\| "))
                .collect(Collectors.toMap(parts -> parts[0], parts -> parts));
    }

    @Test
    void commandsThatAreRunElsewhereAreRunThere() {
        Set<String> shown = new HashSet<>();
        pages().flatMap(page -> page.blocks().stream())
                .filter(block -> Set.of("sh", "console").contains(block.kind()))
                .flatMap(block -> block.text().lines())
                .forEach(line -> shown.add(line.replaceFirst("^\\$ ", "")));

        elsewhere().forEach((command, parts) -> {
            assertThat(shown)
                    .as(ELSEWHERE + " has a command that no page shows")
                    .contains(command);
            assertThat(parts).as(command).hasSize(3);
            assertThat(Document.read(Document.ROOT.resolve(parts[1])))
                    .as(command)
                    .contains(parts[2]);
        });
    }
}
