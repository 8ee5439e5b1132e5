package io.millau.server.internal.frontend;

import io.millau.server.internal.http2.HeaderBlock;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.util.Map;

/** Encodes the heads and trailers of responses as header blocks of HTTP/2 (RFC 9113, 8.3.2). For one thread, which shares it. */
final class ResponseHeaderEncoder {

    /** The number of {@code :status} in the static table (RFC 7541, A), for values that are not there. */
    private static final int STATUS = 8;

    private static final Map<Integer, Integer> STATUSES =
            Map.of(200, 8, 204, 9, 206, 10, 304, 11, 400, 12, 404, 13, 500, 14);

    /** The numbers of names in the static table (RFC 7541, A) that responses often have. */
    private static final Map<HttpString, Integer> NAMES = Map.ofEntries(
            Map.entry(Headers.ACCEPT_RANGES, 18),
            Map.entry(new HttpString("Access-Control-Allow-Origin"), 20),
            Map.entry(Headers.AGE, 21),
            Map.entry(Headers.CACHE_CONTROL, 24),
            Map.entry(Headers.CONTENT_DISPOSITION, 25),
            Map.entry(Headers.CONTENT_ENCODING, 26),
            Map.entry(Headers.CONTENT_LANGUAGE, 27),
            Map.entry(Headers.CONTENT_LENGTH, 28),
            Map.entry(Headers.CONTENT_RANGE, 30),
            Map.entry(Headers.CONTENT_TYPE, 31),
            Map.entry(Headers.DATE, 33),
            Map.entry(Headers.ETAG, 34),
            Map.entry(Headers.EXPIRES, 36),
            Map.entry(Headers.LAST_MODIFIED, 44),
            Map.entry(new HttpString("Link"), 45),
            Map.entry(Headers.LOCATION, 46),
            Map.entry(Headers.SERVER, 54),
            Map.entry(Headers.SET_COOKIE, 55),
            Map.entry(Headers.STRICT_TRANSPORT_SECURITY, 56),
            Map.entry(Headers.VARY, 59));

    private static final HttpString PROXY_CONNECTION = new HttpString("Proxy-Connection");

    private static final ThreadLocal<ResponseHeaderEncoder> OF_THREAD =
            ThreadLocal.withInitial(ResponseHeaderEncoder::new);

    private final HeaderBlock block = new HeaderBlock();

    private ResponseHeaderEncoder() {}

    /** The instance that the connections of the calling thread share. */
    static ResponseHeaderEncoder ofThread() {
        return OF_THREAD.get();
    }

    /** Encodes a head, without the fields that HTTP/2 does not have (RFC 9113, 8.2.2). */
    HeaderBlock head(int status, HeaderMap headers) {
        block.clear();
        Integer known = STATUSES.get(status);
        if (known != null) {
            block.indexed(known);
        } else {
            block.indexedName(STATUS);
            block.string(String.valueOf(status));
        }
        fields(headers);
        return block;
    }

    HeaderBlock trailers(HeaderMap trailers) {
        block.clear();
        fields(trailers);
        return block;
    }

    private void fields(HeaderMap headers) {
        for (long i = headers.fastIterateNonEmpty(); i != -1L; i = headers.fiNextNonEmpty(i)) {
            HeaderValues values = headers.fiCurrent(i);
            HttpString name = values.getHeaderName();
            if (isOfConnection(name)) {
                continue;
            }
            Integer known = NAMES.get(name);
            for (int v = 0; v < values.size(); v++) {
                if (known != null) {
                    block.indexedName(known);
                } else {
                    block.name(name);
                }
                block.string(values.get(v));
            }
        }
    }

    private static boolean isOfConnection(HttpString name) {
        return switch (name.length()) {
            case 7 -> name.equals(Headers.UPGRADE);
            case 10 -> name.equals(Headers.CONNECTION) || name.equals(Headers.KEEP_ALIVE);
            case 16 -> name.equals(PROXY_CONNECTION);
            case 17 -> name.equals(Headers.TRANSFER_ENCODING);
            default -> false;
        };
    }
}
