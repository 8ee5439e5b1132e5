package io.millau.server.cli;

import io.millau.core.internal.Words;
import java.util.Collection;
import java.util.function.Function;
import java.util.stream.Stream;

/** Helpers for the output of commands. */
final class Console {

    /** Shorter words are a part of too many others. */
    private static final int SHORTEST_PART = 3;

    private Console() {}

    /** Replaces control characters, which could affect the terminal. */
    static String clean(String text) {
        return text.replaceAll("[\\p{Cntrl}&&[^\n]]", "?");
    }

    /** Asks whether a known word was meant; empty if none is like it. */
    static String didYouMean(String word, Collection<String> known) {
        String nearest = Words.nearest(word, known);
        return Stream.of(
                        known.stream().filter(other -> other.endsWith("_" + word)),
                        Stream.ofNullable(nearest),
                        known.stream().filter(other -> word.length() >= SHORTEST_PART && other.contains(word)))
                .flatMap(Function.identity())
                .findFirst()
                .map(meant -> "; did you mean " + meant + "?")
                .orElse("");
    }
}
