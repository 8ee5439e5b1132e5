package io.millau.docker;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Encrypts values. Decryption needs the same secret and the same name. AES-256-GCM (NIST SP 800-38D) with a random
 * 96-bit nonce per value, under a key derived from the secret by HKDF-SHA256 (RFC 5869).
 *
 * <p>Immutable; safe for use by several threads.
 */
final class Seal {

    /** The first byte of an encrypted value. */
    private static final byte FORMAT = 1;

    private static final int NONCE = 12;
    private static final int TAG = 16;

    private static final int MIN_SECRET_BYTES = 32;

    private static final byte[] PURPOSE = "millau store".getBytes(StandardCharsets.US_ASCII);

    private final SecureRandom random = new SecureRandom();
    private final SecretKeySpec key;

    /**
     * @param secret a file's content; trailing white space is ignored
     * @throws IllegalArgumentException if it is too short
     */
    Seal(byte[] secret) {
        int length = secret.length;
        while (length > 0 && Character.isWhitespace(secret[length - 1])) {
            length--;
        }
        if (length < MIN_SECRET_BYTES) {
            throw new IllegalArgumentException("a store's key of " + length + " bytes: expected at least "
                    + MIN_SECRET_BYTES + " random bytes; openssl rand -base64 32 makes such a file");
        }
        key = new SecretKeySpec(derive(Arrays.copyOf(secret, length)), "AES");
    }

    /** RFC 5869, 2.2 and 2.3. The key needs only one block. */
    private static byte[] derive(byte[] secret) {
        byte[] extracted = hmac(new byte[32], secret);
        byte[] block = Arrays.copyOf(PURPOSE, PURPOSE.length + 1);
        block[PURPOSE.length] = 1;
        return hmac(extracted, block);
    }

    private static byte[] hmac(byte[] key, byte[] message) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(message);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has HmacSHA256", e);
        }
    }

    byte[] seal(String name, byte[] value) {
        byte[] nonce = new byte[NONCE];
        random.nextBytes(nonce);
        try {
            byte[] sealed = cipher(Cipher.ENCRYPT_MODE, name, nonce).doFinal(value);
            return ByteBuffer.allocate(1 + NONCE + sealed.length)
                    .put(FORMAT)
                    .put(nonce)
                    .put(sealed)
                    .array();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has AES-256-GCM", e);
        }
    }

    /** @throws IOException if it was encrypted with another secret or for another name, or was modified */
    byte[] open(String name, byte[] sealed) throws IOException {
        if (sealed.length < 1 + NONCE + TAG || sealed[0] != FORMAT) {
            throw unreadable(name, null);
        }
        byte[] nonce = Arrays.copyOfRange(sealed, 1, 1 + NONCE);
        try {
            return cipher(Cipher.DECRYPT_MODE, name, nonce).doFinal(sealed, 1 + NONCE, sealed.length - 1 - NONCE);
        } catch (AEADBadTagException e) {
            throw unreadable(name, e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has AES-256-GCM", e);
        }
    }

    private Cipher cipher(int mode, String name, byte[] nonce) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, key, new GCMParameterSpec(8 * TAG, nonce));
        cipher.updateAAD(new byte[] {FORMAT});
        cipher.updateAAD(name.getBytes(StandardCharsets.UTF_8));
        return cipher;
    }

    private static IOException unreadable(String name, @Nullable Throwable cause) {
        return new IOException(
                "value " + name + " of the store can't be decrypted: the secret of STORE_KEY_FILE isn't the one it was"
                        + " written with, or it was modified",
                cause);
    }
}
