package io.millau.server.internal.upstream;

import io.millau.core.Outcome;
import java.io.IOException;

/** An HTTP/2 stream ended before its response was complete; knows what outcome of the attempt that is. */
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
