package io.millau.acme;

import org.shredzone.acme4j.Problem;

/** What others say, as a part of one line of a log. Pure functions. */
final class LogMessages {

    private static final int LONGEST = 400;

    private LogMessages() {}

    /** A CA's account of what went wrong (RFC 7807). */
    static String of(Problem problem) {
        return line(problem + " (" + problem.getType() + ")");
    }

    /** The deepest cause with a message, which says most. */
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
        // A name or a number alone says nothing without the kind of failure.
        return line(message.contains(" ") ? message : kind + " " + message);
    }

    /** What stays the same if it happens again: without tokens, ports and times. */
    static String gist(String message) {
        return message.replaceAll("[A-Za-z0-9_-]{20,}|[0-9]+", "…");
    }

    /** Anybody may have written it, so neither line breaks nor its length are trusted. */
    private static String line(String text) {
        String line = text.replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
        return line.length() <= LONGEST ? line : line.substring(0, LONGEST) + "…";
    }
}
