package io.millau.examples.docker;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Tests that run {@code docker-compose}: skipped without it, or failed if {@code -Dmillau.docker=required} is set. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RequiresCompose.Condition.class)
@interface RequiresCompose {

    /** Looks for it in the path. */
    final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            boolean installed = Stream.of(System.getenv("PATH").split(":"))
                    .anyMatch(path -> Files.isExecutable(Path.of(path, "docker-compose")));
            if (!installed && "required".equals(System.getProperty("millau.docker"))) {
                throw new AssertionError("docker-compose isn't installed");
            }
            return installed
                    ? ConditionEvaluationResult.enabled("docker-compose is installed")
                    : ConditionEvaluationResult.disabled("docker-compose isn't installed");
        }
    }
}
