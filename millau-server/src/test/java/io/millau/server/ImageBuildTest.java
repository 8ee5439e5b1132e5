package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the script that makes the image says of the Java that it finds. It ends for want of a C compiler then. */
class ImageBuildTest {

    @TempDir
    Path folder;

    @BeforeEach
    void makeDocker() throws IOException {
        assumeTrue(System.getProperty("os.name").equals("Linux"), "the script needs Linux");
        program(folder.resolve("docker"));
    }

    private static void program(Path file) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n");
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    @Test
    void itNamesTheJavaThatItUses() throws Exception {
        Path home = folder.resolve("jdk");
        program(home.resolve("bin/jlink"));
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"25.0.9\"\n");

        assertThat(output(home)).startsWith("Java for test:latest: 25.0.9 in " + home + "\n");
    }

    @Test
    void anotherVersionIsNotUsed() throws Exception {
        Path home = folder.resolve("jdk");
        program(home.resolve("bin/jlink"));
        Files.writeString(home.resolve("release"), "JAVA_VERSION=\"17.0.25\"\n");

        assertThat(output(home)).doesNotContain("17.0.25");
    }

    private String output(Path java25) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                "sh",
                "src/main/image/build",
                "required",
                "test:latest",
                "src/main/image",
                folder.resolve("work").toString());
        builder.environment().put("PATH", folder + File.pathSeparator + System.getenv("PATH"));
        builder.environment().put("JAVA25_HOME", java25.toString());
        builder.environment().put("CC", folder.resolve("no-compiler").toString());
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isEqualTo(1);
        return output;
    }
}
