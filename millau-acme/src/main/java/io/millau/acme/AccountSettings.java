package io.millau.acme;

import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.AccountBuilder;
import org.shredzone.acme4j.Metadata;

/**
 * The settings of ACME accounts. Immutable.
 *
 * @param email the contact address; null if there is none
 * @param binding for directories that require one; null if there is none
 */
record AccountSettings(@Nullable String email, @Nullable Binding binding) {

    /** acme4j would choose by the key's length, but every CA accepts this one, and some accept no other. */
    private static final String MAC = "HS256";

    /**
     * An external account with a CA (RFC 8555, 7.3.4).
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

    /** @throws OrderException if the directory requires a binding and none is configured */
    void applyTo(AccountBuilder builder, Metadata directory) throws OrderException {
        if (email != null) {
            builder.addEmail(email);
        }
        if (!directory.isExternalAccountRequired()) {
            return; // the binding is for another directory
        }
        if (binding == null) {
            throw OrderException.atDirectory("requires an external account binding (EAB), and none is configured:"
                    + " get a key id and an HMAC key from the CA");
        }
        builder.withKeyIdentifier(binding.kid, binding.hmac).withMacAlgorithm(MAC);
    }

    @Override
    public String toString() {
        return email == null ? "an account without an email address" : email;
    }
}
