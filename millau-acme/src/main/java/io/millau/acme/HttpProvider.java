package io.millau.acme;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.connector.Connection;
import org.shredzone.acme4j.connector.NetworkSettings;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.provider.GenericAcmeProvider;
import org.shredzone.acme4j.toolbox.JSON;

/** The HTTP client for all CAs. Trusts the JDK's CAs and the given ones. */
final class HttpProvider extends GenericAcmeProvider {

    private static final Duration CONNECT = Duration.ofSeconds(10);

    private final List<X509Certificate> trusted;
    private final Duration longest;
    private @Nullable HttpClient client;

    /**
     * Creates the provider.
     *
     * @param trusted CAs of directories, in addition to those of the JDK
     * @param longest how long a response may take
     */
    HttpProvider(List<X509Certificate> trusted, Duration longest) {
        this.trusted = trusted;
        this.longest = longest;
    }

    /** Created on first use, since the client has a thread; without orders there is none. */
    @Override
    public synchronized HttpClient createHttpClient(NetworkSettings settings) {
        if (client == null) {
            HttpClient.Builder builder = HttpClient.newBuilder()
                    .followRedirects(HttpClient.Redirect.NORMAL)
                    .connectTimeout(CONNECT);
            if (!trusted.isEmpty()) {
                builder.sslContext(context(trusted));
            }
            client = builder.build();
        }
        return client;
    }

    @Override
    public Connection connect(URI server, NetworkSettings settings, HttpClient client) {
        return new LimitedConnection(createHttpConnector(settings, client), longest);
    }

    /** Fetches the directory once per session, and so once per order. acme4j would fetch it before each step. */
    @Override
    @SuppressWarnings("NullAway") // null means that it is unchanged
    public JSON directory(Session session, URI server) throws AcmeException {
        return session.hasDirectory() ? null : super.directory(session, server);
    }

    private static SSLContext context(List<X509Certificate> trusted) {
        try {
            KeyStore all = KeyStore.getInstance(KeyStore.getDefaultType());
            all.load(null, null);
            List<X509Certificate> certificates = new ArrayList<>(trusted);
            for (TrustManager manager : managers(null)) {
                if (manager instanceof X509TrustManager known) {
                    certificates.addAll(List.of(known.getAcceptedIssuers()));
                }
            }
            for (int i = 0; i < certificates.size(); i++) {
                all.setCertificateEntry("ca-" + i, certificates.get(i));
            }
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers(all), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException("can't use the CA certificates as trusted", e);
        }
    }

    private static TrustManager[] managers(@Nullable KeyStore trusted) throws GeneralSecurityException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        return factory.getTrustManagers();
    }
}
