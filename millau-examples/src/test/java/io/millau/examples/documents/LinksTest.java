package io.millau.examples.documents;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Links lead to a file that is there, and to a heading of it. */
class LinksTest {

    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");

    static Stream<Document> pages() {
        return Stream.concat(
                Document.all().stream(),
                Stream.of("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "bench/README.md")
                        .map(Document.ROOT::resolve)
                        .map(Document::of));
    }

    @ParameterizedTest
    @MethodSource("pages")
    void everyLinkLeadsSomewhere(Document page) {
        List<String> dead = LINK.matcher(page.withoutBlocks())
                .results()
                .map(link -> link.group(1))
                .filter(link -> !link.matches("[a-z]+:.*"))
                .filter(link -> !isAlive(page, link))
                .toList();

        assertThat(dead).as("dead links in %s", page).isEmpty();
    }

    private static boolean isAlive(Document page, String link) {
        String[] parts = link.split("#", 2);
        Path target = parts[0].isEmpty()
                ? page.file()
                : page.file().resolveSibling(parts[0]).normalize();
        return Files.exists(target)
                && (parts.length == 1 || Document.of(target).anchors().contains(parts[1]));
    }
}
