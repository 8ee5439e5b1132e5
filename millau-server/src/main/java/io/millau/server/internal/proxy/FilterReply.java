package io.millau.server.internal.proxy;

import io.millau.core.TrafficListener.LocalReason;
import io.millau.core.Verdict;
import io.millau.core.internal.LabelFilter;
import io.millau.server.internal.http.FieldRules;
import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The response of a filter, or of this proxy in place of a filter that failed. */
final class FilterReply implements Verdict.Response {

    final int status;
    private LocalReason reason;

    /** Null without a body. */
    final @Nullable String contentType;

    final byte[] body;
    private final HeaderMap headers = new HeaderMap();

    private FilterReply(int status, LocalReason reason, @Nullable String contentType, byte[] body) {
        this.status = status;
        this.reason = reason;
        this.contentType = contentType;
        this.body = body;
    }

    static FilterReply of(int status, String text) {
        return of(status, text.isEmpty() ? null : LocalReply.TEXT, text.getBytes(StandardCharsets.UTF_8));
    }

    static FilterReply of(int status, @Nullable String contentType, byte[] body) {
        if (status < 200 || status > 599) {
            throw new IllegalArgumentException("status " + status + ": expected 200 to 599");
        }
        if (body.length > 0 && (status == 204 || status == 205 || status == 304)) {
            throw new IllegalArgumentException(
                    "status " + status + " with a body of " + body.length + " bytes: expected none");
        }
        if (contentType != null) {
            FieldRules.value("Content-Type", contentType);
        }
        return new FilterReply(status, LocalReason.FILTER, contentType, body);
    }

    static FilterReply redirect(int status, String location) {
        if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) {
            throw new IllegalArgumentException("status " + status + ": expected 301, 302, 303, 307 or 308");
        }
        if (location.isEmpty() || !location.chars().allMatch(c -> c > ' ' && c < 127)) {
            throw new IllegalArgumentException(
                    "location “" + location + "”: expected a URL or a path, escaped where it needs that");
        }
        FilterReply reply = of(status, "Moved to " + location + "\n");
        reply.header("Location", location);
        return reply;
    }

    /** Has it count as the response of a label. */
    void becauseOf(LabelFilter label) {
        reason = label.reason();
    }

    LocalReason reason() {
        return reason;
    }

    static FilterReply failed() {
        return new FilterReply(
                500,
                LocalReason.FILTER_FAILED,
                LocalReply.TEXT,
                LocalReply.INTERNAL_ERROR.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public FilterReply header(String name, String value) {
        HttpString checked = FieldRules.ofResponse(name);
        headers.add(checked, FieldRules.value(name, value));
        return this;
    }

    void addHeadersTo(HeaderMap to) {
        headers.forEach(values -> to.addAll(values.getHeaderName(), values));
    }
}
