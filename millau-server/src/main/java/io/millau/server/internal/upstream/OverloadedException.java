package io.millau.server.internal.upstream;

import java.io.IOException;

/** Says that this proxy has too much to do; nobody else is to blame. */
public final class OverloadedException extends IOException {

    private static final long serialVersionUID = 1;

    OverloadedException(String message) {
        super(message);
    }
}
