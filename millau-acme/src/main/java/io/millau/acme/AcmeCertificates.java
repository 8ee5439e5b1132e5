package io.millau.acme;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.CertificateStatus;
import io.millau.core.Store;
import io.millau.core.internal.HostNames;
import io.millau.core.internal.LogText;
import java.net.URI;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Obtains, stores and renews certificates by ACME (RFC 8555), for the names passed to {@link #wanted}. Uses HTTP and
 * TLS challenges (RFC 8737), whichever the network allows, and DNS challenges ({@link Builder#dns}), also for wildcards. Names that no CA could certify are ignored: {@code *},
 * addresses and names with underscores; for public directories also single labels and names of private domains ({@code
 * .local}, {@code .test}).
 *
 * <p>Replicas that share a {@link Store} order one certificate per name, and respond to each other's challenges. A
 * restart reads everything from the store, and orders only what is due. A certificate is renewed at two thirds of its
 * life, or when its CA suggests it (RFC 9773), and stays in use until its successor is issued. A failed order is
 * retried after a minute, two, four, up to twelve hours; names don't delay each other.
 *
 * <p>Safe for use by several threads. Slow work runs on its own daemon threads, so no method blocks except {@link
 * #close}.
 *
 * <pre>{@code
 * URI directory = URI.create("https://ca.internal/acme/directory");
 * try (AcmeCertificates certificates = AcmeCertificates.builder(Store.files(folder))
 *                 .directories(List.of(directory))
 *                 .email("ops@shop.example")
 *                 .start();
 *         Millau millau =
 *                 Millau.builder().http(":80").https(":443").certificates(certificates).start()) {
 *     // ... wait until the program is to end
 * }
 * }</pre>
 */
public final class AcmeCertificates implements CertificateSource, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(AcmeCertificates.class);

    private static final String NEEDS_DNS =
            "a wildcard can be proved by DNS alone: set ACME_DNS, put a certificate for it"
                    + " into CERTS, or list the names that you use in millau.hosts";

    private static final int ORDERS_AT_ONCE = 8;
    private static final int READS_AT_ONCE = 2;

    private static final Duration TICK = Duration.ofSeconds(1);

    private static final Duration FIRST_SWEEP = Duration.ofMinutes(10);
    private static final Duration SWEEP = Duration.ofHours(6);
    private static final Duration CLOSE = Duration.ofSeconds(10);

    private final List<Directory> directories;
    private final boolean certifiesWildcards;
    private final Clock clock;
    private final Challenges challenges;
    private final NameWorker worker;

    private final Map<String, NameState> states = new ConcurrentHashMap<>();
    private final Semaphore changes = new Semaphore(0);
    private final Thread thread = new Thread(this::run, "millau-acme");
    private final ExecutorService reads = Executors.newFixedThreadPool(READS_AT_ONCE, new Threads("millau-acme-store"));
    private final ExecutorService orders =
            Executors.newFixedThreadPool(ORDERS_AT_ONCE, new Threads("millau-acme-order"));
    private volatile Set<String> wanted = Set.of();
    private volatile Set<String> unprovable = Set.of();
    private volatile Set<String> served = Set.of();
    private volatile boolean closed;
    private Instant sweepAt;

    AcmeCertificates(Store store, List<Directory> directories, @Nullable DnsRecords dns, Clock clock, Duration lease) {
        this.directories = directories;
        this.certifiesWildcards = dns != null;
        this.clock = clock;
        this.challenges = new Challenges(store, clock);
        StoredCertificates certificates = new StoredCertificates(
                store, directories.stream().map(Directory::issuer).toList());
        Issuance issuance = new Issuance(store, certificates, directories, challenges, dns, clock, lease);
        this.worker = new NameWorker(certificates, challenges, issuance, clock);
        this.sweepAt = clock.instant().plus(FIRST_SWEEP);
        thread.setDaemon(true);
    }

    /**
     * Returns a builder.
     *
     * @param store for accounts, certificates and challenges
     */
    public static Builder builder(Store store) {
        return new Builder(store);
    }

    void begin() {
        thread.start();
    }

    @Override
    public List<Certificate> find(@Nullable String serverName) {
        if (serverName == null) {
            return List.of();
        }
        List<Certificate> exact = shown(serverName);
        List<Certificate> wild = certifiesWildcards ? shown(HostNames.wildcard(serverName)) : List.of();
        if (exact.isEmpty() || wild.isEmpty()) {
            return wild.isEmpty() ? exact : wild;
        }
        return Stream.concat(exact.stream(), wild.stream()).toList();
    }

    private List<Certificate> shown(String name) {
        NameState state = states.get(name);
        return state == null ? List.of() : state.shown();
    }

    /** The same as with all names served. */
    @Override
    public void wanted(Set<String> names) {
        wanted(names, names);
    }

    /**
     * {@inheritDoc}
     *
     * <p>Names are in lower case. Those that no directory could certify are ignored. Wildcards that lack {@link Builder#dns} are
     * logged, and are in the status. A name that a wildcard among them covers is ordered only if that can't be had.
     */
    @Override
    public void wanted(Set<String> names, Set<String> served) {
        this.served = Set.copyOf(served);
        Set<String> possible = names.stream()
                .filter(name -> directories.stream().anyMatch(directory -> directory.serves(name)))
                .collect(Collectors.toUnmodifiableSet());
        wanted = possible.stream().filter(this::isProvable).collect(Collectors.toUnmodifiableSet());
        replaceUnprovable(possible.stream().filter(name -> !isProvable(name)).collect(Collectors.toUnmodifiableSet()));
        changes.release();
    }

    private boolean isProvable(String name) {
        return certifiesWildcards || !PublicNames.isWildcard(name);
    }

    private void replaceUnprovable(Set<String> names) {
        Set<String> before = unprovable;
        unprovable = names;
        names.stream()
                .filter(name -> !before.contains(name))
                .sorted()
                .forEach(name -> LOG.warn("No certificate name={} reason={}", name, LogText.value(NEEDS_DNS)));
    }

    @Override
    public List<CertificateStatus> status() {
        Stream<CertificateStatus> withoutProof = unprovable.stream()
                .map(name -> CertificateStatus.of(Set.of(name), NameState.ORIGIN, null, null, null, NEEDS_DNS));
        return Stream.concat(withoutProof, states.values().stream().map(NameState::status))
                .sorted(Comparator.comparing(status -> String.join(" ", status.names())))
                .toList();
    }

    @Override
    public CompletableFuture<Optional<String>> httpChallenge(String token) {
        return challenges.findHttp(token);
    }

    @Override
    public CompletableFuture<Optional<Certificate>> tlsChallenge(String serverName) {
        return wanted.contains(serverName)
                ? challenges.findTls(serverName)
                : CompletableFuture.completedFuture(Optional.empty());
    }

    /**
     * Cancels orders in progress and stops all threads. Waits up to 20 seconds for them; if interrupted, it stops
     * waiting and the thread stays interrupted.
     */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        reads.shutdownNow();
        orders.shutdownNow();
        try {
            thread.join(CLOSE.toMillis());
            if (!orders.awaitTermination(CLOSE.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("An order didn't end within {} s and was abandoned", CLOSE.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        challenges.close();
    }

    private void run() {
        while (!closed) {
            try {
                look(clock.instant());
                if (changes.tryAcquire(TICK.toMillis(), TimeUnit.MILLISECONDS)) {
                    changes.drainPermits();
                }
            } catch (InterruptedException e) {
                // The loop ends if closed.
            } catch (Throwable e) {
                // Errors too: renewals must go on.
                if (!closed) {
                    LOG.error("Checking the certificates failed; retried in a second", e);
                }
            }
        }
    }

    /** Passes the next step of each name to a thread. */
    private void look(Instant now) {
        Set<String> names = wanted;
        names.stream()
                .filter(name -> !isServedByWildcard(name, names, now))
                .forEach(name -> states.computeIfAbsent(name, NameState::new));
        states.values()
                .forEach(state -> state.want(
                        names.contains(state.name()) && !isServedByWildcard(state.name(), names, now),
                        served.contains(state.name())));
        states.values().stream().filter(state -> !state.isWanted()).forEach(worker::forget);
        states.values().removeIf(state -> state.isOver(now));
        for (NameState state : states.values()) {
            NameState.Step step = state.begin(now, mayOrder(state.name(), names));
            if (step != null) {
                (step == NameState.Step.READ ? reads : orders).execute(() -> {
                    worker.take(step, state);
                    changes.release();
                });
            }
        }
        if (!now.isBefore(sweepAt)) {
            sweepAt = now.plus(SWEEP);
            reads.execute(worker::sweep);
        }
    }

    private boolean isServedByWildcard(String name, Set<String> names, Instant now) {
        String wildcard = HostNames.wildcard(name);
        return !PublicNames.isWildcard(name)
                && names.contains(wildcard)
                && shown(wildcard).stream().anyMatch(certificate -> certificate.isValid(now));
    }

    /** A name that a wildcard covers waits for the outcome of that. */
    private boolean mayOrder(String name, Set<String> names) {
        String wildcard = HostNames.wildcard(name);
        return PublicNames.isWildcard(name)
                || !names.contains(wildcard)
                || !served.contains(wildcard)
                || failures(wildcard) > 0;
    }

    /** The number of failed orders for a name since the last successful one. */
    int failures(String name) {
        NameState state = states.get(name);
        return state == null ? 0 : state.failures();
    }

    /**
     * Builds {@link AcmeCertificates}; only {@link #directories} is required. For one thread. Setters throw {@link
     * IllegalArgumentException} for a malformed value.
     */
    public static final class Builder {

        /** Shorter than the part of the lease that is left when an order gives up. */
        private static final Duration MAX_RESPONSE_TIME = Duration.ofSeconds(20);

        private static final int LONGEST_ISSUER = 200;

        private final Store store;
        private List<URI> directories = List.of();
        private List<X509Certificate> trusted = List.of();
        private @Nullable String email;
        private AccountSettings.@Nullable Binding binding;
        private @Nullable DnsChallenge dns;
        private Clock clock = Clock.systemUTC();
        private Duration lease = Duration.ofMinutes(3);

        Builder(Store store) {
            this.store = store;
        }

        /** The URLs of ACME directories, at least one. A later one is tried only if those before it can't be used. */
        public Builder directories(List<URI> directories) {
            for (URI directory : directories) {
                if (!Set.of("http", "https").contains(String.valueOf(directory.getScheme()))
                        || directory.getHost() == null
                        || directory.getRawUserInfo() != null) {
                    throw new IllegalArgumentException("expected the https URL of an ACME directory, not " + directory);
                }
            }
            this.directories = List.copyOf(directories);
            return this;
        }

        /** The account's contact address. Optional. */
        public Builder email(String email) {
            if (!email.matches("[^\\s@,?]+@[^\\s@,?]+")) {
                throw new IllegalArgumentException("expected an email address, not " + email);
            }
            this.email = email;
            return this;
        }

        /**
         * The external account binding, for a CA that requires one (RFC 8555, 7.3.4).
         *
         * @param kid the key's id
         * @param hmac the key in base64url
         */
        public Builder externalAccount(String kid, String hmac) {
            if (kid.isBlank()) {
                throw new IllegalArgumentException("expected the id of a key for an external account");
            }
            try {
                Base64.getUrlDecoder().decode(hmac);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "expected the key of the external account " + kid + " in base64url", e);
            }
            this.binding = new AccountSettings.Binding(kid, hmac);
            return this;
        }

        /**
         * CAs to trust for connections to the directories, in addition to those of the JDK. If there are any, or if a
         * directory's host is an address or a private name, the directory is treated as private: it may also certify
         * single labels and names of private domains.
         */
        public Builder trusted(List<X509Certificate> trusted) {
            this.trusted = List.copyOf(trusted);
            return this;
        }

        /** How responses to DNS challenges are published, which are tried first then. Without it, wildcards get no certificate. */
        public Builder dns(DnsChallenge dns) {
            this.dns = dns;
            return this;
        }

        /** The clock that decides when to renew, for tests. Timeouts of CAs use real time. */
        public Builder clock(Clock clock) {
            this.clock = clock;
            return this;
        }

        /** How long an order may take, before another replica may start one. */
        Builder lease(Duration lease) {
            this.lease = lease;
            return this;
        }

        /**
         * Builds the object and starts its threads. A CA is contacted only when a name needs a certificate.
         *
         * @throws IllegalArgumentException if there is no directory, if two are the same, or if a URL is too long
         */
        public AcmeCertificates start() {
            AccountSettings account = new AccountSettings(email, binding);
            HttpProvider provider = new HttpProvider(trusted, MAX_RESPONSE_TIME);
            List<Directory> all = directories.stream()
                    .map(uri -> new Directory(uri, isPrivate(uri), account, store, provider))
                    .toList();
            check(all.stream().map(Directory::issuer).toList());
            AcmeCertificates certificates =
                    new AcmeCertificates(store, all, dns == null ? null : dns.records(store, provider), clock, lease);
            certificates.begin();
            return certificates;
        }

        private boolean isPrivate(URI directory) {
            return !trusted.isEmpty()
                    || !PublicNames.isPublic(directory.getHost().toLowerCase(Locale.ROOT));
        }

        private static void check(List<String> issuers) {
            if (issuers.isEmpty()) {
                throw new IllegalArgumentException("expected at least one ACME directory");
            }
            if (issuers.stream().distinct().count() < issuers.size()) {
                throw new IllegalArgumentException("expected directories that differ, not " + issuers);
            }
            String tooLong = issuers.stream()
                    .filter(issuer -> issuer.length() > LONGEST_ISSUER)
                    .collect(Collectors.joining(" "));
            if (!tooLong.isEmpty()) {
                throw new IllegalArgumentException(
                        "expected URLs of at most " + LONGEST_ISSUER + " characters, not " + tooLong);
            }
        }
    }
}
