package io.millau.server;

import io.millau.core.CertificateStatus;
import io.millau.core.Endpoint;
import io.millau.core.Overview;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.SourceStatus;
import io.millau.core.TrafficListener;
import io.millau.core.internal.LogText;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Tells the operator what has changed, a line each, and remembers the last of them. Safe for use by several threads; never
 * blocks.
 */
final class Changes implements TrafficListener {

    private static final Logger LOG = LoggerFactory.getLogger(Millau.class);

    static final int REMEMBERED = 50;

    private final Clock clock;
    private final Deque<Change> last = new ConcurrentLinkedDeque<>();
    private final AtomicInteger size = new AtomicInteger();

    // By who delivers services, one thread at a time.
    private Map<String, Service> services = Map.of();
    private Set<Problem> problems = Set.of();

    // By who looks at all the rest, one thread.
    private Map<String, String> troubles = Map.of();
    private Set<Known> certificates = Set.of();

    /** A certificate as it is told of; there may be several of one name. */
    private record Known(String names, Instant expires) {}

    /**
     * Something that changed.
     *
     * @param isTrouble whether somebody should look after it
     * @param text as the log has it
     */
    record Change(Instant at, boolean isTrouble, String text) {}

    Changes(Clock clock) {
        this.clock = clock;
    }

    /** The last ones, the latest first. */
    List<Change> last() {
        return List.copyOf(last);
    }

    private void tell(Level level, String text) {
        LOG.atLevel(level).log(text);
        remember(level == Level.WARN, text);
    }

    private void remember(boolean isTrouble, String text) {
        last.addFirst(new Change(clock.instant(), isTrouble, text));
        if (size.incrementAndGet() > REMEMBERED && last.pollLast() != null) {
            size.decrementAndGet();
        }
    }

    @Override
    public void servicesReplaced(List<Service> all) {
        Map<String, Service> now = new LinkedHashMap<>();
        all.forEach(service -> now.put(service.id(), service));
        now.forEach((id, service) -> {
            Service before = services.get(id);
            if (before == null) {
                tell(Level.INFO, "Added " + described(service));
            } else if (!before.equals(service)) {
                tell(Level.INFO, "Changed " + described(service) + difference(before, service));
            }
        });
        services.forEach((id, service) -> {
            if (!now.containsKey(id)) {
                tell(Level.INFO, "Removed service=" + LogText.value(service.name()));
            }
        });
        services = now;
    }

    private static String described(Service service) {
        return "service=" + LogText.value(service.name())
                + " hosts=" + LogText.value(String.join(" ", service.hosts()))
                + " path=" + LogText.value(service.path())
                + " endpoints=" + service.endpoints().size();
    }

    private static String difference(Service before, Service service) {
        String joined = less(service.endpoints(), before.endpoints());
        String left = less(before.endpoints(), service.endpoints());
        String settings = String.join(" ", service.settingsThatDiffer(before)); // no values: some are secret
        return (settings.isEmpty() ? "" : " settings=" + LogText.value(settings))
                + (joined.isEmpty() ? "" : " joined=" + LogText.value(joined))
                + (left.isEmpty() ? "" : " left=" + LogText.value(left));
    }

    private static String less(Collection<Endpoint> some, Collection<Endpoint> others) {
        Set<Endpoint> rest = new HashSet<>(some);
        rest.removeAll(Set.copyOf(others));
        return some.stream().filter(rest::contains).map(Endpoint::toString).collect(Collectors.joining(" "));
    }

    /** The problems are these from now on. Called as {@link #servicesReplaced} is. */
    void problemsReplaced(Collection<Problem> all) {
        Set<Problem> now = new HashSet<>(all);
        all.stream()
                .distinct()
                .filter(problem -> !problems.contains(problem))
                .forEach(problem -> tell(Level.WARN, line(problem)));
        problems.stream()
                .filter(problem -> !now.contains(problem))
                .forEach(problem -> tell(Level.INFO, "Solved " + line(problem)));
        problems = now;
    }

    /** Names come from anywhere, and none may make a line of its own. */
    private static String line(Problem problem) {
        return problem.toString().replaceAll("[\\p{Cntrl}\\x80-\\x9f\\u2028\\u2029]", "?");
    }

    @Override
    public void endpointEjected(Service service, Endpoint endpoint, String reason) {
        tell(Level.WARN, "Ejected " + described(service, endpoint) + " reason=" + LogText.value(reason));
    }

    @Override
    public void endpointReturned(Service service, Endpoint endpoint) {
        tell(Level.INFO, "Returned " + described(service, endpoint));
    }

    private static String described(Service service, Endpoint endpoint) {
        return "service=" + LogText.value(service.name()) + " endpoint=" + endpoint;
    }

    /** Looks for what nobody tells; it stands in the log already. */
    void look(Overview overview) {
        Map<String, String> troublesNow = new HashMap<>();
        for (SourceStatus source : overview.sources()) {
            String trouble = Objects.requireNonNullElse(source.trouble(), "");
            String known = source.name() + " " + troublesNow.size();
            troublesNow.put(known, trouble);
            if (!trouble.equals(troubles.getOrDefault(known, ""))) {
                remember(
                        !trouble.isEmpty(),
                        trouble.isEmpty()
                                ? "Back source=" + LogText.value(source.name())
                                : "Away source=" + LogText.value(source.name()) + " reason=" + LogText.value(trouble));
            }
        }
        troubles = troublesNow;
        Set<Known> certificatesNow = new HashSet<>();
        for (CertificateStatus certificate : overview.certificates()) {
            Instant expires = certificate.expires();
            if (expires != null) {
                String names = certificate.names().stream().sorted().collect(Collectors.joining(" "));
                Known known = new Known(names, expires);
                if (certificatesNow.add(known) && !certificates.contains(known)) {
                    remember(false, "Certificate names=" + LogText.value(names) + " expires=" + expires);
                }
            }
        }
        certificates = certificatesNow;
    }

    @Override
    public String toString() {
        return "changes " + new ArrayList<>(last);
    }
}
