package io.millau.server;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Locale;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSession;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Asks a {@link CertificateSource} in each handshake. Safe for use by several threads.
 *
 * <p>The JDK asks for kinds of keys that the client knows, Conscrypt for all, and takes the last that it gets: EC.
 */
final class CertificateKeyManager extends X509ExtendedKeyManager {

    private static final String ALIAS = "chosen";

    private final CertificateSource source;

    /**
     * A handshake takes the key and the chain right after the choice, on the same thread: so both are of one certificate,
     * whatever the source says meanwhile.
     */
    private final ThreadLocal<Certificate> chosen = new ThreadLocal<>();

    CertificateKeyManager(CertificateSource source) {
        this.source = source;
    }

    @Override
    public @Nullable String chooseEngineServerAlias(String keyType, Principal @Nullable [] issuers, SSLEngine engine) {
        for (Certificate certificate : source.find(serverName(engine.getHandshakeSession()))) {
            if (certificate.key().getAlgorithm().equals(keyType)) {
                chosen.set(certificate);
                return ALIAS;
            }
        }
        return null;
    }

    /** @param handshake null where the JDK takes up a session of TLS 1.2 and looks whether the certificate is still the same */
    private static @Nullable String serverName(@Nullable SSLSession handshake) {
        if (handshake instanceof ExtendedSSLSession session) {
            for (SNIServerName name : session.getRequestedServerNames()) {
                if (name instanceof SNIHostName host) {
                    return host.getAsciiName().toLowerCase(Locale.ROOT);
                }
            }
        }
        return null;
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
        return chosen.get().key();
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
        return chosen.get().chain().toArray(X509Certificate[]::new);
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, Socket socket) {
        return null; // there are engines only
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }

    @Override
    public @Nullable String chooseClientAlias(String[] keyType, Principal @Nullable [] issuers, Socket socket) {
        return null;
    }
}
