package io.millau.server.internal.tls;

import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import javax.net.ssl.SSLContext;

/** TLS contexts by the CA certificates that they trust, each created when it is needed. Safe for use by several threads. */
final class TlsContexts {

    /** At this size the map is cleared, to forget the contexts of old labels. */
    private static final int MOST = 1000;

    private final Function<Set<X509Certificate>, SSLContext> maker;
    private final Map<Set<X509Certificate>, SSLContext> all = new ConcurrentHashMap<>();

    TlsContexts(Function<Set<X509Certificate>, SSLContext> maker) {
        this.maker = maker;
    }

    SSLContext of(Set<X509Certificate> ca) {
        if (all.size() >= MOST) {
            all.clear();
        }
        return all.computeIfAbsent(ca, maker);
    }
}
