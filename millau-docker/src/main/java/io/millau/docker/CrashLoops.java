package io.millau.docker;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Lets failures last while what failed is on trial: an instance that fails again and again runs in between, and is one problem,
 * not one for each time. Callers pass the time, in nanoseconds of {@link System#nanoTime}. For one thread.
 */
final class CrashLoops {

    /** How long an instance has to run until its last failure is over. */
    static final long TRIAL = Duration.ofSeconds(30).toNanos();

    static final long NEVER = Long.MAX_VALUE;

    /** By the id of the service or container. */
    private Map<String, Seen> failures = Map.of();

    /** A failure, and when it was last there. */
    private record Seen(String failure, long at) {}

    /** The view with the failures that last. */
    EngineView applyTo(EngineView view, long now) {
        Map<String, Seen> last = new HashMap<>();
        Map<String, String> ofServices = new HashMap<>();
        for (SwarmService service : view.services()) {
            String failure = lasting(service.id(), view.failures().get(service.id()), now, last);
            if (failure != null) {
                ofServices.put(service.id(), failure);
            }
        }
        List<Container> containers = view.containers().stream()
                .map(container -> applyTo(container, now, last))
                .toList();
        failures = last;
        return view.withFailures(ofServices, containers);
    }

    private Container applyTo(Container container, long now, Map<String, Seen> last) {
        String present = container.failure();
        boolean isOnTrial = switch (container.state()) {
            case READY, UNREADY -> present == null;
            case RESTARTING -> true;
            case NOT_RUNNING -> false;
        };
        if (!isOnTrial) {
            return container;
        }
        String lasting = lasting(container.id(), present, now, last);
        return Objects.equals(lasting, present) ? container : container.withFailure(lasting);
    }

    private @Nullable String lasting(String key, @Nullable String present, long now, Map<String, Seen> last) {
        Seen seen = present == null ? failures.get(key) : new Seen(present, now);
        if (seen == null || now - seen.at >= TRIAL) {
            return null;
        }
        last.put(key, seen);
        return seen.failure;
    }

    /** How long the failures stay as they are if the engine's state does. */
    long pause(long now) {
        long pause = NEVER;
        for (Seen seen : failures.values()) {
            pause = Math.min(pause, seen.at + TRIAL - now);
        }
        return pause;
    }
}
