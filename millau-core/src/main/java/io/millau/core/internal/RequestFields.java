package io.millau.core.internal;

import io.millau.core.FilterRequest;
import io.millau.core.RequestFilter;
import io.millau.core.Verdict;
import java.util.Map;

/**
 * Sets and removes header fields of requests: {@code millau.request-header.NAME}. Its text is for explanations, which don't show
 * values, since they may be secret.
 *
 * @param values empty for a field that is removed
 */
record RequestFields(Map<String, String> values) implements RequestFilter {

    @Override
    public Verdict filter(FilterRequest request) {
        for (Map.Entry<String, String> field : values.entrySet()) {
            if (field.getValue().isEmpty()) {
                request.removeHeader(field.getKey());
            } else {
                request.setHeader(field.getKey(), field.getValue());
            }
        }
        return request.proceed();
    }

    @Override
    public String toString() {
        return HeaderFields.changes("requests", values);
    }
}
