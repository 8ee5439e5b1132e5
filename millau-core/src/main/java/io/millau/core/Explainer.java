package io.millau.core;

import io.millau.core.Explanation.ClientCertificate;
import io.millau.core.Explanation.Verdict;
import io.millau.core.internal.ClosedService;
import io.millau.core.internal.Labels;
import io.millau.core.internal.UrlPath;
import io.millau.core.internal.Words;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Explains for each service why it gets a request or not. The router's choice is given. Services that were not chosen
 * are matched again, each alone, with the same matching code.
 */
final class Explainer {

    private static final EndpointState[] NONE = {};
    private static final int MOST_HOSTS_SHOWN = 3;

    private final String host;
    private final String path;
    private final @Nullable Pool chosen;
    private final @Nullable Set<X509Certificate> caOfHost;
    private final long now;

    /** How closely a service matches the request, the closest first. */
    private enum Nearness {
        MATCHES,
        OUTRANKED,
        NOT_ENABLED,
        OTHER_PATH,
        OTHER_HOST
    }

    private record Ranked(Nearness nearness, Verdict verdict) {}

    Explainer(String host, String path, @Nullable Pool chosen, @Nullable Set<X509Certificate> caOfHost, long now) {
        this.host = host;
        this.path = path;
        this.chosen = chosen;
        this.caOfHost = caOfHost;
        this.now = now;
    }

    Explanation explain(List<Pool.Member> members, List<Service> disabled) {
        List<Ranked> all = new ArrayList<>();
        Set<Pool.Member> matching = chosen == null ? Set.of() : new LinkedHashSet<>(Arrays.asList(chosen.members));
        matching.forEach(member -> all.add(matching(member, Objects.requireNonNull(chosen))));
        members.stream()
                .filter(member -> !matching.contains(member))
                .forEach(member -> all.add(passedOver(member.service)));
        disabled.stream()
                .filter(service -> matching.stream().noneMatch(member -> isSame(member.service, service)))
                .forEach(service -> all.add(notEnabled(service)));
        all.sort(Comparator.comparing(Ranked::nearness)
                .thenComparing(ranked -> ranked.verdict().service().name()));
        return new Statuses.OfRequest(
                host,
                path,
                chosen == null ? null : chosen.route,
                chosen != null && chosen.running(),
                chosen != null && chosen.removed(),
                chosen != null && chosen.redirectToHttps,
                clientCertificate(),
                all.stream().map(Ranked::verdict).toList());
    }

    /** A service that was just disabled or removed is still matched, as one without a running instance. */
    private static boolean isSame(Service matching, Service disabled) {
        return matching.id().equals(disabled.id());
    }

    private ClientCertificate clientCertificate() {
        Set<X509Certificate> caOfRoute = chosen == null ? null : chosen.clientCa;
        if (chosen == null || caOfHost == null && caOfRoute == null) {
            return ClientCertificate.NOT_NEEDED;
        }
        boolean anyWillDo =
                caOfHost != null && !caOfHost.isEmpty() && (caOfRoute == null || caOfRoute.equals(caOfHost));
        return anyWillDo ? ClientCertificate.NEEDED : ClientCertificate.NONE_ACCEPTED;
    }

    private Ranked matching(Pool.Member member, Pool pool) {
        String reason = "matches by host " + pool.route.host() + " and path " + pool.route.path();
        if (member.removedAt != null) {
            reason += ", but was removed or is not enabled any more";
        } else if (!pool.running()) {
            reason += ", but it has no running instance";
        } else if (member.service.weight() == 0 && pool.sharing < pool.members.length) {
            reason += ", and stands by (weight 0) until no other is ready";
        } else {
            reason += share(member, pool);
        }
        for (String effect : Labels.ALL.effects(member.service)) {
            reason += "; " + effect;
        }
        List<EndpointStatus> endpoints = Arrays.stream(member.endpoints)
                .map(endpoint -> endpoint.status(now))
                .toList();
        return new Ranked(Nearness.MATCHES, new Statuses.OfMatching(member.service, true, reason, endpoints));
    }

    /** The member's share of the requests, where the weights differ. */
    private static String share(Pool.Member member, Pool pool) {
        int all = 0;
        boolean differ = false;
        for (int i = 0; i < pool.sharing; i++) {
            all += pool.members[i].share;
            differ |= pool.members[i].share != member.share;
        }
        return differ ? ", with a share of " + member.share + " in " + all : "";
    }

    private Ranked passedOver(Service service) {
        Route fits = routeOfAlone(service, path);
        if (fits != null) {
            return ranked(Nearness.OUTRANKED, service, whyNotChosen(service, fits));
        }
        if (routeOfAlone(service, UrlPath.asSent(service.path())) != null) {
            return ranked(
                    Nearness.OTHER_PATH,
                    service,
                    "its path " + service.path() + " is not the beginning of " + Words.shown(path));
        }
        return ranked(Nearness.OTHER_HOST, service, hosts(service) + " not fit");
    }

    private String whyNotChosen(Service service, Route fits) {
        if (chosen == null) {
            return "it has no running instance";
        }
        if (chosen.running() && service.endpoints().isEmpty()) {
            return "it has no running instance, but other matching services do";
        }
        if (fits.equals(chosen.route) && ClosedService.is(service)) {
            return new ClosedService() + "; another service fits as well";
        }
        return fits.host().equals(chosen.route.host())
                ? "path " + chosen.route.path() + " is the longer match than " + fits.path()
                : "host " + chosen.route.host() + " is the better match than " + fits.host();
    }

    private Ranked notEnabled(Service service) {
        return routeOfAlone(service, path) == null
                ? ranked(Nearness.OTHER_HOST, service, "not enabled")
                : ranked(Nearness.NOT_ENABLED, service, "not enabled, though its host and path would fit");
    }

    private static Ranked ranked(Nearness nearness, Service service, String reason) {
        return new Ranked(nearness, new Statuses.OfMatching(service, false, reason, List.of()));
    }

    /** The route by which the service alone would match; null if it doesn't. */
    private @Nullable Route routeOfAlone(Service service, String requestedPath) {
        var member = new Pool.Member(service, NONE, new ServiceState(0), LoadBalancer.roundRobin(), null);
        Pool pool = new RouteTable(List.of(member), route -> new AtomicInteger()).match(host, requestedPath);
        return pool == null ? null : pool.route;
    }

    private static String hosts(Service service) {
        List<String> hosts = service.hosts();
        if (hosts.size() == 1) {
            return "its host " + hosts.get(0) + " does";
        }
        int more = hosts.size() - MOST_HOSTS_SHOWN;
        return "its hosts " + String.join(" ", hosts.subList(0, Math.min(hosts.size(), MOST_HOSTS_SHOWN)))
                + (more > 0 ? " and " + more + " more do" : " do");
    }
}
