package io.millau.metrics;

import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A request's method as a label. The registered ones (IANA HTTP Method Registry) that are in use, and {@link #OTHER}
 * for all others, so that clients can't create time series.
 */
enum Method {
    GET,
    HEAD,
    POST,
    PUT,
    DELETE,
    CONNECT,
    OPTIONS,
    TRACE,
    PATCH,
    ACL,
    BASELINE_CONTROL,
    BIND,
    CHECKIN,
    CHECKOUT,
    COPY,
    LABEL,
    LINK,
    LOCK,
    MERGE,
    MKACTIVITY,
    MKCALENDAR,
    MKCOL,
    MKREDIRECTREF,
    MKWORKSPACE,
    MOVE,
    ORDERPATCH,
    PRI,
    PROPFIND,
    PROPPATCH,
    QUERY,
    REBIND,
    REPORT,
    SEARCH,
    UNBIND,
    UNCHECKOUT,
    UNLINK,
    UNLOCK,
    UPDATE,
    UPDATEREDIRECTREF,
    VERSION_CONTROL,
    OTHER;

    private static final Method[] ALL = values();
    private static final Map<String, Method> BY_LABEL =
            Arrays.stream(ALL).collect(Collectors.toUnmodifiableMap(Method::label, Function.identity()));

    /** The usual methods, compared by identity: the server's strings for them are interned. */
    private static final Method[] USUAL = {GET, POST, HEAD, PUT, DELETE, OPTIONS, PATCH};

    private final String label = name().replace('_', '-').intern();

    /** The method as in the request line. */
    String label() {
        return label;
    }

    static Method of(String name) {
        for (Method method : USUAL) {
            if (isSame(method.label, name)) {
                return method;
            }
        }
        return BY_LABEL.getOrDefault(name, OTHER);
    }

    @SuppressWarnings("ReferenceEquality")
    private static boolean isSame(String label, String name) {
        return label == name;
    }
}
