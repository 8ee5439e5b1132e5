package io.millau.core.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/** The packaged server in its own process, by default on free ports and without an engine. Not thread-safe. */
public final class StandaloneServer implements AutoCloseable {

    public static final String NO_ENGINE = "unix:///var/run/no-such-engine.sock";

    private static final List<String> HEAP = List.of("-Xmx48m", "-XX:MaxDirectMemorySize=32m");

    private static final Path JAR =
            Path.of("..", "millau-server", "target", "millau-server.jar").toAbsolutePath();

    private final Process process;
    private final Path output;

    public StandaloneServer(Path output, Map<String, String> environment, String... arguments) throws IOException {
        this(output, List.of(), HEAP, environment, arguments);
    }

    private StandaloneServer(
            Path output, List<String> prefix, List<String> memory, Map<String, String> environment, String... arguments)
            throws IOException {
        this.output = output;
        List<String> command = new ArrayList<>(prefix);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(memory);
        command.addAll(List.of("-jar", JAR.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().put("HTTP", "127.0.0.1:0");
        builder.environment().put("HTTPS", "127.0.0.1:0");
        builder.environment().put("TELEMETRY", "127.0.0.1:0");
        builder.environment().put("DOCKER_HOST", NO_ENGINE);
        builder.environment().putAll(environment);
        process = builder.start();
    }

    /** A server that may have so many files and sockets open. */
    public static StandaloneServer withFiles(int files, Path output, Map<String, String> environment)
            throws IOException {
        return new StandaloneServer(
                output, List.of("sh", "-c", "ulimit -n " + files + " && exec \"$@\"", "sh"), HEAP, environment);
    }

    /** A server whose heap may have so many megabytes. */
    public static StandaloneServer withHeap(int megabytes, Path output, Map<String, String> environment)
            throws IOException {
        return new StandaloneServer(output, List.of(), List.of("-Xmx" + megabytes + "m"), environment);
    }

    public String output() throws IOException {
        return Files.readString(output, StandardCharsets.UTF_8);
    }

    public void awaitLine(String text) {
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> output().contains(text));
    }

    public int port(String pattern) throws IOException {
        Matcher matcher = Pattern.compile(pattern).matcher(output());
        assertThat(matcher.find()).as(output()).isTrue();
        return Integer.parseInt(matcher.group(1));
    }

    public int httpPort() throws IOException {
        return port("Listens on 127\\.0\\.0\\.1:(\\d+) ");
    }

    public int httpsPort() throws IOException {
        return port("127\\.0\\.0\\.1:(\\d+) \\(HTTPS\\)");
    }

    public int telemetryPort() throws IOException {
        return port("and \\S*:(\\d+) \\(status");
    }

    public boolean isRunning() {
        return process.isAlive();
    }

    public void terminate() {
        process.destroy();
    }

    public int exit() throws Exception {
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as(output()).isTrue();
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
