package io.millau.core.internal;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A label as it is written, with its value. Immutable. */
public record LabelText(String label, String value) {

    /** A PEM key or certificate, or a bcrypt hash, under a name that is unknown or another's, plain or in Base64. */
    private static final Pattern SECRET = Pattern.compile("-----BEGIN|^\\s*LS0tLS1CRUdJT|\\$2[abxy]\\$|"
            + "JDJ[5hi]JD|Qy(?:eS|YS|Yi)Q[wx]|kM(?:nk|mE|mI)k"); // three ways, as a hash begins at any byte

    /**
     * Its text in messages: without the value if that is a secret, or looks like one.
     *
     * @param meant what it is, or probably should be
     */
    String shown(@Nullable Label<?> meant) {
        boolean confidential = meant != null && meant.type().confidential() || looksSecret();
        return shownLabel() + (confidential ? "" : "=" + Words.shown(value));
    }

    boolean looksSecret() {
        return SECRET.matcher(value).find();
    }

    String shownLabel() {
        return Words.shown(Words.withoutValue(label));
    }

    /** How another label of the same route is written. */
    String beside(Label<?> its, Label<?> other) {
        return label.substring(0, label.length() - its.name().length()) + other;
    }
}
