package io.millau.server.internal.frontend;

import io.millau.core.FilterResponse;
import io.millau.server.internal.http.Authority;
import io.millau.server.internal.http.FieldRules;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What filters changed of a request, beside what the client sent, and what they want to change of its response. For one thread at a
 * time.
 */
public final class RequestChanges {

    private @Nullable String host;
    private @Nullable String preferredHost;
    private @Nullable String path;
    private @Nullable String query;

    /** The values of fields that were changed, in lists that don't change; none if they were removed. Few are. */
    private final Map<HttpString, List<String>> fields = new LinkedHashMap<>(4);

    private final List<Consumer<FilterResponse>> ofResponse = new ArrayList<>();

    /** A copy that can be changed further. */
    public RequestChanges copy() {
        RequestChanges copy = new RequestChanges();
        copy.host = host;
        copy.preferredHost = preferredHost;
        copy.path = path;
        copy.query = query;
        copy.fields.putAll(fields);
        copy.ofResponse.addAll(ofResponse);
        return copy;
    }

    public @Nullable String host() {
        return host;
    }

    /** The host whose services get the request, if they can. */
    public @Nullable String preferredHost() {
        return preferredHost;
    }

    public @Nullable String path() {
        return path;
    }

    public @Nullable String query() {
        return query;
    }

    /** The fields that were changed, with their values; no values for one that was removed. */
    public Map<HttpString, List<String>> fields() {
        return fields;
    }

    /** How the response is to be changed, in this order. */
    public List<Consumer<FilterResponse>> ofResponse() {
        return ofResponse;
    }

    /**
     * Whether a field of the client is replaced. CGI and WSGI read {@code X_Tenant} as {@code X-Tenant}, so a name with underscores
     * counts as the one with hyphens: a client must not set what a filter removes.
     */
    public boolean replaces(HttpString name) {
        for (HttpString changed : fields.keySet()) {
            if (FieldRules.areAlike(changed, name)) {
                return true;
            }
        }
        return false;
    }

    public void set(HttpString name, String value) {
        fields.put(name, List.of(value));
    }

    public void add(HttpString name, String value, HeaderMap sent) {
        HeaderValues asSent = sent.get(name);
        List<String> before = fields.getOrDefault(name, asSent == null ? List.of() : asSent);
        fields.put(name, Stream.concat(before.stream(), Stream.of(value)).toList());
    }

    public void remove(HttpString name) {
        fields.put(name, List.of());
    }

    /** @throws IllegalArgumentException if it is not a path that can be sent */
    public void rewritePath(String to) {
        String problem = to.indexOf('?') >= 0 || !to.startsWith("/")
                ? "expected one that starts with / and has no query"
                : RequestTarget.problemOf(to);
        if (problem != null) {
            throw new IllegalArgumentException("path “" + to + "”: " + problem);
        }
        path = to;
    }

    /** @throws IllegalArgumentException if it is not a query that can be sent */
    public void rewriteQuery(String to) {
        String problem = to.startsWith("?") ? "expected one without its question mark" : RequestTarget.problemOf(to);
        if (problem != null) {
            throw new IllegalArgumentException("query “" + to + "”: " + problem);
        }
        query = to;
    }

    /** @throws IllegalArgumentException if it is not a valid value of Host */
    public void rewriteHost(String to) {
        host = valid(to);
    }

    /** @throws IllegalArgumentException if it is not a valid value of Host */
    public void preferHost(String to) {
        preferredHost = valid(to);
    }

    private static String valid(String host) {
        if (host.isEmpty() || !Authority.isValid(host)) {
            throw new IllegalArgumentException(
                    "host “" + host + "”: expected a name or an address, with or without a port");
        }
        return host;
    }

    public void changeResponse(Consumer<FilterResponse> change) {
        ofResponse.add(change);
    }
}
