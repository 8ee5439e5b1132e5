package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The table at the end of a document, whose rows a test plays. With {@code -Dmillau.documents=write} the test writes it anew.
 *
 * @param file the name of the document
 * @param head the first lines of the table
 */
record PlayedTable(String file, String head) {

    private static final boolean WRITE = "write".equals(System.getProperty("millau.documents"));

    /** The document has this table, or gets it; each row ends with a line end. */
    void hasRows(Class<?> test, String rows) throws IOException {
        Path path = Path.of("..", "docs", "reference", file);
        String document = Files.readString(path);
        int start = document.indexOf(head);
        assertThat(start).isPositive();
        if (WRITE) {
            Files.writeString(path, document.substring(0, start) + head + rows);
        } else {
            assertThat(document.substring(start))
                    .as(
                            "write it anew: mvn -pl millau-server -am test -Dtest=%s -Dmillau.documents=write"
                                    + " -Dsurefire.failIfNoSpecifiedTests=false",
                            test.getSimpleName())
                    .isEqualTo(head + rows);
        }
    }
}
