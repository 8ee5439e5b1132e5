package io.millau.server.internal.upstream;

import io.millau.core.Outcome;
import java.io.IOException;

/** Thrown when an HTTP/2 stream ended before its response did; has the outcome of the attempt. */
public final class StreamException extends IOException {
    private static final long serialVersionUID = 1;

    private final Outcome outcome;

    StreamException(Outcome outcome, String message) {
        super(message);
        this.outcome = outcome;
    }

    public Outcome outcome() {
        return outcome;
    }
}
