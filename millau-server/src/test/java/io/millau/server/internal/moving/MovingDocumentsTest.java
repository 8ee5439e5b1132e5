package io.millau.server.internal.moving;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.internal.Label;
import io.millau.core.internal.Labels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The tables of {@code docs/how-to/migrating.md} are what the command goes by. After a change there,
 *
 * <pre>mvn -pl millau-server -am test -Dtest=MovingDocumentsTest -Dsurefire.failIfNoSpecifiedTests=false -Dmillau.documents=write</pre>
 *
 * writes them anew.
 */
class MovingDocumentsTest {

    private static final boolean WRITE = "write".equals(System.getProperty("millau.documents"));
    private static final Path DOCUMENT = Path.of("..", "docs", "how-to", "migrating.md");
    private static final Pattern LABEL = Pattern.compile("millau\\.([a-z-]+)");

    @ParameterizedTest
    @EnumSource(Moving.Proxy.class)
    void theTableIsWhatTheCommandGoesBy(Moving.Proxy proxy) throws IOException {
        check("<!-- moving:" + proxy + " -->\n", proxy.table());
    }

    @Test
    void theTableOfTraefiksArgumentsIs() throws IOException {
        check("<!-- moving:traefik-arguments -->\n", Moving.Proxy.TRAEFIK.argumentTable());
    }

    private static void check(String marker, String table) throws IOException {
        String document = Files.readString(DOCUMENT);
        assertThat(document).containsOnlyOnce(marker);
        int start = document.indexOf(marker) + marker.length();
        int end = document.indexOf("<!-- end of table -->", start);

        if (WRITE) {
            Files.writeString(DOCUMENT, document.substring(0, start) + table + document.substring(end));
        } else {
            assertThat(document.substring(start, end))
                    .as("write it anew: -Dtest=MovingDocumentsTest -Dmillau.documents=write")
                    .isEqualTo(table);
        }
    }

    @Test
    void theLabelsInItExist() throws IOException {
        Set<String> known = new HashSet<>(Set.of(Labels.PORT.name(), Labels.NETWORK.name()));
        Labels.ALL.inFile().stream().map(Label::name).forEach(known::add);

        assertThat(LABEL.matcher(Files.readString(DOCUMENT)).results().map(label -> label.group(1)))
                .isNotEmpty()
                .allMatch(known::contains);
    }
}
