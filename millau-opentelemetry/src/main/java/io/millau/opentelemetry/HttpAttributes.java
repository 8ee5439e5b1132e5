package io.millau.opentelemetry;

import io.millau.core.Endpoint;
import io.millau.core.Outcome;
import io.millau.core.Route;
import io.millau.core.TrafficListener.Ended;
import io.millau.core.TrafficListener.Failed;
import io.millau.core.internal.HostNames;
import io.opentelemetry.api.common.AttributeKey;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The attributes of the semantic conventions for HTTP that are stable, and Millau's own; and what their values are. Pure functions.
 */
final class HttpAttributes {

    static final AttributeKey<String> CLIENT_ADDRESS = AttributeKey.stringKey("client.address");
    static final AttributeKey<String> ERROR_TYPE = AttributeKey.stringKey("error.type");
    static final AttributeKey<String> METHOD = AttributeKey.stringKey("http.request.method");
    static final AttributeKey<String> METHOD_ORIGINAL = AttributeKey.stringKey("http.request.method_original");
    static final AttributeKey<Long> RESEND_COUNT = AttributeKey.longKey("http.request.resend_count");
    static final AttributeKey<Long> STATUS = AttributeKey.longKey("http.response.status_code");
    static final AttributeKey<String> ROUTE = AttributeKey.stringKey("http.route");
    static final AttributeKey<String> PROTOCOL_VERSION = AttributeKey.stringKey("network.protocol.version");
    static final AttributeKey<String> SERVER_ADDRESS = AttributeKey.stringKey("server.address");
    static final AttributeKey<Long> SERVER_PORT = AttributeKey.longKey("server.port");
    static final AttributeKey<String> URL_PATH = AttributeKey.stringKey("url.path");
    static final AttributeKey<String> URL_SCHEME = AttributeKey.stringKey("url.scheme");
    static final AttributeKey<String> USER_AGENT = AttributeKey.stringKey("user_agent.original");

    static final AttributeKey<String> MILLAU_LOCAL_REASON = AttributeKey.stringKey("millau.local_reason");
    static final AttributeKey<String> MILLAU_ROUTE = AttributeKey.stringKey("millau.route");
    static final AttributeKey<String> MILLAU_SERVICE = AttributeKey.stringKey("millau.service");
    static final AttributeKey<Double> MILLAU_QUEUE = AttributeKey.doubleKey("millau.queue.duration");
    static final AttributeKey<Double> MILLAU_CONNECT = AttributeKey.doubleKey("millau.connect.duration");
    static final AttributeKey<Double> MILLAU_FIRST_BYTE = AttributeKey.doubleKey("millau.first_byte.duration");

    static final String OTHER_METHOD = "_OTHER";
    static final String CLIENT_GONE = "client_gone";
    private static final String RESPONSE_BROKEN = "response_broken";

    /** Those of RFC 9110, and PATCH. */
    private static final Set<String> METHODS =
            Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH");

    private HttpAttributes() {}

    /** The method, or the word for all that the conventions don't know, so that clients can't invent values. */
    static String method(String sent) {
        return METHODS.contains(sent) ? sent : OTHER_METHOD;
    }

    /** @param route null if it is not known, or of no interest */
    static String spanName(String method, @Nullable Route route) {
        String verb = method.equals(OTHER_METHOD) ? "HTTP" : method;
        return route == null ? verb : verb + " " + route.path();
    }

    /** {@code 1.1} for {@code HTTP/1.1}, {@code 2} for {@code HTTP/2.0}. */
    static String version(String protocol) {
        return switch (protocol) {
            case "HTTP/1.1" -> "1.1";
            case "HTTP/2.0" -> "2";
            default -> protocol.substring(protocol.indexOf('/') + 1);
        };
    }

    static String version(Endpoint endpoint) {
        return endpoint.scheme().equals(Endpoint.H2C) ? "2" : "1.1";
    }

    /** The host, an IPv6 address without its brackets. */
    static String hostWithoutPort(String host) {
        int colon = HostNames.portColon(host);
        String name = colon < 0 ? host : host.substring(0, colon);
        return name.startsWith("[") && name.endsWith("]") ? name.substring(1, name.length() - 1) : name;
    }

    /** The port in the Host field, or else the usual one. */
    static int port(String host, String scheme) {
        int colon = HostNames.portColon(host);
        if (colon >= 0 && colon + 1 < host.length()) {
            try {
                return Integer.parseInt(host, colon + 1, host.length(), 10);
            } catch (NumberFormatException e) {
                // as without a port
            }
        }
        return scheme.equals("https") ? 443 : 80;
    }

    /** Why a request failed, as far as it did. */
    static @Nullable String errorType(Ended request) {
        int status = request.status();
        if (status >= 500) {
            return String.valueOf(status);
        }
        if (request.clientGone()) {
            return CLIENT_GONE;
        }
        return request.delivered() || request.localReason() != null ? null : RESPONSE_BROKEN;
    }

    static String errorType(Failed attempt) {
        return attempt.outcome() == Outcome.FAILURE_STATUS ? String.valueOf(attempt.status()) : word(attempt.outcome());
    }

    /** A constant as the word that metrics and logs have for it. */
    static String word(@Nullable Enum<?> constant) {
        return constant == null ? "_OTHER" : constant.name().toLowerCase(Locale.ROOT);
    }
}
