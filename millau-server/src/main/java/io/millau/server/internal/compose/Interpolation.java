package io.millau.server.internal.compose;

import io.millau.core.internal.Words;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A text with its variables replaced as Compose does: {@code $NAME}, {@code ${NAME}}, {@code ${NAME:-default}}, {@code
 * ${NAME:?message}}, {@code ${NAME:+other}}, the last three also without the colon, and {@code $$} for a dollar. For
 * one thread.
 *
 * <p>See <a href="https://docs.docker.com/reference/compose-file/interpolation/">Compose's reference</a>.
 */
final class Interpolation {

    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
    private static final Pattern OPERATOR = Pattern.compile(":?[-?+]");
    private static final int DEEPEST = 20;

    private final Function<String, @Nullable String> variables;
    private final List<String> problems = new ArrayList<>();
    private final Set<String> used = new LinkedHashSet<>();
    private final String text;

    /** @param variables the value of a name, or null if it is not set */
    Interpolation(String text, Function<String, @Nullable String> variables) {
        this.variables = variables;
        this.text = filled(text, 0);
    }

    /** The text; variables that are not set are empty. */
    String text() {
        return text;
    }

    /** The problems: variables that are not set, or invalid syntax. */
    List<String> problems() {
        return problems;
    }

    /** The values of variables that the text contains. */
    Set<String> used() {
        return used;
    }

    private String filled(String from, int depth) {
        StringBuilder to = new StringBuilder();
        int at = 0;
        for (int dollar = from.indexOf('$'); dollar >= 0; dollar = from.indexOf('$', at)) {
            to.append(from, at, dollar);
            Matcher name = NAME.matcher(from).region(dollar + 1, from.length());
            if (from.startsWith("$", dollar + 1)) {
                to.append('$');
                at = dollar + 2;
            } else if (name.lookingAt()) {
                to.append(value(name.group()));
                at = name.end();
            } else {
                int end = from.startsWith("{", dollar + 1) && depth < DEEPEST ? endOfBraces(from, dollar + 2) : -1;
                if (end < 0) {
                    problems.add("expected ${NAME}, ${NAME:-default}, or $$ for a dollar");
                    return to.append(from, dollar, from.length()).toString();
                }
                to.append(ofBraces(from.substring(dollar + 2, end), depth));
                at = end + 1;
            }
        }
        return to.append(from, at, from.length()).toString();
    }

    /** The index of the closing brace, skipping nested ones; -1 if there is none. */
    private static int endOfBraces(String from, int start) {
        int open = 1;
        for (int i = start; i < from.length(); i++) {
            if (from.startsWith("${", i)) {
                open++;
            } else if (from.charAt(i) == '}' && --open == 0) {
                return i;
            }
        }
        return -1;
    }

    /** Shortened, since the rest may be part of a secret. */
    private static String start(String inside) {
        return inside.length() <= 20 ? inside : inside.substring(0, 20) + "…";
    }

    private String ofBraces(String inside, int depth) {
        Matcher name = NAME.matcher(inside);
        if (!name.lookingAt()) {
            problems.add("expected a name in ${" + start(inside) + "}");
            return "";
        }
        String rest = inside.substring(name.end());
        if (rest.isEmpty()) {
            return value(name.group());
        }
        Matcher operator = OPERATOR.matcher(rest);
        if (!operator.lookingAt()) {
            problems.add("expected ${NAME}, ${NAME:-default}, ${NAME:?message} or ${NAME:+other} rather than ${"
                    + start(inside) + "}");
            return "";
        }
        String value = variables.apply(name.group());
        String other = rest.substring(operator.end());
        boolean has = value != null && !(value.isEmpty() && operator.group().startsWith(":"));
        if (has) {
            use(String.valueOf(value));
        }
        return switch (operator.group().charAt(operator.end() - 1)) {
            case '-' -> has ? String.valueOf(value) : filled(other, depth + 1);
            case '+' -> has ? filled(other, depth + 1) : "";
            default -> {
                if (!has) {
                    problems.add(name.group() + " is not set: " + Words.shown(other));
                }
                yield has ? String.valueOf(value) : "";
            }
        };
    }

    private String value(String name) {
        String value = variables.apply(name);
        if (value == null) {
            problems.add(name + " is not set: expected it in the environment, or ${" + name + ":-default}");
            return "";
        }
        use(value);
        return value;
    }

    private void use(String value) {
        if (!value.isEmpty()) {
            used.add(value);
        }
    }
}
