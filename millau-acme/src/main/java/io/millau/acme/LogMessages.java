package io.millau.acme;

import io.millau.core.internal.Words;
import java.io.IOException;
import java.nio.file.FileSystemException;
import org.shredzone.acme4j.Problem;

/** Formats messages from CAs and exceptions for one log line. Pure functions. */
final class LogMessages {

    private static final int LONGEST = 400;

    private LogMessages() {}

    /** A problem document of a CA (RFC 7807). */
    static String of(Problem problem) {
        return line(problem + " (" + problem.getType() + ")");
    }

    /** The message of the deepest cause that has one. */
    static String of(Throwable failure) {
        Throwable telling = failure;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause.getMessage() != null) {
                telling = cause;
            }
        }
        String message = telling.getMessage();
        String kind = telling.getClass().getSimpleName();
        if (message == null) {
            return kind;
        }
        // A single word needs the exception's class to be understood.
        return line(message.contains(" ") ? message : kind + " " + message);
    }

    /** Why a store fails. The outermost message is the store's own; of files, some have only the name. */
    static String ofStore(IOException failure) {
        String reason = Words.reason(failure);
        return line(
                failure instanceof FileSystemException file && file.getReason() == null
                        ? file.getFile() + ": " + reason
                        : reason);
    }

    /** The message without tokens and numbers, to recognize a repeated failure. */
    static String summary(String message) {
        return message.replaceAll("[A-Za-z0-9_-]{20,}|[0-9]+", "…");
    }

    /** The text is untrusted: removes line breaks and limits the length. */
    private static String line(String text) {
        String line = text.replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
        return line.length() <= LONGEST ? line : line.substring(0, LONGEST) + "…";
    }
}
