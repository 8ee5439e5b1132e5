package io.millau.core.internal;

import io.millau.core.FilterRequest;
import io.millau.core.RequestFilter;
import io.millau.core.Verdict;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the path of a service off those of its requests: {@code millau.strip}. Its text is for explanations.
 *
 * @param prefix as clients send it, without a slash at its end
 */
record StrippedPath(String prefix) implements RequestFilter {

    /** @return null for the path that all requests have */
    static @Nullable StrippedPath of(String path) {
        String sent = UrlPath.asSent(path);
        String prefix = sent.endsWith("/") ? sent.substring(0, sent.length() - 1) : sent;
        return prefix.isEmpty() ? null : new StrippedPath(prefix);
    }

    @Override
    public Verdict filter(FilterRequest request) {
        if (!request.path().startsWith(prefix)) {
            return request.proceed(); // the OPTIONS of a whole server
        }
        String rest = request.path().substring(prefix.length());
        return request.setHeader("X-Forwarded-Prefix", prefix)
                .rewritePath(rest.startsWith("/") ? rest : "/" + rest)
                .proceed();
    }

    @Override
    public String toString() {
        return "its instances get the path without " + prefix;
    }
}
