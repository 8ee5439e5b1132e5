package io.millau.server.cli;

/** A command can't run: its arguments are wrong, or it can't read something. The message is for the user. */
final class CommandException extends Exception {
    private static final long serialVersionUID = 1;

    CommandException(String message) {
        super(message);
    }
}
