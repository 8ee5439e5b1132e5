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
 * Gives the certificates that were found for a handshake to its engine. Safe for use by several threads.
 *
 * <p>The thread that runs an engine {@link #offer}s the certificates before, and the engine asks for them on the same thread.
 * The JDK asks only for key types that the client supports, Conscrypt for all; so certificates with other types must not be
 * offered.
 */
final class CertificateKeyManager extends X509ExtendedKeyManager {

    private static final String ALIAS = "chosen";

    private final ThreadLocal<List<Certificate>> offered = ThreadLocal.withInitial(List::of);

    /**
     * The certificate chosen last on a thread. A handshake gets the key and the chain right after the choice, on the same
     * thread, so both belong to the same certificate.
     */
    private final ThreadLocal<Certificate> chosen = new ThreadLocal<>();

    /** Sets the certificates, best first, from which the engine that runs next on this thread may choose. */
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
        return null; // only engines are used, no sockets
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
