package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The bill of materials (CycloneDX) beside the runnable jar. */
class BillOfMaterialsIT {

    private static final Path FILE = Path.of(System.getProperty("millau.bill.of.materials"));
    private static final Path LIBRARIES = Path.of(System.getProperty("millau.libraries"));

    @BeforeAll
    static void requireIt() {
        assumeFalse(
                "offline=true".equals(System.getProperty("millau.maven")), "Maven makes no bill of materials offline");
    }

    @Test
    void itHasEachJarWithVersionLicenceAndHash() throws Exception {
        JsonNode bill = new ObjectMapper().readTree(FILE.toFile());

        assertThat(bill.path("bomFormat").asText()).isEqualTo("CycloneDX");
        assertThat(bill.at("/metadata/component/name").asText()).isEqualTo("millau-server");
        for (Path jar : jars()) {
            JsonNode component = component(bill, sha256(jar));
            String name = component.path("name").asText();
            String version = component.path("version").asText();
            assertThat(jar.getFileName()).hasToString(name + "-" + version + ".jar");
            assertThat(component.at("/purl").asText()).startsWith("pkg:maven/").contains(name + "@" + version);
            assertThat(component.path("licenses")).as("licences of " + jar).isNotEmpty();
        }
    }

    @Test
    void itHasNothingElse() throws Exception {
        assertThat(new ObjectMapper().readTree(FILE.toFile()).path("components"))
                .hasSameSizeAs(jars());
    }

    private static List<Path> jars() throws IOException {
        try (Stream<Path> files = Files.list(LIBRARIES)) {
            List<Path> jars =
                    files.filter(file -> file.toString().endsWith(".jar")).toList();
            assertThat(jars).hasSizeGreaterThan(10);
            return jars;
        }
    }

    private static JsonNode component(JsonNode bill, String sha256) {
        for (JsonNode component : bill.path("components")) {
            for (JsonNode hash : component.path("hashes")) {
                if (hash.path("content").asText().equals(sha256)) {
                    return component;
                }
            }
        }
        throw new AssertionError("no component has the SHA-256 " + sha256);
    }

    private static String sha256(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }
}
