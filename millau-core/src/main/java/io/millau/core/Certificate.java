package io.millau.core;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * What a server proves its name with. Immutable.
 *
 * @param key of the first certificate of the chain
 * @param chain the server's own certificate first, then those that vouch for it; without the root
 */
public record Certificate(PrivateKey key, List<X509Certificate> chain) {

    /** @throws IllegalArgumentException if the chain is empty, or its first certificate is for another kind of key */
    public Certificate {
        chain = List.copyOf(chain);
        if (chain.isEmpty()) {
            throw new IllegalArgumentException("empty chain: expected the server's certificate");
        }
        String certified = chain.get(0).getPublicKey().getAlgorithm();
        if (!certified.equals(key.getAlgorithm())) {
            throw new IllegalArgumentException(
                    key.getAlgorithm() + " key: expected one for the certificate's " + certified);
        }
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "Certificate of " + chain.get(0).getSubjectX500Principal();
    }
}
