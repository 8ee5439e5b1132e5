package io.millau.server.internal.upstream;

import io.millau.core.Outcome;
import java.io.IOException;

/** A stream of HTTP/2 ended before its answer did; knows what that is as the outcome of an attempt. */
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
