package io.millau.server.internal.status;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.internal.LogText;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What differs between two versions of a service, as the log says it: without values, since some of them are secret. */
final class ServiceDifference {

    private static final Map<String, Function<Service, @Nullable Object>> SETTINGS = Map.ofEntries(
            Map.entry("hosts", Service::hosts),
            Map.entry("path", Service::path),
            Map.entry("weight", Service::weight),
            Map.entry("timeout", Service::timeout),
            Map.entry("retry", Service::retry),
            Map.entry("retry-unsafe", Service::retryUnsafe),
            Map.entry("balance", Service::balancer),
            Map.entry("sticky", Service::sticky),
            Map.entry("health", Service::health),
            Map.entry("drain", Service::drain),
            Map.entry("buffer", Service::buffer),
            Map.entry("cert", Service::certificate),
            Map.entry("client-ca", Service::clientCa),
            Map.entry("redirect", Service::redirectToHttps),
            Map.entry("hsts", Service::hsts));

    private ServiceDifference() {}

    static String between(Service before, Service service) {
        String joined = less(service.endpoints(), before.endpoints());
        String left = less(before.endpoints(), service.endpoints());
        String settings = SETTINGS.entrySet().stream()
                .filter(setting -> !Objects.equals(
                        setting.getValue().apply(before), setting.getValue().apply(service)))
                .map(Map.Entry::getKey)
                .sorted()
                .collect(Collectors.joining(" "));
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
