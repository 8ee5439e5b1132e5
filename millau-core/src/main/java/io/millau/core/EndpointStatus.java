package io.millau.core;

import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * An endpoint as the router sees it now.
 *
 * @param endpoint which one
 * @param state whether it gets requests
 * @param age how long it has been in this state
 * @param reason why it does not; null where it does
 * @param openRequests requests that it has now
 */
public record EndpointStatus(
        Endpoint endpoint,
        State state,
        Duration age,
        @Nullable String reason,
        int openRequests) {

    /** Whether an endpoint gets requests. */
    public enum State {
        /** It does. */
        UP(true),
        /** It is back, and its share of requests grows. */
        RECOVERING(true),
        /** It failed a request. */
        EJECTED(false),
        /** It failed checks. */
        UNHEALTHY(false),
        /** It joined, and has not passed a check yet. */
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

    /** As a person reads it. */
    @Override
    public String toString() {
        String is = state.name().toLowerCase(Locale.ROOT);
        return inRotation()
                ? endpoint + " in rotation (" + is + ")"
                : endpoint + " out of rotation (" + is + " " + age.toSeconds() + " s ago: " + reason + ")";
    }
}
