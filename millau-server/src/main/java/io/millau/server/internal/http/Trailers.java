package io.millau.server.internal.http;

import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What may be in the trailers of a message (RFC 9110, 6.5.1). */
public final class Trailers {

    /** Fields of framing, routing, authentication, request modifiers and content, which have to be known before the body. */
    private static final Set<HttpString> FORBIDDEN = Stream.of(
                    "Age",
                    "Authorization",
                    "Cache-Control",
                    "Content-Encoding",
                    "Content-Length",
                    "Content-Range",
                    "Content-Type",
                    "Cookie",
                    "Date",
                    "Expect",
                    "Expires",
                    "Host",
                    "If-Match",
                    "If-Modified-Since",
                    "If-None-Match",
                    "If-Range",
                    "If-Unmodified-Since",
                    "Location",
                    "Max-Forwards",
                    "Pragma",
                    "Range",
                    "Retry-After",
                    "Set-Cookie",
                    "Trailer",
                    "Vary",
                    "Via",
                    "WWW-Authenticate")
            .map(HttpString::new)
            .collect(Collectors.toUnmodifiableSet());

    private Trailers() {}

    /** Removes the fields that must not be there, and those whose name is no token: in HTTP/2 it may have a colon. */
    public static void clean(HeaderMap trailers) {
        HopByHop.removeFrom(trailers);
        for (HttpString name : List.copyOf(trailers.getHeaderNames())) {
            if (FORBIDDEN.contains(name) || OwnFields.contains(name) || !HeaderNames.isToken(name)) {
                trailers.remove(name);
            }
        }
    }
}
