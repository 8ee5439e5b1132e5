package io.millau.acme;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;

/**
 * The keys of accounts and certificates: EC P-256 of the JDK. acme4j's own key generation needs BouncyCastle, which the
 * standalone server does without.
 */
final class Keys {

    private Keys() {}

    static KeyPair generate() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a Java runtime without P-256", e);
        }
    }

    static String text(PublicKey key) {
        return Base64.getEncoder().encodeToString(key.getEncoded());
    }

    /** @throws IllegalArgumentException if it can't be read */
    static KeyPair pair(PrivateKey key, String publicKey) {
        try {
            X509EncodedKeySpec spec = new X509EncodedKeySpec(Base64.getDecoder().decode(publicKey));
            return new KeyPair(KeyFactory.getInstance("EC").generatePublic(spec), key);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("the public key can't be read", e);
        }
    }
}
