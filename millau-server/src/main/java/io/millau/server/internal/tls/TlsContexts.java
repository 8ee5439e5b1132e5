package io.millau.server.internal.tls;

import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import javax.net.ssl.SSLContext;

/** TLS contexts by who has to vouch for the other side, each made when it is first needed. Safe for use by several threads. */
final class TlsContexts {

    /** When labels changed that often, it begins again with those in use. */
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
