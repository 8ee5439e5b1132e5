package io.millau.server.internal.status;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.internal.LogText;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The difference between two versions of a service, as log keys. Without values, since some are secret. Pure functions.
 */
final class ServiceDifference {

    private ServiceDifference() {}

    static String between(Service before, Service service) {
        String joined = less(service.endpoints(), before.endpoints());
        String left = less(before.endpoints(), service.endpoints());
        String settings = String.join(" ", service.settingsThatDiffer(before));
        return (settings.isEmpty() ? "" : " settings=" + LogText.value(settings))
                + (joined.isEmpty() ? "" : " joined=" + LogText.value(joined))
                + (left.isEmpty() ? "" : " left=" + LogText.value(left));
    }

    private static String less(Collection<Endpoint> some, Collection<Endpoint> others) {
        Set<Endpoint> rest = new HashSet<>(some);
        rest.removeAll(Set.copyOf(others));
        return some.stream().filter(rest::contains).map(Endpoint::toString).collect(Collectors.joining(" "));
    }
}
