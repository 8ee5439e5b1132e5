package io.millau.server.internal.frontend;

import io.millau.server.internal.http.HeaderNames;
import io.millau.server.internal.http.HopByHop;
import io.millau.server.internal.http2.HeaderBlockReader;
import io.millau.server.internal.http2.Http2;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.Protocols;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the header blocks of a client's HTTP/2 connection (RFC 9113, 8.2 and 8.3.1). Each connection has its own, since the
 * meaning of a block depends on earlier ones; holds the block read last. For one thread.
 *
 * <p>What is wrong with a head is its request's matter alone: such a block is read to its end like any other.
 */
final class RequestHeaderDecoder {

    private static final HttpString PATH = new HttpString(":path");

    private final HeaderBlockReader reader = new HeaderBlockReader(this::field);
    private HeaderMap fields = new HeaderMap();
    private @Nullable String method;
    private @Nullable String scheme;
    private @Nullable String authority;
    private @Nullable String path;
    private @Nullable String protocol;
    private @Nullable StringBuilder cookie;
    private int number;
    private int size;
    private boolean fits;
    private boolean pseudoHeadersOver;
    private @Nullable String problem;

    /** The name of more fields than there may be of one name; null if there is none. */
    private @Nullable HttpString tooMany;

    /**
     * Reads a whole block.
     *
     * @throws Http2.ConnectionException if it can't be read; then no later block can be read either
     */
    void read(ByteBuffer block) throws Http2.ConnectionException {
        fields = new HeaderMap();
        method = null;
        scheme = null;
        authority = null;
        path = null;
        protocol = null;
        cookie = null;
        number = 0;
        size = 0;
        fits = true;
        pseudoHeadersOver = false;
        problem = null;
        tooMany = null;
        reader.read(block);
        if (cookie != null) {
            fields.put(Headers.COOKIE, cookie.toString());
        }
    }

    /** Called for each field. After a problem the reader continues, since its table needs every field. */
    private void field(HttpString name, String value) {
        size += name.length() + value.length();
        if (cookie == null || !name.equals(Headers.COOKIE)) {
            number++;
        }
        fits = fits && Rejection.ofSize(number, size) == null;
        if (name.length() > 0 && name.byteAt(0) == ':') {
            if (fits || name.equals(PATH)) { // the path tells which limit was exceeded
                pseudoHeader(name.toString(), value);
            }
            return;
        }
        pseudoHeadersOver = true;
        if (!fits || problem != null) {
            return;
        }
        problem = problemOf(name, value);
        if (problem != null) {
            return;
        }
        if (name.equals(Headers.COOKIE)) {
            crumb(value);
        } else if (number > Rejection.MAX_FIELDS_OF_ONE_NAME
                && fields.count(name) == Rejection.MAX_FIELDS_OF_ONE_NAME) {
            tooMany = name;
        } else {
            fields.add(name, value);
        }
    }

    /** Adds a part of Cookie, which HTTP/2 may send in several fields (RFC 9113, 8.2.3). */
    private void crumb(String value) {
        StringBuilder crumbs = cookie;
        if (crumbs == null) {
            cookie = new StringBuilder(value);
        } else {
            crumbs.append("; ").append(value);
        }
    }

    private void pseudoHeader(String name, String value) {
        String before;
        switch (name) {
            case ":method" -> {
                before = method;
                method = value;
            }
            case ":scheme" -> {
                before = scheme;
                scheme = value;
            }
            case ":authority" -> {
                before = authority;
                authority = value;
            }
            case ":path" -> {
                before = path;
                path = value;
            }
            case ":protocol" -> {
                before = protocol;
                protocol = value;
            }
            default -> {
                problem = problem == null ? "field " + shown(name) + ", which requests don't have" : problem;
                return;
            }
        }
        if (problem != null) {
            return;
        }
        if (before != null) {
            problem = name + " twice, expected one";
        } else {
            problem = pseudoHeadersOver ? name + " after other fields, expected before them" : controlIn(name, value);
        }
    }

