package io.millau.core.internal;

import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * How the values of a label are read and checked, and its description for editors. Immutable.
 *
 * @param <T> the type of the values
 * @param parser parses a text without blanks at its ends
 * @param checker checks a value, from a label or from code, and returns its canonical form; like the parser, it throws
 *     an {@link IllegalArgumentException} that tells what was expected
 * @param pattern matches every valid text, and may match others; a regular expression for both Java and ECMA 262
 * @param scalar the YAML type allowed beside strings: {@code boolean}, {@code integer} or {@code number}; null for none
 * @param limits the limits of a number; null if it is none
 * @param examples suggestions for editors
 * @param confidential whether messages must not show values
 */
public record LabelType<T>(
        Function<String, T> parser,
        UnaryOperator<T> checker,
        String pattern,
        @Nullable String scalar,
        @Nullable Limits limits,
        List<String> examples,
        boolean confidential) {

    /** The least and the greatest value. */
    public record Limits(long least, long greatest) {}

    static <T> LabelType<T> of(String pattern, Function<String, T> parser) {
        return new LabelType<>(parser, value -> value, pattern, null, null, List.of(), false);
    }

    LabelType<T> checked(UnaryOperator<T> by) {
        return new LabelType<>(parser, by, pattern, scalar, limits, examples, confidential);
    }

    LabelType<T> scalar(String name) {
        return new LabelType<>(parser, checker, pattern, name, limits, examples, confidential);
    }

    LabelType<T> limits(long least, long greatest) {
        return new LabelType<>(parser, checker, pattern, scalar, new Limits(least, greatest), examples, confidential);
    }

    LabelType<T> examples(String... texts) {
        return new LabelType<>(parser, checker, pattern, scalar, limits, List.of(texts), confidential);
    }

    LabelType<T> hidden() {
        return new LabelType<>(parser, checker, pattern, scalar, limits, examples, true);
    }

    /**
     * Reads a text without blanks at its ends.
     *
     * @throws IllegalArgumentException if it is invalid; the message tells what was expected
     */
    public T read(String text) {
        return checker.apply(parser.apply(text));
    }
}
