package io.millau.docker.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Runs commands and waits until they end. */
public final class Shell {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    private Shell() {}

    record Result(int status, String out, String err) {}

    /** Runs a command that must succeed, and returns its output without the last line break. */
    public static String run(String... command) {
        return run(List.of(command), Map.of(), null);
    }

    /** Like {@link #run(String...)}, with additional environment and an optional file as input. */
    static String run(List<String> command, Map<String, String> environment, @Nullable Path input) {
        Result result = attempt(command, environment, input);
        if (result.status != 0) {
            throw new AssertionError(
                    String.join(" ", command) + "\nended with " + result.status + "\n" + result.err + result.out);
        }
        return result.out.stripTrailing();
    }

    /** Runs a command that may fail. */
    static Result attempt(List<String> command, Map<String, String> environment, @Nullable Path input) {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        if (input != null) {
            builder.redirectInput(input.toFile());
        }
        try {
            Process process = builder.start();
            if (input == null) {
                try (OutputStream nothing = process.getOutputStream()) {
                    nothing.flush();
                }
            }
            CompletableFuture<String> out = CompletableFuture.supplyAsync(() -> read(process.getInputStream()));
            CompletableFuture<String> err = CompletableFuture.supplyAsync(() -> read(process.getErrorStream()));
            if (!process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(String.join(" ", command) + " hasn't ended within " + PATIENCE);
            }
            return new Result(process.exitValue(), out.join(), err.join());
        } catch (IOException e) {
            throw new AssertionError(String.join(" ", command) + " can't be run", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(String.join(" ", command) + " was interrupted", e);
        }
    }

    private static String read(InputStream stream) {
        try (stream) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
