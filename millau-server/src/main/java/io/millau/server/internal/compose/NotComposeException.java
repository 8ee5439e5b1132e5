package io.millau.server.internal.compose;

/** A text is no Compose or stack file. The message is for the user, with the file's name and the line. */
public final class NotComposeException extends Exception {
    private static final long serialVersionUID = 1;

    NotComposeException(String message) {
        super(message);
    }
}
