package io.millau.server.internal.tls;

import io.millau.core.Certificate;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.Provider;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import org.conscrypt.Conscrypt;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of TLS towards clients: Mozilla's "intermediate" (Server Side TLS, guideline 5.7) without the suites with
 * finite-field Diffie-Hellman, which are expensive for the server and which no client needs. Safe for use by several threads.
 */
public final class Tls {

    static final String HTTP_1 = "http/1.1";

    /** What curl offers for HTTP/1.0. */
    private static final String HTTP_1_0 = "http/1.0";

    public static final String HTTP_2 = "h2";

    /** The protocol with which an ACME server checks whether a name leads to this proxy (RFC 8737, 3). */
    public static final String ACME = "acme-tls/1";

    private static final List<String> SUITES = List.of(
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    private final Certificates certificates;
    private final Function<String, @Nullable Set<X509Certificate>> clientCa;
    private final @Nullable Provider provider;
    private final CertificateKeyManager keys = new CertificateKeyManager();

    /** The context for clients that need no certificate. */
    private final SSLContext open;

    /** The contexts for clients that need one, separate for each CA, so that a session can't be resumed with another CA. */
    private final TlsContexts closed = new TlsContexts(this::context);

    private final SSLParameters parameters;
    private final SSLParameters challengeParameters;
    private final boolean conscrypt;

    /**
     * @param clientCa returns the CA certificates that verify clients of a host name; null if clients need no certificate
     * @param provider the security provider; null for the one that the Java runtime prefers
     */
    public Tls(
            Certificates certificates,
            Function<String, @Nullable Set<X509Certificate>> clientCa,
            @Nullable Provider provider) {
        this.certificates = certificates;
        this.clientCa = clientCa;
        this.provider = provider;
        this.open = context(null);
        this.conscrypt = open.getProvider().getName().equals("Conscrypt");
        this.parameters = parameters(open.getSupportedSSLParameters(), HTTP_2, HTTP_1, HTTP_1_0);
        this.challengeParameters = parameters(open.getSupportedSSLParameters(), ACME);
    }

    private static SSLParameters parameters(SSLParameters supported, String... protocols) {
        List<String> suites = Arrays.asList(supported.getCipherSuites());
        SSLParameters parameters = new SSLParameters(
                SUITES.stream().filter(suites::contains).toArray(String[]::new), new String[] {"TLSv1.3", "TLSv1.2"});
        parameters.setUseCipherSuitesOrder(false); // the client's order, by its speed; Conscrypt ignores this
        parameters.setApplicationProtocols(protocols);
        return parameters;
    }

    /** @param ca the CA certificates that verify clients; null if clients need no certificate */
    private SSLContext context(@Nullable Set<X509Certificate> ca) {
        try {
            SSLContext context =
                    provider == null ? SSLContext.getInstance("TLS") : SSLContext.getInstance("TLS", provider);
            context.init(new KeyManager[] {keys}, ca == null ? null : trustManagers(ca), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("no TLS from " + (provider == null ? "this Java runtime" : provider), e);
        }
    }

    /** If no CA satisfies all services, trusts a throw-away one, so that every handshake fails. */
    private static TrustManager[] trustManagers(Set<X509Certificate> ca) throws GeneralSecurityException {
        return TrustManagers.trusting(
                ca.isEmpty()
                        ? Set.copyOf(Certificate.selfSigned("nobody.invalid").chain())
                        : ca);
    }

    /** The certificate for the challenge of an ACME server; empty for all other clients, and for unknown challenges. */
    CompletableFuture<Optional<Certificate>> challenge(ClientHello hello) {
        String name = hello.serverName();
        return hello.offers(ACME) && name != null
                ? certificates.tlsChallenge(name)
                : CompletableFuture.completedFuture(Optional.empty());
    }

    /** Whether HTTP can be spoken with a client that offers these application protocols. */
    static boolean speaksOneOf(List<String> offered) {
        return offered.isEmpty() || offered.contains(HTTP_2) || offered.contains(HTTP_1) || offered.contains(HTTP_1_0);
    }

    /** Creates the session for a client's handshake. */
    Session session(ClientHello hello) {
        String name = hello.serverName();
        Set<X509Certificate> ca = clientCa.apply(name == null ? "" : name);
        SSLEngine engine = engine(ca == null ? open : closed.of(ca), parameters);
        engine.setNeedClientAuth(ca != null);
        List<Certificate> found = certificates.find(name).stream()
                .filter(certificate -> hello.keys().contains(certificate.key().getAlgorithm()))
                .toList();
        return new Session(engine, found, ca);
    }

    /** Creates the session for the challenge of an ACME server. */
    Session session(Certificate challenge) {
        return new Session(engine(open, challengeParameters), List.of(challenge), null);
    }

    private SSLEngine engine(SSLContext context, SSLParameters parameters) {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        engine.setSSLParameters(parameters);
        if (conscrypt) {
            Tickets.enable(engine);
        }
        return engine;
    }

    /** The server's side of a handshake. For one thread. */
    final class Session {
        final SSLEngine engine;
        private final List<Certificate> certificates;
        private final @Nullable Set<X509Certificate> clientCa;

        private Session(SSLEngine engine, List<Certificate> certificates, @Nullable Set<X509Certificate> clientCa) {
            this.engine = engine;
            this.certificates = certificates;
            this.clientCa = clientCa;
        }

        /** To be called before the engine runs, on the same thread. */
        void offerCertificates() {
            keys.offer(certificates);
        }

        /** The identity of the client, after the handshake; null if it needed no certificate. */
        @Nullable
        ClientIdentity client() throws IOException {
            return clientCa == null ? null : ClientIdentity.of(engine.getSession(), clientCa);
        }
    }

    /** Enables session tickets, which Conscrypt needs to resume sessions of TLS 1.3. Loaded only with Conscrypt. */
    private static final class Tickets {
        static void enable(SSLEngine engine) {
            Conscrypt.setUseSessionTickets(engine, true);
        }
    }
}
