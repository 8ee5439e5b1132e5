package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.core.Router;
import io.millau.core.internal.HostNames;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.frontend.Forwarding;
import io.millau.server.internal.frontend.RequestTarget;
import io.millau.server.internal.tls.ClientIdentity;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.security.cert.X509Certificate;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides which requests have to use another connection: one over HTTPS, or one whose client has presented the certificate that
 * the service requires. Runs on I/O threads.
 */
public final class HttpsRules {

    private static final Logger LOG = LoggerFactory.getLogger(HttpsRules.class);

    /** The path below which ACME servers request the response to a challenge, over plain HTTP (RFC 8555, 8.3). */
    private static final String CHALLENGES = "/.well-known/acme-challenge/";

    private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9_-]{16,128}");

    /** The hosts, with or without a port (RFC 9110, 7.2), that may be copied into a Location header. */
    private static final Pattern AUTHORITY = Pattern.compile("([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+])(:[0-9]{0,5})?");

    enum Verdict {
        PROCEED,
        REDIRECT,
        MISDIRECTED
    }

    private final Router router;
    private final boolean redirectAll;
    private final int port;
    private final int publishedPort;

    /** Whether it was said that HTTPS may be nowhere. */
    private final AtomicBoolean toNowhere = new AtomicBoolean();

    /**
     * @param redirectAll whether every request over plain HTTP is redirected
     * @param port the port that listens for HTTPS; 0 if there is none
     * @param publishedPort the port for HTTPS that clients use; 0 if that is unknown
     */
    public HttpsRules(Router router, boolean redirectAll, int port, int publishedPort) {
        this.router = router;
        this.redirectAll = redirectAll;
        this.port = port;
        this.publishedPort = publishedPort;
    }

    static boolean isChallenge(HttpServerExchange exchange) {
        return exchange.getRequestPath().startsWith(CHALLENGES);
    }

    /** The token that a request below the path of challenges asks for; null if it is not a valid token. */
    static @Nullable String token(HttpServerExchange exchange) {
        String token = exchange.getRequestPath().substring(CHALLENGES.length());
        return TOKEN.matcher(token).matches() ? token : null;
    }

    private static boolean isSecure(HttpServerExchange exchange) {
        return exchange.getRequestScheme().equals("https");
    }

    /** Whether the request is redirected to HTTPS, whatever services it matches. */
    boolean redirectsAll(HttpServerExchange exchange) {
        return redirectAll && !isSecure(exchange) && !isChallenge(exchange);
    }

    /**
     * Decides for a request whose services are known.
     *
     * @param host the value of the Host header; empty if there is none
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
     * The URL to redirect a request to. A client that sends a Host without a port uses the default port of HTTP and is
     * redirected to the default port of HTTPS, since published ports can differ from the ports that this proxy listens on. A
     * client that sends a port is redirected to the port that listens for HTTPS. The published port, where it is known, is
     * better than both.
     *
     * @return null if the request has no valid Host
     */
    @Nullable
    String location(HttpServerExchange exchange) {
        Forwarding forwarding = Forwarding.of(exchange);
        String asked = forwarding == null ? null : forwarding.host();
        String host = asked == null ? exchange.getRequestHeaders().getFirst(Headers.HOST) : asked;
        if (host == null || !AUTHORITY.matcher(host).matches()) {
            return null;
        }
        int colon = HostNames.portColon(host);
        String name = colon < 0 ? host : host.substring(0, colon);
        int target = publishedPort > 0 ? publishedPort : colon >= 0 && port > 0 ? port : 443;
        if (port == 0 && publishedPort == 0 && forwarding == null && !toNowhere.getAndSet(true)) {
            LOG.warn(
                    "Redirects to https://{}, though nothing listens for HTTPS here: expected an address for it, or a trusted"
                            + " proxy in front",
                    name);
        }
        return "https://" + name + (target == 443 ? "" : ":" + target) + RequestTarget.of(exchange);
    }
}
