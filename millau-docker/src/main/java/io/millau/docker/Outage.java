package io.millau.docker;

import io.millau.core.internal.LogText;
import io.millau.core.internal.SourceStats;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs the outage of an engine, each kind of failure once, and says how long to wait before the next attempt. For one
 * thread.
 */
final class Outage {

    private static final Logger LOG = LoggerFactory.getLogger(DockerSource.class);

    private static final long SHORTEST = Duration.ofMillis(100).toNanos();
    private static final long LONGEST = Duration.ofSeconds(5).toNanos();

    private final String engine;
    private final String source;
    private final SourceStats discovery;
    private final Set<String> logged = new HashSet<>();
    private @Nullable Long since;
    private int failures;

    Outage(String engine, SourceStats discovery) {
        this.engine = engine;
        this.source = LogText.value("Docker " + engine);
        this.discovery = discovery;
    }

    /** Reading the engine failed. */
    void failed(Throwable failure, long now) {
        if (since == null) {
            since = now;
        }
        failures++;
        String kind = kind(engine, failure);
        String reason = kind + ": " + reason(failure);
        discovery.failed(reason);
        if (!logged.add(kind)) {
            LOG.debug("Still away source={} reason={}", source, LogText.later(failure::toString));
            return;
        }
        LOG.error(
                "Away source={} reason={} meanwhile=\"its services stay as they are; retried until it is back\"",
                source,
                LogText.value(reason));
        LOG.debug("What failed", failure);
    }

    /** Reading the engine succeeded. */
    void over(long now) {
        if (since != null) {
            LOG.info(
                    "Back source={} after={}s failures={}",
                    source,
                    Duration.ofNanos(now - since).toSeconds(),
                    failures);
            since = null;
            failures = 0;
            logged.clear();
        }
    }

    /**
     * How long to wait before the next attempt, in nanoseconds: a tenth of the outage so far, so that a restart is
     * noticed quickly and a long outage costs little.
     */
    long pause(long now) {
        long away = since == null ? 0 : now - since;
        return Math.min(Math.max(SHORTEST, away / 10), LONGEST);
    }

    /** Describes a failure in one sentence, without a full stop. */
    static String sentence(String engine, Throwable failure) {
        return "Docker Engine " + engine + " " + kind(engine, failure) + ": " + reason(failure);
    }

    private static String kind(String engine, Throwable failure) {
        if (failure instanceof DockerApi.ErrorResponse) {
            return "returned an error response";
        }
        if (failure instanceof DockerApi.InvalidResponse) {
            return "can't be understood (is it a Docker Engine?)";
        }
        if (failure instanceof SocketTimeoutException) {
            return "hangs";
        }
        if (!(failure instanceof IOException)) {
            return "can't be read";
        }
        String path = engine.replaceFirst("^unix://", "");
        if (!path.equals(engine) && Files.isDirectory(Path.of(path))) {
            return "can't be reached (" + path
                    + " is a directory: Docker makes one where a file to be mounted does not exist)";
        }
        if (text(failure).contains("Permission denied")) {
            return "can't be reached (run as root, or with --group-add of the socket's group)";
        }
        return engine.startsWith("unix:")
                ? "can't be reached (is it running, and its socket mounted here?)"
                : "can't be reached (is it running, and its address right?)";
    }

    private static String reason(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        String reason = text(failure);
        return root == failure ? reason : reason + " (" + firstLine(text(root)) + ")";
    }

    private static String text(Throwable failure) {
        return failure.getMessage() == null ? failure.toString() : failure.getMessage();
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse(text);
    }
}
