package io.millau.examples.browser;

import java.io.File;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Tests that need a {@link Browser}: skipped where none is installed, failed if {@code -Dmillau.docker=required} says that
 * nothing may be skipped.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RequiresBrowser.Condition.class)
public @interface RequiresBrowser {

    /** Whether it is installed. */
    final class Condition implements ExecutionCondition {
        private static final String PROPERTY = "millau.docker";

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            Optional<String> missing = List.of("chromium", Browser.DRIVER).stream()
                    .filter(command -> !isInstalled(command))
                    .findFirst();
            if (missing.isEmpty()) {
                return ConditionEvaluationResult.enabled("a browser is there");
            }
            String obstacle = missing.get() + " isn't installed: apt-get install chromium chromium-driver";
            if ("required".equals(System.getProperty(PROPERTY))) {
                throw new AssertionError("a browser is required by -D" + PROPERTY + "=required, but " + obstacle);
            }
            return ConditionEvaluationResult.disabled(obstacle);
        }

        private static boolean isInstalled(String command) {
            String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
            return Arrays.stream(path.split(File.pathSeparator))
                    .anyMatch(folder -> Files.isExecutable(Path.of(folder, command)));
        }
    }
}
