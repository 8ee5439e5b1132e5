package io.millau.server;

import io.millau.core.CertificateSource;
import io.undertow.connector.ByteBufferPool;
import java.security.GeneralSecurityException;
import java.security.Provider;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.conscrypt.Conscrypt;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;

/** TLS as this proxy serves it. Safe for use by several threads. */
final class Tls {

    static final String HTTP_1 = "http/1.1";
    static final String HTTP_2 = "h2";

    private final ByteBufferPool pool = TlsThread.pool();
    private final ThreadLocal<TlsThread> threads =
            ThreadLocal.withInitial(() -> new TlsThread(XnioIoThread.requireCurrentThread(), pool));
    private final SSLContext context;
    private final SSLParameters parameters;
    private final boolean conscrypt;

    /** @param provider who does it; null for the runtime's own preference */
    Tls(CertificateSource certificates, @Nullable Provider provider) {
        try {
            context = provider == null ? SSLContext.getInstance("TLS") : SSLContext.getInstance("TLS", provider);
            context.init(new KeyManager[] {new CertificateKeyManager(certificates)}, null, null);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("no TLS from " + (provider == null ? "this Java runtime" : provider), e);
        }
        conscrypt = context.getProvider().getName().equals("Conscrypt");
        parameters = context.getDefaultSSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        parameters.setApplicationProtocols(new String[] {HTTP_2, HTTP_1});
    }

    /** For a new connection. */
    SSLEngine engine() {
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(false);
        engine.setSSLParameters(parameters);
        if (conscrypt) {
            Tickets.enable(engine);
        }
        return engine;
    }

    /** Conscrypt gives no tickets unless told, and without them TLS 1.3 takes up no session. Loaded with Conscrypt alone. */
    private static final class Tickets {
        static void enable(SSLEngine engine) {
            Conscrypt.setUseSessionTickets(engine, true);
        }
    }

    /** The calling I/O thread's. */
    TlsThread thread() {
        return threads.get();
    }
}
