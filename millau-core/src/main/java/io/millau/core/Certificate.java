package io.millau.core;

import io.millau.core.internal.Der;
import io.millau.core.internal.Pem;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import javax.security.auth.x500.X500Principal;

/** A private key and its certificate chain, with which a server proves its names. Immutable. */
public final class Certificate {

    private static final int DNS_NAME = 2; // RFC 5280, 4.2.1.6

    private static final byte[] COMMON_NAME = Der.objectIdentifier("2.5.4.3");

    private final PrivateKey key;
    private final List<X509Certificate> chain;
    private final Set<String> names;

    /**
     * Puts them together.
     *
     * @param key of the first certificate of the chain: RSA or EC
     * @param chain the server's own certificate first, then the intermediate ones; without the root
     * @throws IllegalArgumentException if the chain is empty, or the key is not its first certificate's
     */
    public Certificate(PrivateKey key, List<X509Certificate> chain) {
        this.key = key;
        this.chain = List.copyOf(chain);
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
     * Reads both from PEM.
     *
     * @throws IllegalArgumentException if they can't be read, or don't belong together
     */
    public static Certificate parse(String chainPem, String keyPem) {
        List<X509Certificate> chain = Pem.certificates(chainPem);
        return new Certificate(Pem.privateKey(keyPem), chain);
    }

    /**
     * A new self-signed certificate, for want of a better one; clients warn of it.
     *
     * @param name what it says that it is
     */
    public static Certificate selfSigned(String name) {
        try {
            return SelfSigned.make(name);
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

    /** The names it is for, in lower case, {@code *.example.com} too: its SANs, or its CN if it has none (RFC 6125, 6.4.4). */
    public Set<String> names() {
        return names;
    }

    /** From when on clients refuse it. */
    public Instant expires() {
        return leaf().getNotAfter().toInstant();
    }

    /** Who vouches for it: the issuer's common name, else all of its name. */
    public String issuer() {
        List<String> names = commonNames(leaf().getIssuerX500Principal());
        return names.isEmpty() ? leaf().getIssuerX500Principal().getName() : names.get(0);
    }

    private X509Certificate leaf() {
        return chain.get(0);
    }

    /** Whether it is for a name, exactly or by a wildcard, which stands for one label (RFC 6125, 6.4.3). */
    public boolean fits(String name) {
        return names.contains(name) || names.contains(wildcard(name));
    }

    static String wildcard(String name) {
        return "*" + name.substring(Math.max(0, name.indexOf('.')));
    }

    /**
     * Which one to show for a name: one that is valid before one that isn't, then one that has the name before one that fits by
     * a wildcard, then the later expiry.
     */
    public static Comparator<Certificate> bestFirst(String name, Instant now) {
        return Comparator.comparing((Certificate certificate) -> !certificate.isValid(now))
                .thenComparing(certificate -> !certificate.names.contains(name))
                .thenComparing(Certificate::expires, Comparator.reverseOrder());
    }

    /** Whether clients take it at that time. */
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
