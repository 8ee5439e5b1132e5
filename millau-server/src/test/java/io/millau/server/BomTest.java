package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** The BOM manages the versions of our artifacts only, not of Jackson, JUnit or slf4j. */
class BomTest {

    private static Element read(String pom) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new File(pom))
                .getDocumentElement();
    }

    private static Stream<String> texts(Element parent, String element) {
        NodeList found = parent.getElementsByTagName(element);
        return IntStream.range(0, found.getLength())
                .mapToObj(i -> found.item(i).getTextContent().strip());
    }

    @Test
    void itListsOurArtifactsOnly() throws Exception {
        Element bom = read("../millau-bom/pom.xml");

        assertThat(bom.getElementsByTagName("parent").getLength()).isZero();
        Element managed = (Element) bom.getElementsByTagName("dependencies").item(0);
        assertThat(texts(managed, "groupId")).containsOnly("io.millau");
        assertThat(texts(managed, "artifactId"))
                .containsExactlyInAnyOrder(
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
