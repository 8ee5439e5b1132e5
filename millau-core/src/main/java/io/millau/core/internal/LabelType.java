package io.millau.core.internal;

import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * How the value of a label is read and checked, and what an editor may know of it. Immutable.
 *
 * @param <T> what it is read to
 * @param parser makes a value of a text without blanks at its ends
 * @param checker checks a value, of a label or of code, and returns it as it is kept; like the parser, it throws an {@link
 *     IllegalArgumentException} that says what was expected
 * @param pattern fits every text that can be read, and perhaps others; a regular expression of Java and of ECMA 262
 * @param scalar what YAML may have in the place of a text: {@code boolean}, {@code integer} or {@code number}
 * @param limits the least and the greatest number, of a number
 * @param examples what an editor may suggest
 * @param confidential whether no message may show a value
 */
public record LabelType<T>(
        Function<String, T> parser,
        UnaryOperator<T> checker,
        String pattern,
        @Nullable String scalar,
        @Nullable Limits limits,
        List<String> examples,
        boolean confidential) {

    /** The least and the greatest value of a number. */
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
     * @throws IllegalArgumentException if it can't be read; the message says what was expected
     */
    public T read(String text) {
        return checker.apply(parser.apply(text));
    }
}
