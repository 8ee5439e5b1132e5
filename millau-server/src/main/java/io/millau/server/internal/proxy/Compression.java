package io.millau.server.internal.proxy;

import io.millau.server.internal.http.HopByHop;
import io.millau.server.internal.http.ResponseHead;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.StatusCodes;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Which responses {@code millau.compress} compresses, and what their heads say then (RFC 9110, 8.4 and 12.5.3). */
final class Compression {

    /** What is shorter fits into one packet, compressed or not. */
    private static final int MIN_BYTES = 1024;

    /** Those that compress, besides {@code text/*}, {@code *+json} and {@code *+xml}. */
    private static final Set<String> TYPES = Set.of(
            "application/ecmascript",
            "application/graphql",
            "application/javascript",
            "application/json",
            "application/rtf",
            "application/sql",
            "application/toml",
            "application/vnd.ms-fontobject",
            "application/wasm",
            "application/x-javascript",
            "application/x-ndjson",
            "application/x-yaml",
            "application/xml",
            "application/yaml",
            "font/otf",
            "font/ttf",
            "image/bmp",
            "image/vnd.microsoft.icon",
            "image/x-icon");

    private static final HttpString DIGEST = new HttpString("Digest");
    private static final HttpString CONTENT_DIGEST = new HttpString("Content-Digest");
    private static final HttpString REPR_DIGEST = new HttpString("Repr-Digest");

    /** Those that speak of the bytes as the instance sent them. */
    private static final List<HttpString> OF_BYTES = List.of(
            Headers.CONTENT_LENGTH, Headers.ACCEPT_RANGES, Headers.CONTENT_MD5, DIGEST, CONTENT_DIGEST, REPR_DIGEST);

    /** A weight that is more than 0 (RFC 9110, 12.4.2). */
    private static final Pattern MORE_THAN_NOTHING = Pattern.compile("0\\.0{0,2}[1-9][0-9]{0,2}|1(?:\\.0{0,3})?");

    private Compression() {}

    /**
     * Says in the head of a response, before it is sent, what holds whether or not its body is compressed.
     *
     * @return whether its body should be compressed
     */
    static boolean prepare(HttpServerExchange exchange, ResponseHead head) {
        HeaderMap fields = exchange.getResponseHeaders();
        if (head.status() == StatusCodes.NOT_MODIFIED) {
            prepareNotModified(exchange.getRequestHeaders(), fields);
            return false;
        }
        if (!hasContent(head.status()) || !isCompressible(fields.getFirst(Headers.CONTENT_TYPE))) {
            return false;
        }
        addVary(fields);
        boolean longEnough = head.length() < 0 || head.length() >= MIN_BYTES;
        return longEnough
                && !exchange.isHttp10()
                && acceptsGzip(exchange.getRequestHeaders().get(Headers.ACCEPT_ENCODING))
                && !isPartial(head, fields)
                && !isEncoded(fields.get(Headers.CONTENT_ENCODING))
                && !HopByHop.hasToken(fields.get(Headers.CACHE_CONTROL), "no-transform");
    }

    /** Says in the head that the body is compressed. */
    static void apply(HeaderMap fields) {
        OF_BYTES.forEach(fields::remove);
        fields.put(Headers.CONTENT_ENCODING, "gzip");
        String tag = fields.getFirst(Headers.ETAG);
        if (tag != null && tag.startsWith("\"")) {
            fields.put(Headers.ETAG, "W/" + tag);
        }
    }

    /** Removes from trailers what speaks of the bytes as the instance sent them. */
    static HeaderMap applyToTrailers(HeaderMap trailers) {
        OF_BYTES.forEach(trailers::remove);
        return trailers;
    }

    /** Says the tag of a response as the client has it: a cache must find the response that it may still use. */
    private static void prepareNotModified(HeaderMap request, HeaderMap fields) {
        String tag = fields.getFirst(Headers.ETAG);
        if (tag != null && HopByHop.hasToken(request.get(Headers.IF_NONE_MATCH), "W/" + tag)) {
            fields.put(Headers.ETAG, "W/" + tag);
            addVary(fields);
        }
    }

    private static boolean hasContent(int status) {
        return status >= 200
                && status / 100 != 3
                && status != StatusCodes.NO_CONTENT
                && status != StatusCodes.RESET_CONTENT;
    }

    private static boolean isPartial(ResponseHead head, HeaderMap fields) {
        return head.status() == StatusCodes.PARTIAL_CONTENT || fields.contains(Headers.CONTENT_RANGE);
    }

    private static boolean isEncoded(@Nullable HeaderValues codings) {
        return codings != null && !(codings.size() == 1 && codings.getFirst().equalsIgnoreCase("identity"));
    }

    /**
     * Events are not compressed: their streams are open for hours, and each would hold what other responses could be compressed with.
     */
    static boolean isCompressible(@Nullable String contentType) {
        if (contentType == null) {
            return false;
        }
        int parameters = contentType.indexOf(';');
        String type = (parameters < 0 ? contentType : contentType.substring(0, parameters))
                .strip()
                .toLowerCase(Locale.ROOT);
        return type.startsWith("text/") && !type.equals("text/event-stream")
                || TYPES.contains(type)
                || (type.endsWith("+json") || type.endsWith("+xml")) && !type.startsWith("application/grpc");
    }

    private static void addVary(HeaderMap fields) {
        HeaderValues vary = fields.get(Headers.VARY);
        if (vary == null) {
            fields.put(Headers.VARY, "Accept-Encoding");
        } else if (!HopByHop.hasToken(vary, "*") && !HopByHop.hasToken(vary, "Accept-Encoding")) {
            fields.put(Headers.VARY, String.join(", ", vary) + ", Accept-Encoding");
        }
    }

    /** Whether a client accepts gzip. One that says nothing may not know it. */
    static boolean acceptsGzip(@Nullable HeaderValues accepted) {
        boolean gzip = false;
        boolean named = false;
        boolean any = false;
        if (accepted != null) {
            for (String coding : String.join(",", accepted).split(",")) {
                String[] parts = coding.split(";", 2);
                boolean wanted = parts.length == 1 || isMoreThanNothing(parts[1].strip());
                switch (parts[0].strip().toLowerCase(Locale.ROOT)) {
                    case "gzip", "x-gzip" -> {
                        named = true;
                        gzip |= wanted;
                    }
                    case "*" -> any |= wanted;
                    default -> {}
                }
            }
        }
        return named ? gzip : any;
    }

    private static boolean isMoreThanNothing(String weight) {
        return weight.regionMatches(true, 0, "q=", 0, 2)
                && MORE_THAN_NOTHING.matcher(weight.substring(2)).matches();
    }
}
