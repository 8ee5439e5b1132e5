package io.millau.testing;

import io.millau.core.Certificate;
import io.millau.core.UpstreamTls;
import io.millau.core.internal.Issuer;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The certificates of all tests of a JVM, and who trusts them. Made when the first test needs them. */
final class TestCertificates {

    /** What an upstream's certificate is for. */
    private static final String UPSTREAM = "upstream.test";

    private static final char[] NO_PASSWORD = {};
    private static final Instant NOW = Instant.now();
    private static final Instant YESTERDAY = NOW.minus(Duration.ofDays(1));
    private static final Instant NEXT_YEAR = NOW.plus(Duration.ofDays(365));
    private static final Issuer ROOT = issuer("Millau test");

    /**
     * That of the proxy. Of several valid ones a proxy takes the one that expires last: a test's own, which it may have made for a day,
     * comes before this one.
     */
    static final Certificate LOCALHOST = issue(ROOT, "localhost", YESTERDAY, NOW.plus(Duration.ofHours(12)));

    /** Trusts the proxy. */
    static final SSLContext CLIENT = client();

    /** How the proxy verifies an upstream. */
    static final UpstreamTls VERIFIED = new UpstreamTls(Set.of(ROOT.certificate()), UPSTREAM);

    static final SSLContext TRUSTED = server(issue(ROOT, UPSTREAM, YESTERDAY, NEXT_YEAR));
    static final SSLContext EXPIRED = server(issue(ROOT, UPSTREAM, YESTERDAY.minus(Duration.ofDays(90)), YESTERDAY));
    static final SSLContext NOT_TRUSTED = server(issue(issuer("stranger"), UPSTREAM, YESTERDAY, NEXT_YEAR));

    private TestCertificates() {}

    private static Issuer issuer(String name) {
        try {
            return Issuer.authority(name);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Certificate issue(Issuer issuer, String name, Instant from, Instant until) {
        try {
            return issuer.issue(name, from, until);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static SSLContext client() {
        try {
            KeyStore trusted = KeyStore.getInstance("PKCS12");
            trusted.load(null, null);
            trusted.setCertificateEntry("root", ROOT.certificate());
            TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
            trust.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static SSLContext server(Certificate own) {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry("own", own.key(), NO_PASSWORD, own.chain().toArray(X509Certificate[]::new));
            KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
            keys.init(store, NO_PASSWORD);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), null, null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
