package io.millau.server.internal.frontend;

import java.io.IOException;

/** The body of a request is not read to its end, since it is malformed or too large. */
public final class RejectedBodyException extends IOException {
    private static final long serialVersionUID = 1;

    private final transient Rejection rejection;

    public RejectedBodyException(Rejection rejection) {
        super(rejection.reason());
        this.rejection = rejection;
    }

    public Rejection rejection() {
        return rejection;
    }
}
