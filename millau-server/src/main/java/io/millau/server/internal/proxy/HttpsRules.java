package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.core.Router;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.tls.ClientIdentity;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.security.cert.X509Certificate;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Decides which requests have to use another connection: HTTPS, or one with a verified client certificate. For I/O threads.
 */
public final class HttpsRules {

    /** ACME servers request challenges below this path, over plain HTTP (RFC 8555, 8.3). */
    private static final String CHALLENGES = "/.well-known/acme-challenge/";

    private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9_-]{16,128}");

    /** A host with or without a port (RFC 9110, 7.2), as a Location may repeat it. */
    private static final Pattern AUTHORITY = Pattern.compile("([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+])(:[0-9]{0,5})?");

    enum Verdict {
        PROCEED,
        REDIRECT,
        MISDIRECTED
    }

    private final Router router;
    private final boolean redirectAll;
    private final int port;

    /**
     * @param redirectAll whether every request over plain HTTP is redirected
     * @param port the port of the HTTPS listener; 0 if there is none
     */
    public HttpsRules(Router router, boolean redirectAll, int port) {
        this.router = router;
        this.redirectAll = redirectAll;
        this.port = port;
    }

    static boolean isChallenge(HttpServerExchange exchange) {
        return exchange.getRequestPath().startsWith(CHALLENGES);
    }

    /** The token that a request for a challenge names; null if it is not a token. */
    static @Nullable String token(HttpServerExchange exchange) {
        String token = exchange.getRequestPath().substring(CHALLENGES.length());
        return TOKEN.matcher(token).matches() ? token : null;
    }

    private static boolean isSecure(HttpServerExchange exchange) {
        return exchange.getRequestScheme().equals("https");
    }

    /** Whether a request is redirected whatever its service. */
    boolean redirectsAll(HttpServerExchange exchange) {
        return redirectAll && !isSecure(exchange) && !isChallenge(exchange);
    }

    /**
     * What to do with a request whose services are known.
     *
     * @param host the value of the Host field; empty if there is none
     */
    Verdict verdict(HttpServerExchange exchange, String host, Delivery delivery) {
        Set<X509Certificate> ofHost = router.clientCa(host);
        if (!isSecure(exchange)) {
            if (ofHost != null || delivery.clientCa() != null) {
                return port > 0 ? Verdict.REDIRECT : Verdict.MISDIRECTED;
            }
            return delivery.redirectToHttps() && !isChallenge(exchange) ? Verdict.REDIRECT : Verdict.PROCEED;
        }
        ClientIdentity client = Downstream.provedBy(exchange);
        Set<X509Certificate> proved = client == null ? null : client.ca();
        boolean fits = Objects.equals(proved, ofHost)
                && (delivery.clientCa() == null || delivery.clientCa().equals(proved));
        return fits ? Verdict.PROCEED : Verdict.MISDIRECTED;
    }

    /**
     * Where to come to. A Host without a port was reached at the default one, and HTTPS is too, whatever ports the two have
     * here, behind Docker's for instance; with one it was ours.
     *
     * @return null if the request doesn't say what it asks for
     */
    @Nullable
    String location(HttpServerExchange exchange) {
        String host = exchange.getRequestHeaders().getFirst(Headers.HOST);
        if (host == null || !AUTHORITY.matcher(host).matches()) {
            return null;
        }
        int colon = host.lastIndexOf(':');
        boolean hasPort = colon > host.lastIndexOf(']');
        String name = hasPort ? host.substring(0, colon) : host;
        String query = exchange.getQueryString();
        return "https://" + name + (hasPort && port > 0 && port != 443 ? ":" + port : "") + Http1.pathOf(exchange)
                + (query.isEmpty() ? "" : "?" + query);
    }
}
