package io.millau.server;

import java.io.File;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Tests that need {@link TestSsl}: skipped if it isn't installed, or failed if {@code -Dmillau.docker=required} is set.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RequiresTestSsl.Condition.class)
public @interface RequiresTestSsl {

    /** Whether testssl.sh is installed. */
    final class Condition implements ExecutionCondition {
        private static final String PROPERTY = "millau.docker";

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            if (isInstalled()) {
                return ConditionEvaluationResult.enabled(TestSsl.COMMAND + " is there");
            }
            String obstacle = TestSsl.COMMAND + " isn't installed: apt-get install testssl.sh";
            if ("required".equals(System.getProperty(PROPERTY))) {
                throw new AssertionError("testssl.sh is required by -D" + PROPERTY + "=required, but " + obstacle);
            }
            return ConditionEvaluationResult.disabled(obstacle);
        }

        private static boolean isInstalled() {
            String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
            return Arrays.stream(path.split(File.pathSeparator))
                    .anyMatch(folder -> Files.isExecutable(Path.of(folder, TestSsl.COMMAND)));
        }
    }
}
