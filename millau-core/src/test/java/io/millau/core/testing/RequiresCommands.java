package io.millau.core.testing;

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
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * Tests that need programs of the machine: skipped if one isn't installed, or failed if {@code -Dmillau.docker=required} says
 * that nothing may be skipped.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RequiresCommands.Condition.class)
public @interface RequiresCommands {

    /** The names of the commands. */
    String[] value();

    /** Whether the commands are installed. */
    final class Condition implements ExecutionCondition {
        private static final String PROPERTY = "millau.docker";

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            String[] commands = AnnotationSupport.findAnnotation(context.getElement(), RequiresCommands.class)
                    .map(RequiresCommands::value)
                    .orElse(new String[0]);
            List<String> missing = Arrays.stream(commands)
                    .filter(command -> !isInstalled(command))
                    .toList();
            if (missing.isEmpty()) {
                return ConditionEvaluationResult.enabled("all commands are there");
            }
            String obstacle = String.join(" and ", missing) + " missing: install it, as .ci/run does";
            if ("required".equals(System.getProperty(PROPERTY))) {
                throw new AssertionError("-D" + PROPERTY + "=required, but " + obstacle);
            }
            return ConditionEvaluationResult.disabled(obstacle);
        }

        /** Whether a command is in the path. */
        public static boolean isInstalled(String command) {
            String path = Optional.ofNullable(System.getenv("PATH")).orElse("") + File.pathSeparator + "/usr/sbin";
            return Arrays.stream(path.split(File.pathSeparator))
                    .anyMatch(folder -> Files.isExecutable(Path.of(folder, command)));
        }
    }
}
