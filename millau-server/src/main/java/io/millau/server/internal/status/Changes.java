package io.millau.server.internal.status;

import io.millau.core.Endpoint;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import io.millau.core.internal.LogText;
import io.millau.core.internal.SharedRoutes;
import io.millau.core.internal.Words;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** Logs changes, one line each, and adds them to the history. Safe for use by several threads; never blocks. */
public final class Changes implements TrafficListener {

    private static final Logger LOG = LoggerFactory.getLogger("io.millau.server.Millau");

    private final ChangeHistory history;
    private final Ticker ticker;

    // Only used by the thread that delivers services.
    private Map<String, Service> services = Map.of();
    private Set<Problem> problems = Set.of();
    private final Map<String, LineBudget> budgets = new HashMap<>();

    public Changes(ChangeHistory history, Ticker ticker) {
        this.history = history;
        this.ticker = ticker;
    }

    private void report(Level level, String text) {
        LOG.atLevel(level).log(text);
        history.remember(level == Level.WARN, text);
    }

    @Override
    public void servicesReplaced(List<Service> all) {
        Map<String, Service> now = new LinkedHashMap<>();
        all.forEach(service -> now.put(service.id(), service));
        SharedRoutes shared = new SharedRoutes(all);
        now.forEach((id, service) -> {
            Service before = services.get(id);
            if (before == null) {
                report(Level.INFO, "Added " + described(service) + sharing(shared.namesBeside(service)));
            } else if (!before.equals(service)) {
                changed(before, service, shared);
            }
        });
        services.forEach((id, service) -> {
            if (!now.containsKey(id)) {
                report(Level.INFO, "Removed service=" + LogText.value(service.name()));
            }
        });
        services = now;
        budgets.keySet().retainAll(now.keySet());
    }

    private void changed(Service before, Service service, SharedRoutes shared) {
        long now = ticker.nanoTime();
        LineBudget budget = budgets.computeIfAbsent(service.id(), id -> new LineBudget(now));
        if (!budget.take(now)) {
            return; // in a crash loop, perhaps
        }
        boolean isMoved =
                !before.hosts().equals(service.hosts()) || !before.path().equals(service.path());
        report(
                Level.INFO,
                "Changed " + described(service) + ServiceDifference.between(before, service)
                        + (isMoved ? sharing(shared.namesBeside(service)) : "") + budget.others());
    }

    private static String sharing(Collection<String> others) {
        return others.isEmpty() ? "" : " sharesWith=" + LogText.value(String.join(" ", others));
    }

    private static String described(Service service) {
        return "service=" + LogText.value(service.name())
                + " hosts=" + LogText.value(String.join(" ", service.hosts()))
                + " path=" + LogText.value(service.path())
                + " endpoints=" + service.endpoints().size();
    }

    /** The problems were replaced. Call from the same thread as {@link #servicesReplaced}. */
    public void problemsReplaced(Collection<Problem> all) {
        Set<Problem> now = new HashSet<>(all);
        all.stream()
                .distinct()
                .filter(problem -> !problems.contains(problem))
                .forEach(problem -> report(Level.WARN, line(problem)));
        problems.stream()
                .filter(problem -> !now.contains(problem))
                .forEach(problem -> report(Level.INFO, "Solved " + line(problem)));
        problems = now;
    }

    /** Names are untrusted, so line breaks are replaced. */
    private static String line(Problem problem) {
        return problem.toString().replaceAll("[\\p{Cntrl}\\x80-\\x9f\\u2028\\u2029]", "?");
    }

    @Override
    public void endpointEjected(Service service, Endpoint endpoint, String reason) {
        String told = Words.reasonWithHint(reason, endpoint.port(), service.id());
        report(Level.WARN, "Ejected " + described(service, endpoint) + " reason=" + LogText.value(told));
    }

    @Override
    public void endpointReturned(Service service, Endpoint endpoint) {
        report(Level.INFO, "Returned " + described(service, endpoint));
    }

    private static String described(Service service, Endpoint endpoint) {
        return "service=" + LogText.value(service.name()) + " endpoint=" + endpoint;
    }
}
