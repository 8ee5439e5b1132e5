package io.millau.server.internal.tls;

import io.millau.core.Endpoint;
import io.millau.core.UpstreamTls;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * Creates engines for TLS to endpoints. They are always those of the JDK: connections are kept, so the cost of handshakes
 * matters little. Every certificate is verified, and has to be for the endpoint's name (RFC 9525). Safe for use by several
 * threads.
 */
public final class UpstreamEngines {

    /** Host names of certificates. They have no underscore, unlike the names of Swarm services. */
    private static final Pattern HOST_NAME = Pattern.compile("[A-Za-z0-9.-]*[A-Za-z][A-Za-z0-9.-]*");

    private static final Pattern ADDRESS = Pattern.compile("[0-9.]+|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*");

    private final TlsContexts contexts = new TlsContexts(UpstreamEngines::context);

    /** Creates the engine for a new connection. */
    public SSLEngine engine(UpstreamTls tls) throws GeneralSecurityException {
        SSLEngine engine = contexts.of(tls.ca()).createSSLEngine(tls.name(), -1);
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        parameters.setApplicationProtocols(new String[] {Tls.HTTP_1});
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        if (HOST_NAME.matcher(tls.name()).matches()) {
            parameters.setServerNames(List.of(new SNIHostName(tls.name())));
        } else if (!ADDRESS.matcher(tls.name()).matches()) {
            throw new GeneralSecurityException("no certificate can be for " + tls.name()
                    + ", expected millau.upstream-name to say which name it is for");
        }
        engine.setSSLParameters(parameters);
        return engine;
    }

    private static SSLContext context(Set<X509Certificate> ca) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, ca.isEmpty() ? null : TrustManagers.trusting(ca), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("no TLS from this Java runtime", e);
        }
    }

    /** Describes a failed handshake to the operator, and how to correct it. */
    public static IOException explain(IOException failure, Endpoint endpoint) {
        UpstreamTls tls = endpoint.tls();
        if (tls == null || !causedBy(failure, CertificateException.class)) {
            String reason = failure instanceof ClosedChannelException // which has no message
                    ? "the connection was closed in the handshake"
                    : failure.getMessage();
            return new IOException("no TLS: " + reason, failure);
        }
        return new IOException(
                "its certificate is rejected: expected one " + expected(failure, tls) + " (" + failure.getMessage()
                        + ")",
                failure);
    }

    private static String expected(IOException failure, UpstreamTls tls) {
        if (causedBy(failure, CertPathBuilderException.class)) {
            return "of " + (tls.ca().isEmpty() ? "a public authority, or millau.upstream-ca" : "millau.upstream-ca");
        }
        return causedBy(failure, CertificateExpiredException.class)
                        || causedBy(failure, CertificateNotYetValidException.class)
                ? "that is valid now"
                : "for " + tls.name() + ", or millau.upstream-name";
    }

    private static boolean causedBy(@Nullable Throwable failure, Class<? extends Exception> kind) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (kind.isInstance(cause)) {
                return true;
            }
        }
        return false;
    }
}
