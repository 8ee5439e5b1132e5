package io.millau.server.internal.http;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The field Forwarded (RFC 7239). Pure functions. */
public final class ForwardedField {

    private static final Pattern PAIR =
            Pattern.compile("\\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)=(?:\"([^\"\\\\]*)\"|([^\\s\",;]+))\\s*(;|,|$)");

    /**
     * What one proxy says of its peer. Each is empty if it is not given.
     *
     * @param node the peer's address, with or without a port, or another name
     * @param proto the scheme
     * @param host the value of Host
     */
    public record Element(String node, String proto, String host) {}

    private ForwardedField() {}

    /**
     * Reads a value.
     *
     * @return an empty list if the value is malformed, since an open quotation mark, which a client may have sent, hides what
     *     follows
     */
    public static List<Element> parse(String value) {
        List<Element> elements = new ArrayList<>();
        Matcher pair = PAIR.matcher(value);
        String node = "";
        String proto = "";
        String host = "";
        for (int at = 0; at < value.length(); at = pair.end()) {
            if (!pair.region(at, value.length()).lookingAt()) {
                return List.of();
            }
            String text = pair.group(2) == null ? pair.group(3) : pair.group(2);
            switch (pair.group(1).toLowerCase(Locale.ROOT)) {
                case "for" -> node = text;
                case "proto" -> proto = text;
                case "host" -> host = text;
                default -> {} // "by", and extensions
            }
            if (!pair.group(4).equals(";")) {
                elements.add(new Element(node, proto, host));
                node = "";
                proto = "";
                host = "";
            }
        }
        return elements;
    }
}
