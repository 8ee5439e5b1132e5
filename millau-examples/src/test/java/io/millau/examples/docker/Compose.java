package io.millau.examples.docker;

import io.millau.docker.testing.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A project that {@code docker-compose} runs.
 *
 * @param folder has its {@code compose.yml}
 * @param variables of its environment
 */
record Compose(Engine engine, String project, Path folder, Map<String, String> variables) {

    /** Runs a command of docker-compose, which must succeed. */
    void run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("docker-compose", "--project-name", project));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("output").toFile());
        builder.environment().put("DOCKER_HOST", engine.host());
        builder.environment().putAll(variables);
        Process process = builder.start();
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        if (process.waitFor() != 0) {
            throw new AssertionError(String.join(" ", command) + "\n" + Files.readString(folder.resolve("output")));
        }
    }
}
