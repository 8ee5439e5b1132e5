package io.millau.server.internal.tls;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.CertificateStatus;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.internal.HostNames;
import io.millau.core.internal.LogText;
import io.millau.core.internal.ServiceLabels;
import io.millau.server.internal.text.Throttle;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All certificates: those of labels, which are used for all services, and those of the sources. Handshakes look certificates up
 * on I/O threads. A thread of this class makes the sources look for changes and obtain missing certificates, and logs
 * certificates that expire soon. Safe for use by several threads.
 */
public final class Certificates implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Certificates.class);

    private static final Duration SOON = Duration.ofDays(14);

    /** A source is told of a host within a second, and needs a moment to say what becomes of it. */
    private static final Duration UNTIL_EXPLAINED = Duration.ofSeconds(2);

    /** The largest number of names without a certificate that are remembered, since clients can send any name. */
    private static final int MOST_NAMES = 1000;

    private final List<CertificateSource> sources;
    private final Clock clock;
    private final Certificate fallback = Certificate.selfSigned("millau.invalid");
    private final AtomicBoolean fallbackUsed = new AtomicBoolean();
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread t = new Thread(task, "millau-certificates");
        t.setDaemon(true);
        return t;
    });

    /** Names that clients asked for and that have no certificate; each is handled once. */
    private final Set<String> unnamed = Collections.synchronizedSet(new HashSet<>());

    private final Map<String, Complaint> complaints = new ConcurrentHashMap<>();
    private final Throttle complaintLog = new Throttle();

    private volatile CertificateSource labels = CertificateSource.of();
    private volatile List<Service> services = List.of();
    private volatile Set<String> hosts = Set.of();

    // For the thread alone.
    private final Map<CertificateSource, Wanted> wanted = new HashMap<>();
    private final Map<Certificate, Instant> warned = new HashMap<>();

    /** @param sources in order of preference: earlier sources obtain missing certificates first */
    public Certificates(List<CertificateSource> sources, Clock clock) {
        this.sources = GuardedCertificates.of(sources);
        this.clock = clock;
    }

    /** Starts the thread; to be called when the services are known. */
    public void start() {
        thread.scheduleWithFixedDelay(this::lookAfter, 0, 1, TimeUnit.SECONDS);
    }

    /** Replaces the services: the hosts that need certificates, and those that labels contribute. */
    public void replace(List<Service> all) {
        services = List.copyOf(all);
        labels = CertificateSource.of(byLabel().keySet());
        Set<String> now = hostsOfServices();
        if (!now.equals(hosts)) {
            hosts = now;
            unnamed.clear();
            complaints.clear();
        }
    }

    /** Each with the name of its service. */
    private Set<String> hostsOfServices() {
        Set<String> all = new HashSet<>();
        services.stream()
                .filter(Service::enabled)
                .forEach(service -> service.hosts().forEach(host -> all.add(service.name() + " " + host)));
        return all;
    }

    /** The problems with names of services that clients asked for, and that have no certificate. */
    public List<Problem> problems() {
        return complaints.values().stream()
                .filter(complaint -> !complaint.names().stream().allMatch(this::isCovered))
                .map(Complaint::problem)
                .toList();
    }

    /** The certificates of labels, each with the name of a service that has it. */
    private Map<Certificate, String> byLabel() {
        Map<Certificate, String> all = new LinkedHashMap<>();
        for (Service service : services) {
            Certificate certificate = service.certificate();
            if (certificate != null) {
                all.putIfAbsent(certificate, service.name());
            }
        }
        return all;
    }

    /** Finds the certificates for a host name, best first; at least one. For I/O threads. */
    List<Certificate> find(@Nullable String serverName) {
        List<Certificate> found = serverName == null ? List.of() : fitting(serverName);
        if (!found.isEmpty()) {
            return found;
        }
        if (serverName != null) {
            noteUnnamed(serverName);
        }
        List<Certificate> any = fitting(null);
        if (!any.isEmpty()) {
            return any;
        }
        if (!fallbackUsed.getAndSet(true)) {
            LOG.info(
                    "HTTPS without a certificate: clients get one that nobody vouches for, until there is one in CERTS, by"
                            + " millau.cert or from ACME");
        }
        return List.of(fallback);
    }

    private List<Certificate> fitting(@Nullable String serverName) {
        List<Certificate> found = new ArrayList<>(labels.find(serverName));
        for (CertificateSource source : sources) {
            found.addAll(source.find(serverName));
        }
        if (found.size() > 1) {
            found.sort(Certificate.bestFirst(serverName == null ? "" : serverName, clock.instant()));
        }
        return found;
    }

    private void noteUnnamed(String serverName) {
        if (unnamed.size() < MOST_NAMES && unnamed.add(serverName)) {
            thread.schedule(
                    () -> guarded(() -> explainUnnamed(serverName)), UNTIL_EXPLAINED.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /**
     * Reports a name that a service has, and for which there is no certificate. Where a host matches it as a suffix, a certificate
     * needs the whole name.
     */
    private void explainUnnamed(String serverName) {
        if (isCovered(serverName)) {
            return;
        }
        for (Service service : services) {
            if (service.enabled() && service.hosts().contains(serverName)) {
                if (!isKnown(serverName)) {
                    complain(serverName, service.name(), "none in CERTS or millau.cert fits, and ACME obtains none");
                }
                return;
            }
        }
        for (Service service : services) {
            for (String host : service.hosts()) {
                if (service.enabled() && HostNames.isBelow(host, serverName)) {
                    explainUnlisted(serverName, service.name(), host);
                    return;
                }
            }
        }
    }

    private void explainUnlisted(String serverName, String service, String host) {
        boolean covered = host.equals(HostNames.wildcard(serverName));
        if (!covered || !isKnown(host)) {
            complain(
                    serverName,
                    service,
                    "served as what ends in " + host
                            + (covered || !host.startsWith(Service.SUBDOMAINS)
                                    ? ", for which no certificate is obtained"
                                    : ", but a certificate for that covers no further dot")
                            + "; add the names that you use to millau.hosts where ACME obtains certificates, or put one into"
                            + " CERTS");
        }
    }

    private void complain(String serverName, String service, String why) {
        Complaint complaint = complaints.computeIfAbsent(service + " " + why, first -> new Complaint(service, why));
        complaint.add(serverName);
        complaintLog.warn(LOG, () -> complaint.problem().toString());
    }

    /** Whether a source has a certificate for a name, obtains it or says itself why it can't. */
    private boolean isKnown(String name) {
        return sources.stream()
                .flatMap(source -> source.status().stream())
                .anyMatch(status -> status.names().contains(name));
    }

    private boolean isCovered(String name) {
        Instant now = clock.instant();
        return fitting(name).stream().anyMatch(known -> known.fits(name) && known.isValid(now));
    }

    /** Names of a service that have no certificate, for the same reason. Only a few are kept, since clients can send any name. */
    private static final class Complaint {
        private static final int SHOWN = 3;

        private final String service;
        private final String why;
        private final List<String> names = new ArrayList<>();
        private int furtherNames;

        Complaint(String service, String why) {
            this.service = service;
            this.why = why;
        }

        synchronized void add(String name) {
            if (names.size() < SHOWN) {
                names.add(name);
            } else {
                furtherNames++;
            }
        }

        synchronized List<String> names() {
            return List.copyOf(names);
        }

        synchronized Problem problem() {
            return new Problem(
                    service,
                    "over HTTPS was asked for "
                            + names.stream().map(LogText::value).collect(Collectors.joining(", "))
                            + (furtherNames == 0 ? "" : " and " + furtherNames + " more")
                            + ", without a certificate: " + why);
        }
    }

    /** The status of all certificates, including missing ones. */
    public List<CertificateStatus> status() {
        List<CertificateStatus> all = new ArrayList<>();
        byLabel()
                .forEach((certificate, service) ->
                        all.add(CertificateStatus.of(certificate, ServiceLabels.PREFIX + "cert of " + service, null)));
        sources.forEach(source -> all.addAll(source.status()));
        return all;
    }

    /**
     * What is wrong with the certificates of a host, in the words of the status; nothing is missing if it has another one.
     *
     * @param needed whether the host has to have one
     */
    public List<Problem> problemsOf(String host, boolean needed) {
        boolean isCovered = isCovered(host);
        boolean isAwaited = false;
        List<Problem> all = new ArrayList<>();
        for (CertificateStatus status : status()) {
            String trouble = status.trouble();
            boolean isOfHost = status.names().contains(host) || status.names().contains(HostNames.wildcard(host));
            isAwaited |= isOfHost && trouble == null && status.expires() == null;
            if (trouble != null && isOfHost && !(isCovered && status.expires() == null)) {
                all.add(new Problem("certificate for " + String.join(" ", status.names()), trouble));
            }
        }
        if (needed && !isCovered && !isAwaited && all.isEmpty()) {
            all.add(new Problem(
                    "certificate for " + host, "no valid one is there, so clients refuse the one they get"));
        }
        return all;
    }

    /** The number of names that clients asked for and that have no certificate. */
    int namesWithout() {
        return unnamed.size();
    }

    /** The response to an HTTP challenge (RFC 8555, 8.3); empty if no source knows the token. Never fails. */
    public CompletableFuture<Optional<String>> httpChallenge(String token) {
        return first(source -> source.httpChallenge(token));
    }

    /** The certificate for a TLS challenge (RFC 8737); empty if no source has one for the name. Never fails. */
    CompletableFuture<Optional<Certificate>> tlsChallenge(String serverName) {
        return first(source -> source.tlsChallenge(serverName));
    }

    private <T> CompletableFuture<Optional<T>> first(Function<CertificateSource, CompletableFuture<Optional<T>>> ask) {
        CompletableFuture<Optional<T>> answer = CompletableFuture.completedFuture(Optional.empty());
        for (CertificateSource source : sources) {
            answer = answer.thenCompose(
                    known -> known.isPresent() ? CompletableFuture.completedFuture(known) : ask.apply(source));
        }
        return answer;
    }

    private void lookAfter() {
        sources.forEach(CertificateSource::refresh);
        guarded(this::tellWanted);
        guarded(this::warnOfExpiry);
    }

    /** Runs a task and logs its exceptions, which would end the schedule. */
    private static void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            LOG.error("Internal error while certificates were checked; they are checked again in 1 s", e);
        }
    }

    /** What a source was told last. */
    private record Wanted(Set<String> names, Set<String> served) {}

    /** Tells each source which names have no certificate from labels or from earlier sources. */
    private void tellWanted() {
        Set<String> missing = new LinkedHashSet<>();
        Set<String> served = new HashSet<>();
        for (Service service : services) {
            if (service.enabled()) {
                missing.addAll(service.hosts());
                served.addAll(service.endpoints().isEmpty() ? List.of() : service.hosts());
            }
        }
        missing.remove(Service.ANY_HOST);
        Instant time = clock.instant();
        missing.removeIf(host -> hasValid(labels, host, time));
        for (CertificateSource source : sources) {
            served.retainAll(missing);
            Wanted now = new Wanted(Set.copyOf(missing), Set.copyOf(served));
            if (!now.equals(wanted.put(source, now))) {
                source.wanted(now.names(), now.served());
            }
            missing.removeIf(host -> hasValid(source, host, time));
        }
    }

    private static boolean hasValid(CertificateSource source, String host, Instant now) {
        return source.find(host).stream().anyMatch(certificate -> certificate.fits(host) && certificate.isValid(now));
    }

    private void warnOfExpiry() {
        Instant now = clock.instant();
        Map<Certificate, String> all = byLabel();
        all.replaceAll((certificate, service) -> "millau.cert of " + service);
        sources.forEach(source -> source.configured().forEach(all::putIfAbsent));
        warned.keySet().retainAll(all.keySet());
        all.forEach((certificate, origin) -> {
            Instant last = warned.get(certificate);
            boolean told = last != null && Duration.between(last, now).toDays() < 1;
            if (!told && certificate.expires().isBefore(now.plus(SOON))) {
                warned.put(certificate, now);
                LOG.warn(
                        "{}: {} {}; expected one that is valid for 14 days more",
                        origin,
                        certificate,
                        certificate.expires().isBefore(now) ? "has expired" : "expires soon");
            }
        });
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
