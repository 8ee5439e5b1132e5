package io.millau.acme;

import java.util.Arrays;
import java.util.Optional;

/** The types of challenge, by which a CA validates a name. */
enum ChallengeType {
    /** A file over HTTP on port 80 (RFC 8555, 8.3). */
    HTTP("http-01", "does http://%s/ reach this proxy from the internet, on port 80?"),

    /** A certificate over TLS on port 443 (RFC 8737). */
    TLS(
            "tls-alpn-01",
            "does https://%s/ reach this proxy from the internet, on port 443, without another proxy that terminates TLS?"),

    /** A TXT record (RFC 8555, 8.4), the only proof for a wildcard. */
    DNS("dns-01", "do the public name servers of %s have the TXT records that ACME_DNS puts there?");

    private final String word;
    private final String question;

    ChallengeType(String word, String question) {
        this.word = word;
        this.question = question;
    }

    static Optional<ChallengeType> of(String word) {
        return Arrays.stream(values()).filter(type -> type.word.equals(word)).findFirst();
    }

    /** What the operator should check if it fails. */
    String question(String name) {
        return String.format(question, name);
    }

    /** The type as in ACME messages. */
    @Override
    public String toString() {
        return word;
    }
}
