package io.millau.core.internal;

import io.millau.core.FilterRequest;
import io.millau.core.FilterResponse;
import io.millau.core.RequestFilter;
import io.millau.core.Verdict;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Sets and removes header fields of the responses of a service's instances: {@code millau.response-header.NAME}. Those of the proxy
 * itself stay as they are: what lets browsers keep a page for a year must not let them keep a failure. Its text is for explanations.
 *
 * @param values empty for a field that is removed
 */
record ResponseFields(Map<String, String> values) implements RequestFilter, Consumer<FilterResponse> {

    @Override
    public Verdict filter(FilterRequest request) {
        return request.onResponse(this).proceed();
    }

    @Override
    public void accept(FilterResponse response) {
        if (response.endpoint() == null) {
            return;
        }
        for (Map.Entry<String, String> field : values.entrySet()) {
            if (field.getValue().isEmpty()) {
                response.removeHeader(field.getKey());
            } else {
                response.setHeader(field.getKey(), field.getValue());
            }
        }
    }

    @Override
    public String toString() {
        return HeaderFields.changes("responses", values);
    }
}
