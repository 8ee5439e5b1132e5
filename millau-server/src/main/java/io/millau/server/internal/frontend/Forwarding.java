package io.millau.server.internal.frontend;

import io.millau.core.internal.AddressRanges;
import io.millau.core.internal.IpAddresses;
import io.millau.server.internal.http.Authority;
import io.millau.server.internal.http.ForwardedField;
import io.millau.server.internal.text.Trust;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.AttachmentKey;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the proxies in front of this one say of a request's client, as far as they are believed. Immutable.
 *
 * <p>Each proxy appends the address of its peer to a list. Read from its end, the first address that is not trusted is the
 * client's; a client can only forge what stands before it.
 *
 * @param client the client's address
 * @param addresses the value of {@code X-Forwarded-For} for the service: the list that was received, and the peer
 * @param host that the client asked for; null if it is that of Host
 * @param port that the client connected to; null if it is that of the host or the default of the scheme
 * @param field the value of {@code Forwarded} (RFC 7239) for the service; null for none
 */
public record Forwarding(
        String client,
        String addresses,
        @Nullable String host,
        @Nullable String port,
        @Nullable String field) {

    private static final AttachmentKey<Forwarding> KEY = AttachmentKey.create(Forwarding.class);

    private static final Pattern PORT = Pattern.compile("[1-9][0-9]{0,4}");
    private static final HttpString X_FORWARDED_FOR = new HttpString("X-Forwarded-For");
    private static final HttpString X_FORWARDED_PROTO = new HttpString("X-Forwarded-Proto");
    private static final HttpString X_FORWARDED_HOST = new HttpString("X-Forwarded-Host");
    private static final HttpString X_FORWARDED_PORT = new HttpString("X-Forwarded-Port");
    private static final HttpString FORWARDED = new HttpString("Forwarded");

    /** Null if nothing was said, or nobody is believed. */
    public static @Nullable Forwarding of(HttpServerExchange exchange) {
        return exchange.getAttachment(KEY);
    }

    /** Whether a request says that its client uses HTTPS, believed or not. */
    public static boolean claimsHttps(HttpServerExchange exchange) {
        HeaderMap headers = exchange.getRequestHeaders();
        String field = headers.getFirst(FORWARDED);
        return "https".equalsIgnoreCase(headers.getFirst(X_FORWARDED_PROTO))
                || field != null && field.toLowerCase(Locale.ROOT).contains("proto=https");
    }

    /** Reads what is said of the client of a request, and sets the scheme of the exchange by it. */
    static void read(HttpServerExchange exchange, Trust trust) {
        InetSocketAddress peer = exchange.getSourceAddress();
        InetAddress address = peer == null ? null : peer.getAddress();
        ProxyHeader announced = trust.proxyProtocol().isEmpty()
                ? null
                : AcceptedConnection.of(exchange).header();
        if (announced != null && announced.isSecure()) {
            exchange.setRequestScheme("https");
        }
        if (address != null && trust.forwarding().contains(address)) {
            HeaderMap headers = exchange.getRequestHeaders();
            boolean standard = headers.contains(FORWARDED) && !headers.contains(X_FORWARDED_FOR);
            Chain chain = standard ? Chain.ofForwarded(headers) : Chain.ofXForwarded(headers);
            exchange.putAttachment(KEY, of(exchange, address, chain, trust.forwarding()));
        } else if (announced != null) {
            String client = DownstreamConnection.textOf(peer);
            exchange.putAttachment(
                    KEY,
                    new Forwarding(
                            client,
                            client,
                            null,
                            String.valueOf(announced.local().getPort()),
                            null));
        }
    }

    private static Forwarding of(HttpServerExchange exchange, InetAddress peer, Chain chain, AddressRanges trusted) {
        InetAddress client = peer;
        int hops = 0;
        for (int i = chain.nodes.size() - 1; i >= 0 && (hops == 0 || trusted.contains(client)); i--) {
            InetAddress next = addressOf(chain.nodes.get(i));
            if (next == null) {
                break;
            }
            client = next;
            hops++;
        }
        String scheme = scheme(Chain.at(chain.schemes, hops));
        if (scheme != null) {
            exchange.setRequestScheme(scheme);
        }
        String host = Chain.at(chain.hosts, hops);
        String port = Chain.at(words(exchange.getRequestHeaders().get(X_FORWARDED_PORT)), hops);
        String peerText = IpAddresses.text(peer);
        return new Forwarding(
                IpAddresses.text(client),
                chain.nodes.isEmpty() ? peerText : String.join(", ", chain.nodes) + ", " + peerText,
                host == null || host.isEmpty() || !Authority.isValid(host) ? null : host,
                port == null || !PORT.matcher(port).matches() ? null : port,
                chain.field == null ? null : chain.field + ", " + element(peerText));
    }

    private static String element(String peer) {
        return peer.indexOf(':') < 0 ? "for=" + peer : "for=\"[" + peer + "]\"";
    }

    /** The scheme that is meant; null if the text is none. */
    private static @Nullable String scheme(@Nullable String text) {
        return switch (text == null ? "" : text.toLowerCase(Locale.ROOT)) {
            case "https", "wss" -> "https";
            case "http", "ws" -> "http";
            default -> null;
        };
    }

    /** The address of a node, which may have a port (RFC 7239, 6); null for other names. */
    private static @Nullable InetAddress addressOf(String node) {
        if (node.startsWith("[")) {
            int end = node.indexOf(']');
            return end < 0 ? null : IpAddresses.parse(node.substring(1, end));
        }
        int colon = node.indexOf(':');
        boolean ipv4WithPort = colon > 0 && node.indexOf(':', colon + 1) < 0;
        return IpAddresses.parse(ipv4WithPort ? node.substring(0, colon) : node);
    }

    private static List<String> words(@Nullable HeaderValues values) {
        List<String> words = new ArrayList<>();
        if (values != null) {
            for (String value : values) {
                for (String word : value.split(",")) {
                    String text = word.strip();
                    if (!text.isEmpty()) {
                        words.add(text);
                    }
                }
            }
        }
        return words;
    }

    /**
     * What the proxies said, in their order.
     *
     * @param nodes each proxy's peer
     * @param schemes that the peers used
     * @param hosts that they asked for
     * @param field the received value of Forwarded, if that was read
     */
    private record Chain(
            List<String> nodes,
            List<String> schemes,
            List<String> hosts,
            @Nullable String field) {

        static Chain ofXForwarded(HeaderMap headers) {
            return new Chain(
                    words(headers.get(X_FORWARDED_FOR)),
                    words(headers.get(X_FORWARDED_PROTO)),
                    words(headers.get(X_FORWARDED_HOST)),
                    null);
        }

        static Chain ofForwarded(HeaderMap headers) {
            List<ForwardedField.Element> elements = new ArrayList<>();
            for (String value : headers.get(FORWARDED)) {
                elements.addAll(ForwardedField.parse(value));
            }
            return new Chain(
                    elements.stream().map(element -> node(element.node())).toList(),
                    elements.stream().map(ForwardedField.Element::proto).toList(),
                    elements.stream().map(ForwardedField.Element::host).toList(),
                    elements.isEmpty() ? null : String.join(", ", headers.get(FORWARDED)));
        }

        /** As it is written in X-Forwarded-For. */
        private static String node(String node) {
            InetAddress address = addressOf(node);
            return address != null ? IpAddresses.text(address) : node.isEmpty() ? "unknown" : node;
        }

        /** What the proxy said that the client was connected to. A list that not every proxy adds to may be shorter. */
        static @Nullable String at(List<String> values, int hops) {
            return values.isEmpty() ? null : values.get(Math.max(0, values.size() - Math.max(1, hops)));
        }
    }
}
