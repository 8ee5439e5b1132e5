package io.millau.core;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The status of an endpoint at one moment. Immutable; its text is for users.
 *
 * <pre>{@code
 * List<String> alerts = new ArrayList<>();
 * for (ServiceStatus service : overview.services()) {
 *     for (EndpointStatus instance : service.endpoints()) {
 *         if (!instance.inRotation()) {
 *             alerts.add(instance.endpoint() + " is " + instance.state() + ": " + instance.reason());
 *         }
 *     }
 * }
 * }</pre>
 */
public interface EndpointStatus {

    /** The endpoint. */
    Endpoint endpoint();

    /** Whether it gets requests. */
    State state();

    /** How long it has been in this state. */
    Duration age();

    /** Why it gets no requests; null if it gets some. */
    @Nullable
    String reason();

    /** The number of its requests in progress. */
    int openRequests();

    /** Whether requests go there while there is a choice. */
    default boolean inRotation() {
        return state().inRotation();
    }

    /** Whether an endpoint gets requests. */
    enum State {
        /** It gets requests. */
        UP(true),
        /** It is back in rotation, and its share of requests grows. */
        RECOVERING(true),
        /** A request to it failed. */
        EJECTED(false),
        /** Its health checks failed. */
        UNHEALTHY(false),
        /** It was added, and has not passed a health check yet. */
        JOINING(false);

        private final boolean inRotation;

        State(boolean inRotation) {
            this.inRotation = inRotation;
        }

        /** Whether requests go there while there is a choice. */
        public boolean inRotation() {
            return inRotation;
        }
    }
}
