package io.millau.examples.documents;

import io.millau.core.internal.Pem;
import io.millau.core.testing.Authority;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;

/** A CA for labels that need one. */
final class Certificates {

    static final String CA = ca();

    private Certificates() {}

    private static String ca() {
        String pem = Pem.text(List.of(Authority.root("Documents").certificate()));
        return Base64.getEncoder().encodeToString(pem.getBytes(StandardCharsets.US_ASCII));
    }
}
