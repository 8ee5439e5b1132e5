package io.millau.server.internal.proxy;

import io.millau.core.Endpoint;
import io.millau.core.FilterResponse;
import io.millau.core.Service;
import io.millau.server.internal.http.AskedNames;
import io.millau.server.internal.http.FieldRules;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The head of a response that is about to be sent, for filters. */
record ResponseView(
        HttpServerExchange exchange,
        @Nullable Service service,
        @Nullable Endpoint endpoint) implements FilterResponse {

    @Override
    public int status() {
        return exchange.getStatusCode();
    }

    private HeaderMap fields() {
        return exchange.getResponseHeaders();
    }

    @Override
    public @Nullable String header(String name) {
        return AskedNames.first(fields(), name);
    }

    @Override
    public List<String> headers(String name) {
        HeaderValues values = fields().get(name);
        return values == null ? List.of() : List.copyOf(values);
    }

    @Override
    public Set<String> headerNames() {
        Set<String> names = new LinkedHashSet<>();
        for (HttpString name : fields().getHeaderNames()) {
            names.add(name.toString());
        }
        return names;
    }

    @Override
    public FilterResponse setHeader(String name, String value) {
        fields().put(FieldRules.ofResponse(name), FieldRules.value(name, value));
        return this;
    }

    @Override
    public FilterResponse addHeader(String name, String value) {
        fields().add(FieldRules.ofResponse(name), FieldRules.value(name, value));
        return this;
    }

    @Override
    public FilterResponse removeHeader(String name) {
        fields().remove(FieldRules.ofResponse(name));
        return this;
    }
}
