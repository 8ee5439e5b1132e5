package io.millau.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** {@code docs/reference/environment.md} and {@code --help} name the settings that are read, and no others. */
class EnvironmentDocumentTest extends CommandTest {

    private static final Path DOCUMENT = Path.of("..", "docs", "reference", "environment.md");
    private static final Path CODE = Path.of("src/main/java/io/millau/server/cli/Configuration.java");

    private static final Pattern ROW = Pattern.compile("(?m)^\\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \\|");
    private static final Pattern READ = Pattern.compile("variables\\s*\\.(?:is|read|text)\\w*\\(\\s*\"([A-Z_]+)\"");
    private static final Pattern LINE = Pattern.compile("(?m)^  ([A-Z][A-Z_]+(?:, [A-Z_]+)*)(?: |$)");

    /** Nothing reads it: it is accepted for those who come from the original. */
    private static final String LICENSE = "LICENSE";

    @Test
    void theTableHasEverySettingThatIsRead() throws IOException {
        Set<String> read = names(READ, Files.readString(CODE));
        read.add(LICENSE);

        assertThat(read).hasSizeGreaterThan(20);
        assertThat(names(ROW, Files.readString(DOCUMENT))).isEqualTo(read);
    }

    @Test
    void helpHasTheSameSettings() throws IOException {
        run("--help");

        String environment = out.substring(out.indexOf("Environment:"));
        assertThat(names(LINE, environment)).isEqualTo(names(ROW, Files.readString(DOCUMENT)));
    }

    @Test
    void everyCommandOfHelpIsInTheTable() throws IOException {
        run("--help");

        Set<String> commands = Pattern.compile("java -jar millau-server\\.jar (\\w+)")
                .matcher(out)
                .results()
                .map(found -> found.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
        String table = Files.readString(DOCUMENT.resolveSibling("commands.md"));
        commands.remove("serve");
        assertThat(commands)
                .hasSizeGreaterThan(3)
                .allSatisfy(command -> assertThat(table).containsPattern("(?m)^\\| `" + command + "\\b.*` \\|"));
    }

    private static Set<String> names(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .flatMap(found -> Set.of(found.group(1).replace("`", "").split(", ")).stream())
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
