package io.millau.server.internal.http;

import java.io.IOException;

/** What an endpoint sent is not HTTP/1.1 as RFC 9112 has it, or goes beyond our limits. */
public final class MalformedResponseException extends IOException {
    private static final long serialVersionUID = 1;

    public MalformedResponseException(String message) {
        super(message);
    }
}
