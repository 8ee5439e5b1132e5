package io.millau.core.internal;

import io.millau.core.FilterRequest;
import io.millau.core.RequestFilter;
import io.millau.core.Verdict;
import java.util.Locale;

/**
 * Redirects requests for other hosts to the one that a service should be known by: {@code millau.canonical}. Its text is for
 * explanations.
 */
record CanonicalHost(String host) implements RequestFilter {

    @Override
    public Verdict filter(FilterRequest request) {
        String asked = request.host();
        int colon = asked.lastIndexOf(':');
        boolean hasPort = colon > asked.lastIndexOf(']');
        String name = (hasPort ? asked.substring(0, colon) : asked).toLowerCase(Locale.ROOT);
        boolean ofServer = request.path().equals("*");
        if (ofServer || name.equals(host) || name.equals(host + ".") || name.equals("[" + host + "]")) {
            return request.proceed();
        }
        String authority = (host.indexOf(':') < 0 ? host : "[" + host + "]") + (hasPort ? asked.substring(colon) : "");
        String query = request.query().isEmpty() ? "" : "?" + request.query();
        return request.redirect(308, request.scheme() + "://" + authority + request.path() + query);
    }

    @Override
    public String toString() {
        return "other hosts than " + host + " get 308 to it";
    }
}
