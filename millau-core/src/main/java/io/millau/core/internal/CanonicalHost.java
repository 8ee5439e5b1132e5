package io.millau.core.internal;

import io.millau.core.FilterRequest;
import io.millau.core.TrafficListener.LocalReason;
import io.millau.core.Verdict;

/**
 * Redirects requests for other hosts to the one that a service should be known by: {@code millau.canonical}. Its text is for
 * explanations.
 *
 * @param host as in Host: an IPv6 address in brackets
 */
record CanonicalHost(String host) implements LabelFilter {

    static CanonicalHost of(String host) {
        return new CanonicalHost(host.indexOf(':') < 0 ? host : "[" + host + "]");
    }

    @Override
    public Verdict filter(FilterRequest request) {
        String asked = request.host();
        int colon = HostNames.portColon(asked);
        int end = colon < 0 ? asked.length() : colon;
        if (isCanonical(asked, end) || request.path().equals("*")) {
            return request.proceed();
        }
        String query = request.query().isEmpty() ? "" : "?" + request.query();
        return request.redirect(308, request.scheme() + "://" + host + asked.substring(end) + request.path() + query);
    }

    /** @param end where the name ends; it may have a dot there */
    private boolean isCanonical(String asked, int end) {
        int length = host.length();
        return asked.regionMatches(true, 0, host, 0, length)
                && (end == length || end == length + 1 && asked.charAt(length) == '.');
    }

    @Override
    public LocalReason reason() {
        return LocalReason.REDIRECT;
    }

    @Override
    public String toString() {
        return "other hosts than " + host + " get 308 to it";
    }
}
