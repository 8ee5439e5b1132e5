package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The documentation of labels is generated from {@link Labels}. After a change there,
 *
 * <pre>mvn -pl millau-core test -Dtest=LabelDocumentsTest -Dmillau.documents=write</pre>
 *
 * regenerates the tables and the schema.
 */
class LabelDocumentsTest {

    private static final boolean WRITE = "write".equals(System.getProperty("millau.documents"));
    private static final String HOW =
            "write it anew: mvn -pl millau-core test -Dtest=LabelDocumentsTest" + " -Dmillau.documents=write";

    private static final Path DOCUMENT = Path.of("..", "docs", "reference", "labels.md");
    private static final Path SCHEMA = Path.of("..", "docs", "labels.schema.json");

    @ParameterizedTest
    @EnumSource(Label.Group.class)
    void theTablesAreUpToDate(Label.Group group) throws IOException {
        String document = Files.readString(DOCUMENT);
        String marker = "<!-- labels:" + group.name().toLowerCase(Locale.ROOT) + " -->\n";
        assertThat(document).containsOnlyOnce(marker);
        int start = document.indexOf(marker) + marker.length();
        int end = document.indexOf("<!-- end of labels -->", start);

        String table = Labels.ALL.table(group);
        if (WRITE) {
            Files.writeString(DOCUMENT, document.substring(0, start) + table + document.substring(end));
        } else {
            assertThat(document.substring(start, end)).as(HOW).isEqualTo(table);
        }
    }

    @Test
    void theSchemaIsUpToDate() throws IOException {
        if (WRITE) {
            Files.writeString(SCHEMA, Labels.ALL.schema());
        } else {
            assertThat(SCHEMA).as(HOW).hasContent(Labels.ALL.schema());
        }
    }
}
