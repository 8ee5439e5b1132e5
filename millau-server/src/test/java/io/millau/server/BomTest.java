package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** The BOM manages the versions of our artifacts only, not of Jackson, JUnit or slf4j. */
class BomTest {

    private static Document read(String pom) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new File(pom));
    }

    private static Stream<String> texts(Document pom, String element) {
        NodeList found = pom.getElementsByTagName(element);
        return IntStream.range(0, found.getLength())
                .mapToObj(i -> found.item(i).getTextContent().strip());
    }

    @Test
    void itListsOurArtifactsOnly() throws Exception {
        Document bom = read("../millau-bom/pom.xml");

        assertThat(bom.getElementsByTagName("parent").getLength()).isZero();
        assertThat(bom.getElementsByTagName("dependency").getLength()).isEqualTo(7);
        assertThat(texts(bom, "groupId"))
                .filteredOn(group -> !group.equals("io.millau"))
                .containsExactly("com.diffplug.spotless");
        assertThat(texts(bom, "artifactId"))
                .contains(
                        "millau-core",
                        "millau-docker",
                        "millau-acme",
                        "millau-metrics",
                        "millau-server",
                        "millau-testing",
                        "millau-opentelemetry");
    }

    @Test
    void itHasTheVersionOfTheOtherModules() throws Exception {
        String version = texts(read("../pom.xml"), "version").findFirst().orElseThrow();

        assertThat(texts(read("../millau-bom/pom.xml"), "version").findFirst()).contains(version);
    }
}
