package io.millau.server.cli;

/** A command can't be carried out: it is written wrongly, or what it needs can't be read. The message is for a person. */
final class CommandException extends Exception {
    private static final long serialVersionUID = 1;

    CommandException(String message) {
        super(message);
    }
}
