package io.millau.server.internal.frontend;

import java.io.IOException;

/** The body of a request can't be read as it was sent. */
public final class RejectedBodyException extends IOException {
    private static final long serialVersionUID = 1;

    private final transient Rejection rejection;

    RejectedBodyException(Rejection rejection) {
        super(rejection.reason());
        this.rejection = rejection;
    }

    public Rejection rejection() {
        return rejection;
    }
}
