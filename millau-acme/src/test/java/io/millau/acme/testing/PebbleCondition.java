package io.millau.acme.testing;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Whether tests with pebble can run. */
final class PebbleCondition implements ExecutionCondition {

    private static final String PROPERTY = "millau.docker";

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        Optional<String> missing = List.of(Pebble.PEBBLE, Pebble.DNS).stream()
                .filter(command -> !isInstalled(command))
                .findFirst();
        if (missing.isEmpty()) {
            return ConditionEvaluationResult.enabled("pebble is there");
        }
        String obstacle = missing.get() + " isn't installed: apt-get install pebble";
        if ("required".equals(System.getProperty(PROPERTY))) {
            throw new AssertionError("pebble is required by -D" + PROPERTY + "=required, but " + obstacle);
        }
        return ConditionEvaluationResult.disabled(obstacle);
    }

    private static boolean isInstalled(String command) {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return Arrays.stream(path.split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, command)));
    }
}
