package io.millau.server.internal.tls;

import io.millau.core.Certificate;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Gives a handshake the certificates that were found for it. Safe for use by several threads.
 *
 * <p>An engine asks on the thread that drives it, which {@link #offer}s them before. The JDK asks for kinds of keys that the
 * client knows, Conscrypt for all; so what the client doesn't know is not among them.
 */
final class CertificateKeyManager extends X509ExtendedKeyManager {

    private static final String ALIAS = "chosen";

    private final ThreadLocal<List<Certificate>> offered = ThreadLocal.withInitial(List::of);

    /**
     * A handshake takes the key and the chain right after the choice, on the same thread: so both are of one certificate,
     * whatever was offered meanwhile.
     */
    private final ThreadLocal<Certificate> chosen = new ThreadLocal<>();

    /** Says what the engine that is driven next may choose from, best first. */
    void offer(List<Certificate> certificates) {
        offered.set(certificates);
    }

    @Override
    public @Nullable String chooseEngineServerAlias(String keyType, Principal @Nullable [] issuers, SSLEngine engine) {
        for (Certificate certificate : offered.get()) {
            if (certificate.key().getAlgorithm().equals(keyType)) {
                chosen.set(certificate);
                return ALIAS;
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
