package io.millau.acme;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.Store;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Obtains, stores and renews certificates by ACME (RFC 8555) for the names that are wanted, by HTTP and TLS challenges (RFC
 * 8737), whichever the network allows. Names that no CA could vouch for get none: {@code *}, addresses, names with
 * underscores; and from public directories no single labels and no names of private domains ({@code .local}, {@code .test}).
 *
 * <p>Replicas that share a {@link Store} order one certificate for a name together, and answer each other's challenges. A
 * restart takes all from the store and asks no CA for what isn't due. A certificate is renewed at two thirds of its life, or
 * when its CA suggests it (RFC 9773), and serves until the next one is there. What fails is tried again after a minute, two,
 * four, up to twelve hours, each name for itself.
 *
 * <p>Safe for use by several threads. Everything slow happens on daemon threads of its own, so that no method but
 * {@link #close} blocks.
 */
public final class AcmeCertificates implements CertificateSource, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(AcmeCertificates.class);

    private static final int ORDERS_AT_ONCE = 8;
    private static final int READS_AT_ONCE = 2;

    private static final Duration TICK = Duration.ofSeconds(1);

    private static final Duration FIRST_SWEEP = Duration.ofMinutes(10);
    private static final Duration SWEEP = Duration.ofHours(6);
    private static final Duration CLOSE = Duration.ofSeconds(10);

    private final List<Directory> directories;
    private final Clock clock;
    private final Challenges challenges;
    private final Steps steps;

    private final Map<String, NameState> states = new ConcurrentHashMap<>();
    private final Semaphore changes = new Semaphore(0);
    private final Thread thread = new Thread(this::run, "millau-acme");
    private final ExecutorService reads = Executors.newFixedThreadPool(READS_AT_ONCE, new Threads("millau-acme-store"));
    private final ExecutorService orders =
            Executors.newFixedThreadPool(ORDERS_AT_ONCE, new Threads("millau-acme-order"));
    private volatile Set<String> wanted = Set.of();
    private volatile boolean closed;
    private Instant sweepAt;

    AcmeCertificates(Store store, List<Directory> directories, Clock clock, Duration lease) {
        this.directories = directories;
        this.clock = clock;
        this.challenges = new Challenges(store, clock);
        StoredCertificates certificates = new StoredCertificates(
                store, directories.stream().map(Directory::issuer).toList());
        Issuance issuance = new Issuance(store, certificates, directories, challenges, clock, lease);
        this.steps = new Steps(certificates, challenges, issuance, clock);
        this.sweepAt = clock.instant().plus(FIRST_SWEEP);
        thread.setDaemon(true);
    }

    /**
     * Begins to build one.
     *
     * @param store for accounts, certificates and answers to challenges
     */
    public static AcmeBuilder builder(Store store) {
        return new AcmeBuilder(store);
    }

    void begin() {
        thread.start();
    }

    @Override
    public List<Certificate> find(@Nullable String serverName) {
        NameState state = serverName == null ? null : states.get(serverName);
        return state == null ? List.of() : state.shown();
    }

    /** Names are in lower case, and those that no directory could vouch for are passed over. */
    @Override
    public void wanted(Set<String> names) {
        wanted = names.stream()
                .filter(name -> directories.stream().anyMatch(directory -> directory.serves(name)))
                .collect(Collectors.toUnmodifiableSet());
        changes.release();
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

    /** Ends orders that are under way, without a result. Waits for their ends. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        reads.shutdownNow();
        orders.shutdownNow();
        try {
            thread.join(CLOSE.toMillis());
            if (!orders.awaitTermination(CLOSE.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("An order doesn't end within {} s, and is left alone", CLOSE.toSeconds());
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
                // closed says why.
            } catch (Throwable e) {
                // An error too: whatever it was, certificates have to be renewed.
                if (!closed) {
                    LOG.error("Certificates could not be looked after, they are again in a second", e);
                }
            }
        }
    }

    /** Gives each name's next step to a thread. */
    private void look(Instant now) {
        Set<String> names = wanted;
        names.forEach(name -> states.computeIfAbsent(name, NameState::new));
        states.values().forEach(state -> state.want(names.contains(state.name())));
        states.values().removeIf(state -> state.isOver(now));
        for (NameState state : states.values()) {
            NameState.Step step = state.begin(now);
            if (step != null) {
                (step == NameState.Step.READ ? reads : orders).execute(() -> {
                    steps.take(step, state);
                    changes.release();
                });
            }
        }
        if (!now.isBefore(sweepAt)) {
            sweepAt = now.plus(SWEEP);
            reads.execute(steps::sweep);
        }
    }

    /** How many orders for a name have failed since the last one that succeeded. */
    int failures(String name) {
        NameState state = states.get(name);
        return state == null ? 0 : state.failures();
    }
}
