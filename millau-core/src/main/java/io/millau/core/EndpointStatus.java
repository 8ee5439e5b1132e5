package io.millau.core;

import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The status of an endpoint at one moment. Immutable.
 *
 * @param endpoint the endpoint
 * @param state whether it gets requests
 * @param age how long it has been in this state
 * @param reason why it gets no requests; null if it gets some
 * @param openRequests the number of its requests in progress
 */
public record EndpointStatus(
        Endpoint endpoint,
        State state,
        Duration age,
        @Nullable String reason,
        int openRequests) {

    /** Whether an endpoint gets requests. */
    public enum State {
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

    /** Whether requests go there while there is a choice. */
    public boolean inRotation() {
        return state.inRotation();
    }

    /** A text for users. */
    @Override
    public String toString() {
        String is = state.name().toLowerCase(Locale.ROOT);
        return inRotation()
                ? endpoint + " in rotation (" + is + ")"
                : endpoint + " out of rotation (" + is + " " + age.toSeconds() + " s ago: " + reason + ")";
    }
}