    private @Nullable String problemOf(HttpString name, String value) {
        if (!HeaderNames.isLowerCase(name)) {
            String named = name.length() == 0 ? "field without a name" : "field named " + shown(name.toString());
            return named + ", expected a token in lower case";
        }
        boolean te = name.equals(Headers.TE);
        if (te ? !value.equalsIgnoreCase("trailers") : HopByHop.contains(name) && !isAllowed(name)) {
            return "field " + name + ", which HTTP/2 does not have";
        }
        return controlIn(name.toString(), value);
    }

    /** Fields that are not forwarded, but not forbidden in HTTP/2 either. */
    private static boolean isAllowed(HttpString name) {
        String text = name.toString();
        return text.startsWith("proxy-auth") || text.equals("http2-settings");
    }

    private static @Nullable String controlIn(String name, String value) {
        for (int i = 0; i < value.length(); i++) {
            if (HeadReader.isControl(value.charAt(i))) {
                return String.format("control character 0x%02X in field %s", (int) value.charAt(i), name);
            }
        }
        return null;
    }

    private static String shown(String name) {
        String printable = name.replaceAll("[^ -~]", "?");
        return printable.substring(0, Math.min(80, printable.length()));
    }

    /** The block as the head of a request. */
    ReceivedHead head() {
        HttpString name = methodName();
        Rejection rejection = sizeProblem();
        if (rejection == null) {
            rejection = Rejection.ofProblem(problem == null ? headProblem(name) : problem);
        }
        if (rejection != null) {
            return ReceivedHead.rejected(name, rejection);
        }
        if (authority != null) {
            fields.put(Headers.HOST, authority);
        }
        return new ReceivedHead(name, path == null ? "/" : path, Protocols.HTTP_2_0, fields, null);
    }

    /** How much of the block is kept, decoded, in bytes. */
    int size() {
        return Math.min(size, Rejection.MAX_HEAD_BYTES);
    }

    private HttpString methodName() {
        if (method == null || !HeaderNames.isToken(method)) {
            return ReceivedHead.UNKNOWN_METHOD;
        }
        HttpString name = Methods.fromString(method);
        return ReceivedHead.isMisspelt(name) ? ReceivedHead.UNKNOWN_METHOD : name;
    }

    private @Nullable Rejection sizeProblem() {
        if (path != null && path.length() > Rejection.MAX_HEAD_BYTES) {
            return Rejection.targetTooLong();
        }
        return tooMany == null ? Rejection.ofSize(number, size) : Rejection.tooManyOfOneName(tooMany.toString());
    }

    private @Nullable String headProblem(HttpString name) {
        if (method == null) {
            return ":method is missing, expected one";
        }
        if (name == ReceivedHead.UNKNOWN_METHOD) {
            return HeaderNames.isToken(method)
                    ? ReceivedHead.misspelt(method)
                    : ":method " + method + ", expected a token";
        }
        boolean connect = name.equals(Methods.CONNECT);
        if (protocol != null && !connect) {
            return ":protocol without the method CONNECT";
        }
        if (connect && protocol == null) {
            return null; // has neither scheme nor path (RFC 9113, 8.5)
        }
        if (scheme == null) {
            return ":scheme is missing, expected one";
        }
        if (path == null || path.isEmpty()) {
            return ":path is " + (path == null ? "missing" : "empty") + ", expected one that starts with /";
        }
        String form = RequestTarget.formProblemOf(path);
        return form == null ? RequestTarget.problemOf(path) : form;
    }

    /** The protocol that a request with CONNECT wants to use over its stream (RFC 8441, 4); null for none. */
    @Nullable
    String protocol() {
        return protocol;
    }

    /** Describes why the block can't be trailers; null if it can. */
    @Nullable
    String trailersProblem() {
        Rejection tooLarge = sizeProblem();
        if (tooLarge != null) {
            return tooLarge.reason();
        }
        boolean pseudoHeaders =
                method != null || scheme != null || authority != null || path != null || protocol != null;
        return pseudoHeaders ? "pseudo-header fields in trailers" : problem;
    }

    /** The fields of a block without a problem, except for pseudo-header fields. */
    HeaderMap fields() {
        return fields;
    }
}
