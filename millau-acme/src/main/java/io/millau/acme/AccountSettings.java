package io.millau.acme;

import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.AccountBuilder;
import org.shredzone.acme4j.Metadata;

/**
 * Who asks for certificates.
 *
 * @param binding for the directories that ask for one; null if there is none
 */
record AccountSettings(@Nullable String email, @Nullable Binding binding) {

    /** acme4j chooses by the key's length, but this is what every CA takes, and some take nothing else. */
    private static final String MAC = "HS256";

    /**
     * A customer's account with a CA outside of ACME (RFC 8555, 7.3.4).
     *
     * @param hmac base64url
     */
    record Binding(String kid, String hmac) {

        /** Without the secret. */
        @Override
        public String toString() {
            return kid;
        }
    }

    /** @throws OrderException if the CA wants to know more */
    void introduce(AccountBuilder builder, Metadata directory) throws OrderException {
        if (email != null) {
            builder.addEmail(email);
        }
        if (!directory.isExternalAccountRequired()) {
            return; // another directory's
        }
        if (binding == null) {
            throw OrderException.atDirectory("asks for an external account binding (EAB), and none is configured:"
                    + " get a key id and an HMAC key from the CA");
        }
        builder.withKeyIdentifier(binding.kid, binding.hmac).withMacAlgorithm(MAC);
    }

    @Override
    public String toString() {
        return email == null ? "an account without an email address" : email;
    }
}
