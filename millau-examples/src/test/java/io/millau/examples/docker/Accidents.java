package io.millau.examples.docker;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Times in which an instance died. A request that must not be retried may be lost with it, if it was in progress then;
 * nothing else may.
 */
final class Accidents {

    private record Accident(Instant begun, Instant ended) {}

    private final List<Accident> all = new ArrayList<>();

    /** Runs what kills an instance; at its end the instance has to be dead. */
    void happen(Runnable kill) {
        Instant begun = Instant.now();
        kill.run();
        all.add(new Accident(begun, Instant.now()));
    }

    /** Whether a request failed because the instance died that was answering it. */
    boolean explain(Load.Failure failure) {
        return failure.method().equals("POST")
                && all.stream()
                        .anyMatch(accident -> failure.begun().isBefore(accident.ended)
                                && failure.ended().isAfter(accident.begun));
    }
}
