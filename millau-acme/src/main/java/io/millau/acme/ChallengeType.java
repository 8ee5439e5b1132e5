package io.millau.acme;

import java.util.Arrays;
import java.util.Optional;

/** The ways to prove that a name is ours. */
enum ChallengeType {
    /** RFC 8555, 8.3: a file, over HTTP on port 80. */
    HTTP("http-01", "does http://%s/ reach this proxy from the internet, on port 80?"),

    /** RFC 8737: a certificate, over TLS on port 443. */
    TLS(
            "tls-alpn-01",
            "does https://%s/ reach this proxy from the internet, on port 443, with nothing between that ends TLS?");

    private final String word;
    private final String question;

    ChallengeType(String word, String question) {
        this.word = word;
        this.question = question;
    }

    static Optional<ChallengeType> of(String word) {
        return Arrays.stream(values()).filter(type -> type.word.equals(word)).findFirst();
    }

    /** What to look at if it fails. */
    String question(String name) {
        return String.format(question, name);
    }

    ChallengeType other() {
        return this == HTTP ? TLS : HTTP;
    }

    /** As ACME says it. */
    @Override
    public String toString() {
        return word;
    }
}
