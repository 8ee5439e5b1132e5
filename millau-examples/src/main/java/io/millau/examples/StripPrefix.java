package io.millau.examples;

import io.millau.core.FilterRequest;
import io.millau.core.Verdict;
import io.millau.server.Filter;

/**
 * Takes the prefix of a service off the paths that it gets, and tells it by {@code X-Forwarded-Prefix}. Equal for equal prefixes,
 * so that a service that is read again counts as the same.
 *
 * @param path the path of the service, by which it was chosen
 */
record StripPrefix(String path) implements Filter {

    /** @throws IllegalArgumentException if it is no prefix with a slash at its end: /shop is the beginning of /shopping, too */
    StripPrefix {
        if (!path.endsWith("/") || path.equals("/")) {
            throw new IllegalArgumentException(
                    "path=" + path + ": expected a slash at its end, as in /shop/, since it is to be stripped");
        }
    }

    @Override
    public Verdict filter(FilterRequest request) {
        int slash = path.length() - 1;
        return request.setHeader("X-Forwarded-Prefix", path.substring(0, slash))
                .rewritePath(request.path().substring(slash))
                .proceed();
    }
}
