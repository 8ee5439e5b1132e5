package io.millau.server.internal.moving;

import java.util.function.UnaryOperator;

/**
 * One row of a table in {@code docs/how-to/migrating.md}: what a label of another proxy becomes. Immutable.
 *
 * @param theirs its name without names that users choose, in lower case; {@code *} at the end stands for any others
 * @param ours what it becomes, in Markdown
 * @param protects whether a service must stay closed if it is not carried over
 */
record Row(String theirs, String ours, boolean protects, Action action) {

    static final String BY_ACME = "each host gets a certificate by ACME";
    static final String STREAMED = "bodies are streamed";
    static final String GZIP = "by gzip; Millau chooses the types and lengths";

    /** For what compresses responses. */
    static final Action COMPRESS = (label, route) -> {
        if (Theirs.isFalse(label.value())) {
            return "nothing is compressed without a label";
        }
        route.set("compress", "true");
        return GZIP;
    };

    /** Carries one label over. */
    interface Action {
        /**
         * Sets labels of a route.
         *
         * @return what to know about it, or why it needs no label; may be empty
         * @throws IllegalArgumentException if it can't be carried over; the message says what to do, and shows no secret
         */
        String apply(Theirs theirs, MovedRoute route);
    }

    /** One that becomes a label with the same value. */
    static Row label(String theirs, String label) {
        return label(theirs, label, value -> value);
    }

    static Row label(String theirs, String label, UnaryOperator<String> converted) {
        return of(theirs, "`millau." + label + "`", (label1, route) -> {
            route.set(label, converted.apply(label1.value().strip()));
            return "";
        });
    }

    /** One that becomes a variable of Millau's environment. */
    static Row variable(String theirs, String variable, UnaryOperator<String> converted) {
        return of(theirs, "`" + variable + "`", (argument, environment) -> {
            environment.setVariable(variable, converted.apply(argument.value().strip()));
            return "";
        });
    }

    /** One that is a header of responses by itself. */
    static Row header(String theirs, String header, UnaryOperator<String> value) {
        return of(theirs, "`millau.response-header." + header + "`", (label, route) -> {
            route.set("response-header." + header, value.apply(label.value()));
            return "";
        });
    }

    /** One that needs no label. */
    static Row free(String theirs, String why) {
        return of(theirs, "no label: " + why, (label, route) -> why);
    }

    /** One that needs no variable of Millau's environment. */
    static Row noVariable(String theirs, String why) {
        return of(theirs, "no variable: " + why, (argument, environment) -> why);
    }

    /** One that has no counterpart. */
    static Row none(String theirs, String why) {
        return of(theirs, "none: " + why, (label, route) -> {
            throw new IllegalArgumentException(why);
        });
    }

    static Row of(String theirs, String ours, Action action) {
        return new Row(theirs, ours, false, action);
    }

    /** The same, for one that says who may come in. */
    Row protecting() {
        return new Row(theirs, ours, true, action);
    }
}
