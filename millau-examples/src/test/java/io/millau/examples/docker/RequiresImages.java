package io.millau.examples.docker;

import io.millau.docker.testing.RequiresDocker;
import io.millau.docker.testing.RequiresOwnDocker;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Tests that run the images of what was just built: skipped where the build could make none, or where a {@link Stage}
 * isn't possible. {@code -Dmillau.docker=required} makes a failure of both, of the first one already in the build.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@RequiresDocker
@RequiresOwnDocker
@ExtendWith(RequiresImages.Condition.class)
@interface RequiresImages {

    /** Reads what the script {@code millau-server/src/main/image/build} says when it makes no image. */
    final class Condition implements ExecutionCondition {
        private static final List<Path> REASONS =
                List.of(Path.of("../millau-server/target/image/skipped"), Path.of("target/image/skipped"));

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            try {
                for (Path reason : REASONS) {
                    if (Files.exists(reason)) {
                        return ConditionEvaluationResult.disabled(
                                Files.readString(reason).strip());
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return ConditionEvaluationResult.enabled("the images were made");
        }
    }
}
