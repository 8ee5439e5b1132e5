package io.millau.acme;

import io.millau.core.internal.Pem;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;

/**
 * An account at a directory (RFC 8555, 7.1.2). Immutable.
 *
 * @param url identifies the account at the CA
 */
record Account(URL url, KeyPair keys) {

    private static final String LOCATION = "url";
    private static final String PUBLIC_KEY = "public-key";

    byte[] bytes() {
        return (Header.line(LOCATION, url) + text(keys)).getBytes(StandardCharsets.UTF_8);
    }

    /** The keys of an account that is not made yet. */
    static byte[] bytes(KeyPair keys) {
        return text(keys).getBytes(StandardCharsets.UTF_8);
    }

    private static String text(KeyPair keys) {
        return Header.line(PUBLIC_KEY, Keys.text(keys.getPublic())) + Pem.text(keys.getPrivate());
    }

    /** @throws IllegalArgumentException if they can't be read */
    static KeyPair keys(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        return Keys.pair(Pem.privateKey(text), Header.get(text, PUBLIC_KEY));
    }

    /** @throws IllegalArgumentException if it can't be read */
    static Account parse(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        try {
            return new Account(
                    URI.create(Header.get(text, LOCATION)).toURL(),
                    Keys.pair(Pem.privateKey(text), Header.get(text, PUBLIC_KEY)));
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException("expected a URL, not " + Header.get(text, LOCATION), e);
        }
    }

    /** Without the keys. */
    @Override
    public String toString() {
        return url.toString();
    }
}
