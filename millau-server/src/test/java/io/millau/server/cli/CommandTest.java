package io.millau.server.cli;

import io.millau.core.testing.StandaloneServer;
import io.millau.server.FakeDocker;
import io.millau.server.ProxyTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;

/** Runs commands as a shell does; by default without a running proxy and without an engine. */
abstract class CommandTest extends ProxyTest {

    @TempDir
    Path folder;

    final Map<String, String> environment =
            new HashMap<>(Map.of("DOCKER_HOST", StandaloneServer.NO_ENGINE, "TELEMETRY", "127.0.0.1:0"));

    int status;
    String out = "";
    String err = "";

    final void run(String... arguments) {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        ByteArrayOutputStream errors = new ByteArrayOutputStream();
        status = Main.run(
                List.of(arguments),
                environment,
                new PrintStream(output, true, StandardCharsets.UTF_8),
                new PrintStream(errors, true, StandardCharsets.UTF_8));
        // The folder's name differs from run to run.
        out = output.toString(StandardCharsets.UTF_8).replace(folder + "/", "");
        err = errors.toString(StandardCharsets.UTF_8).replace(folder + "/", "");
    }

    final String file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text).toString();
    }

    final FakeDocker docker(String containers) throws IOException {
        FakeDocker docker = closing(new FakeDocker(containers));
        environment.put("DOCKER_HOST", docker.host());
        return docker;
    }
}
