package io.millau.core;

import io.millau.core.internal.Der;
import io.millau.core.internal.HostNames;
import io.millau.core.internal.Issuer;
import io.millau.core.internal.Pem;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import javax.security.auth.x500.X500Principal;

/**
 * A server's private key and certificate chain. Immutable; safe for use by several threads.
 *
 * <pre>{@code
 * Certificate certificate = Certificate.selfSigned("shop.example"); // or parse(chain, key)
 * Service shop = Service.named("orders")
 *         .hosts("shop.example")
 *         .path("/orders/")
 *         .certificate(certificate)
 *         .endpoints(endpoint)
 *         .build();
 * builder.https(":8443").source(ServiceSource.of(shop));
 * }</pre>
 */
public final class Certificate {

    private static final int DNS_NAME = 2; // RFC 5280, 4.2.1.6

    private static final byte[] COMMON_NAME = Der.objectIdentifier("2.5.4.3");

    private final PrivateKey key;
    private final List<X509Certificate> chain;
    private final Set<String> names;

    /**
     * Combines a key and a chain.
     *
     * @param key of the first certificate of the chain; RSA or EC
     * @param chain the server's own certificate first, then the intermediate ones; without the root
     * @throws IllegalArgumentException if the chain is empty, or the key doesn't match its first certificate
     */
    public Certificate(PrivateKey key, List<X509Certificate> chain) {
        this.key = Objects.requireNonNull(key, "key");
        this.chain = List.copyOf(Objects.requireNonNull(chain, "chain"));
        if (chain.isEmpty()) {
            throw new IllegalArgumentException("empty chain: expected the server's certificate");
        }
        if (!Pem.fits(key, leaf())) {
            throw new IllegalArgumentException(
                    chain.stream().skip(1).anyMatch(other -> Pem.fits(key, other))
                            ? "the key belongs to a later certificate of the chain: expected the server's own first"
                            : "the key is not the certificate's (of " + leaf().getSubjectX500Principal() + ")");
        }
        this.names = namesOf(leaf());
    }

    /**
     * Parses a chain and a key in PEM.
     *
     * @throws IllegalArgumentException if one can't be read, or they don't match
     */
    public static Certificate parse(String chainPem, String keyPem) {
        List<X509Certificate> chain = Pem.certificates(Objects.requireNonNull(chainPem, "chainPem"));
        return new Certificate(Pem.privateKey(Objects.requireNonNull(keyPem, "keyPem")), chain);
    }

    /**
     * Reads the only key of a key store, and its chain.
     *
     * @param store loaded, PKCS 12 for example
     * @param password of the key
     * @throws IllegalArgumentException if there is no key or more than one, the password is wrong, or they don't match
     */
    public static Certificate of(KeyStore store, char[] password) {
        Objects.requireNonNull(store, "store");
        Objects.requireNonNull(password, "password");
        try {
            List<String> keys = new ArrayList<>();
            for (String alias : Collections.list(store.aliases())) {
                if (store.isKeyEntry(alias)) {
                    keys.add(alias);
                }
            }
            if (keys.size() != 1 || !(store.getKey(keys.get(0), password) instanceof PrivateKey key)) {
                throw new IllegalArgumentException("key store with the keys " + keys + ": expected one private key");
            }
            var stored = store.getCertificateChain(keys.get(0));
            List<X509Certificate> chain = stored == null
                    ? List.of()
                    : Arrays.stream(stored).map(X509Certificate.class::cast).toList();
            return new Certificate(key, chain);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("key store: its key can't be read: " + e.getMessage(), e);
        }
    }

    /**
     * Makes a self-signed certificate, for a server without another one; clients reject it or warn.
     *
     * @param name its common name and only DNS name
     */
    public static Certificate selfSigned(String name) {
        Objects.requireNonNull(name, "name");
        try {
            return Issuer.selfSigned(name);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a Java runtime without ECDSA", e);
        }
    }

    /** The key of the first certificate of the chain. */
    public PrivateKey key() {
        return key;
    }

    /** The server's own certificate first, then the intermediate ones. */
    public List<X509Certificate> chain() {
        return chain;
    }

    /**
     * The host names that it is for, in lower case, including wildcards like {@code *.example.com}: its SANs, or its CN
     * if it has none (RFC 6125, 6.4.4). May be empty.
     */
    public Set<String> names() {
        return names;
    }

    /** The end of its validity. */
    public Instant expires() {
        return leaf().getNotAfter().toInstant();
    }

    /** The issuer's common name, or its whole name if it has none. */
    public String issuer() {
        List<String> names = commonNames(leaf().getIssuerX500Principal());
        return names.isEmpty() ? leaf().getIssuerX500Principal().getName() : names.get(0);
    }

    private X509Certificate leaf() {
        return chain.get(0);
    }

    /** Whether it is for a host name in lower case, exactly or by a wildcard for one label (RFC 6125, 6.4.3). */
    public boolean fits(String name) {
        return names.contains(name) || names.contains(HostNames.wildcard(name));
    }

    /**
     * The order of preference for a name: valid ones first, then exact matches before wildcards, then the later expiry.
     */
    public static Comparator<Certificate> bestFirst(String name, Instant now) {
        return Comparator.comparing((Certificate certificate) -> !certificate.isValid(now))
                .thenComparing(certificate -> !certificate.names.contains(name))
                .thenComparing(Certificate::expires, Comparator.reverseOrder());
    }

    /** Whether it is valid at that time. */
    public boolean isValid(Instant now) {
        return now.isBefore(expires()) && !now.isBefore(leaf().getNotBefore().toInstant());
    }

    private static Set<String> namesOf(X509Certificate certificate) {
        Set<String> names = new LinkedHashSet<>();
        try {
            Collection<List<?>> alternatives = certificate.getSubjectAlternativeNames();
            for (List<?> alternative : alternatives == null ? List.<List<?>>of() : alternatives) {
                if (alternative.get(0).equals(DNS_NAME)) {
                    names.add(canonical((String) alternative.get(1)));
                }
            }
            if (alternatives == null) {
                commonNames(certificate.getSubjectX500Principal()).forEach(name -> names.add(canonical(name)));
            }
        } catch (CertificateParsingException e) {
            throw new IllegalArgumentException("the names of a certificate can't be read", e);
        }
        return Set.copyOf(names);
    }

    /** Name ::= SEQUENCE OF SET OF SEQUENCE { type, value } (RFC 5280, 4.1.2.4). */
    private static List<String> commonNames(X500Principal principal) {
        List<String> names = new ArrayList<>();
        ByteBuffer parts =
                Der.Value.read(ByteBuffer.wrap(principal.getEncoded())).content();
        while (parts.hasRemaining()) {
            ByteBuffer part = Der.Value.read(Der.Value.read(parts).content()).content();
            if (Arrays.equals(Der.Value.read(part).bytes(), COMMON_NAME)) {
                names.add(StandardCharsets.UTF_8
                        .decode(Der.Value.read(part).content())
                        .toString());
            }
        }
        return names;
    }

    private static String canonical(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Certificate that && key.equals(that.key) && chain.equals(that.chain);
    }

    @Override
    public int hashCode() {
        return leaf().hashCode();
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "certificate for " + (names.isEmpty() ? leaf().getSubjectX500Principal() : String.join(" ", names))
                + " until " + expires();
    }
}
