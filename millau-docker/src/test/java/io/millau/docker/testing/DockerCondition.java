package io.millau.docker.testing;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Whether tests with an engine can run; determined once. */
abstract sealed class DockerCondition implements ExecutionCondition {

    private static final String PROPERTY = "millau.docker";

    private final Optional<String> obstacle;

    DockerCondition(Optional<String> obstacle) {
        this.obstacle = obstacle;
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        if (obstacle.isEmpty()) {
            return ConditionEvaluationResult.enabled("Docker is there");
        }
        if ("required".equals(System.getProperty(PROPERTY))) {
            throw new AssertionError("Docker is required by -D" + PROPERTY + "=required, but " + obstacle.get());
        }
        return ConditionEvaluationResult.disabled(obstacle.get());
    }

    /** The engine of the environment. */
    static final class OfEnvironment extends DockerCondition {
        private static @Nullable Optional<String> asked;

        OfEnvironment() {
            super(ask());
        }

        private static synchronized Optional<String> ask() {
            if (asked == null) {
                Engine engine = Engine.ofEnvironment();
                asked = engine.problem().map(problem -> "no Docker Engine answers at " + engine + ": " + problem);
            }
            return asked;
        }
    }

    /** Engines that tests start themselves. */
    static final class Own extends DockerCondition {
        private static @Nullable Optional<String> asked;

        Own() {
            super(ask());
        }

        private static synchronized Optional<String> ask() {
            if (asked == null) {
                asked = Optional.ofNullable(obstacle());
            }
            return asked;
        }

        private static @Nullable String obstacle() {
            if (!"root".equals(System.getProperty("user.name"))) {
                return "an engine of one's own needs root";
            }
            for (String command : new String[] {"dockerd", "docker"}) {
                if (!Site.isInstalled(command)) {
                    return "an engine of one's own needs " + command + ", which isn't installed";
                }
            }
            return Site.isPossible() ? null : "an engine of one's own needs Linux with ip, nsenter and unshare";
        }
    }
}
