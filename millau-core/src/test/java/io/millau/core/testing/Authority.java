package io.millau.core.testing;

import io.millau.core.Certificate;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLDistPoint;
import org.bouncycastle.asn1.x509.DistributionPoint;
import org.bouncycastle.asn1.x509.DistributionPointName;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A certificate authority for tests, which also issues invalid certificates. */
public final class Authority {

    private static final char[] NO_PASSWORD = {};

    private final KeyPair keys;
    private final List<X509Certificate> chain;

    private Authority(KeyPair keys, List<X509Certificate> chain) {
        this.keys = keys;
        this.chain = chain;
    }

    /** A self-signed root. */
    public static Authority root(String name) {
        return named("CN=" + name);
    }

    /** A self-signed root with a full X.500 name, for example {@code O=Shop}. */
    public static Authority named(String name) {
        KeyPair keys = keys("EC", 256);
        X500Principal subject = new X500Principal(name);
        Order order = new Order(subject, keys, List.of(), subject, keys);
        return new Authority(keys, List.of(order.sign(true)));
    }

    /** An intermediate CA of this one; it is part of the chains of its certificates. */
    public Authority intermediate(String name) {
        KeyPair own = keys("EC", 256);
        Order order = new Order(subject(), keys, chainBelowRoot(), new X500Principal("CN=" + name), own);
        List<X509Certificate> whole = new ArrayList<>(List.of(order.sign(true)));
        whole.addAll(chain);
        return new Authority(own, whole);
    }

    /** The root certificate. */
    public X509Certificate certificate() {
        return chain.get(chain.size() - 1);
    }

    /** A server's certificate for some names, with an EC key, valid from an hour ago for 90 days. */
    public Certificate issue(String... names) {
        return order().names(names).issue();
    }

    /** An order for a certificate. */
    public Order order() {
        return new Order(subject(), keys, chainBelowRoot(), new X500Principal("CN=millau test"), keys("EC", 256));
    }

    private X500Principal subject() {
        return chain.get(0).getSubjectX500Principal();
    }

    private List<X509Certificate> chainBelowRoot() {
        return chain.subList(0, chain.size() - 1);
    }

    /** A client that trusts this authority, with an optional client certificate. */
    public SSLContext client(Certificate... own) {
        try {
            KeyStore trusted = emptyStore();
            trusted.setCertificateEntry("root", certificate());
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(own.length == 0 ? new KeyManager[0] : keyManagers(own[0]), trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** A server with this certificate. */
    public static SSLContext server(Certificate own) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keyManagers(own), null, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static KeyManager[] keyManagers(Certificate own) throws GeneralSecurityException {
        KeyStore store = emptyStore();
        store.setKeyEntry("own", own.key(), NO_PASSWORD, own.chain().toArray(X509Certificate[]::new));
        KeyManagerFactory factory =
                KeyManagerFactory.getInstance("SunX509"); // sends its certificate whatever CAs the server names
        factory.init(store, NO_PASSWORD);
        return factory.getKeyManagers();
    }

    private static KeyStore emptyStore() throws GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try {
            store.load(null, null);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return store;
    }

    private static KeyPair keys(String algorithm, int bits) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
            generator.initialize(bits);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** A certificate to be issued. Not thread-safe. */
    public static final class Order {
        private final X500Principal issuer;
        private final KeyPair issuerKeys;
        private final List<X509Certificate> issuerChain;
        private X500Principal subject;
        private KeyPair own;
        private List<GeneralName> names = List.of();
        private Instant from = Instant.now().minus(Duration.ofHours(1));
        private Instant until = from.plus(Duration.ofDays(90));

        private Order(
                X500Principal issuer,
                KeyPair issuerKeys,
                List<X509Certificate> issuerChain,
                X500Principal subject,
                KeyPair own) {
            this.issuer = issuer;
            this.issuerKeys = issuerKeys;
            this.issuerChain = issuerChain;
            this.subject = subject;
            this.own = own;
        }

        /** Sets the SANs to these host names. */
        public Order names(String... hosts) {
            names = Arrays.stream(hosts)
                    .map(host -> new GeneralName(GeneralName.dNSName, host))
                    .toList();
            return this;
        }

        /** Sets the only SAN to this IP address. */
        public Order address(String address) {
            names = List.of(new GeneralName(GeneralName.iPAddress, address));
            return this;
        }

        /** Sets the common name. */
        public Order commonName(String name) {
            subject = new X500Principal("CN=" + name);
            return this;
        }

        /** Uses an RSA key. */
        public Order rsa() {
            own = keys("RSA", 2048);
            return this;
        }

        /** Sets the start of its validity. */
        public Order from(Instant time) {
            from = time;
            return this;
        }

        /** Sets the end of its validity. */
        public Order until(Instant time) {
            until = time;
            return this;
        }

        /** Makes it expired. */
        public Order expired() {
            return from(Instant.now().minus(Duration.ofDays(90)))
                    .until(Instant.now().minus(Duration.ofDays(1)));
        }

        /** Issues the certificate, with its key and chain. */
        public Certificate issue() {
            List<X509Certificate> all = new ArrayList<>(List.of(sign(false)));
            all.addAll(issuerChain);
            return new Certificate(own.getPrivate(), all);
        }

        private X509Certificate sign(boolean authority) {
            try {
                JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                        issuer,
                        new BigInteger(127, new SecureRandom()),
                        Date.from(from),
                        Date.from(authority ? from.plus(Duration.ofDays(3650)) : until),
                        subject,
                        own.getPublic());
                builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
                if (authority) {
                    builder.addExtension(
                            Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
                } else {
                    builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
                        KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
                    }));
                }
                if (!authority) {
                    DistributionPointName revoked = new DistributionPointName(new GeneralNames(
                            new GeneralName(GeneralName.uniformResourceIdentifier, "http://crl.invalid/revoked")));
                    builder.addExtension(
                            Extension.cRLDistributionPoints,
                            false,
                            new CRLDistPoint(new DistributionPoint[] {new DistributionPoint(revoked, null, null)}));
                }
                if (!names.isEmpty()) {
                    builder.addExtension(
                            Extension.subjectAlternativeName,
                            false,
                            new GeneralNames(names.toArray(GeneralName[]::new)));
                }
                return new JcaX509CertificateConverter()
                        .getCertificate(builder.build(
                                new JcaContentSignerBuilder("SHA256withECDSA").build(issuerKeys.getPrivate())));
            } catch (CertIOException | OperatorCreationException | GeneralSecurityException e) {
                throw new AssertionError(e);
            }
        }
    }
}
