package io.millau.acme;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.Store;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
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

    /** When to look again after a replica that is at it, and after a store that fails. */
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(2);

    private static final Duration READ_AGAIN = Duration.ofSeconds(10);
    private static final Duration FIRST_SWEEP = Duration.ofMinutes(10);
    private static final Duration SWEEP = Duration.ofHours(6);
    private static final Duration CLOSE = Duration.ofSeconds(10);

    private final List<Directory> directories;
    private final Clock clock;
    private final StoredCertificates certificates;
    private final Challenges challenges;
    private final Issuance issuance;
    private final Outage storeOutage =
            new Outage("The store of certificates", "What was read of it stays in use; it is tried again.");

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
        this.certificates = new StoredCertificates(
                store, directories.stream().map(Directory::issuer).toList());
        this.challenges = new Challenges(store, clock);
        this.issuance = new Issuance(store, certificates, directories, challenges, clock, lease);
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
                (step == NameState.Step.READ ? reads : orders).execute(() -> take(step, state));
            }
        }
        if (!now.isBefore(sweepAt)) {
            sweepAt = now.plus(SWEEP);
            reads.execute(this::sweep);
        }
    }

    private void take(NameState.Step step, NameState state) {
        try {
            switch (step) {
                case READ -> read(state);
                case ORDER -> order(state);
                case ASK -> ask(state);
            }
        } catch (InterruptedException e) {
            // closed says why.
        } catch (IOException e) {
            storeOutage.failed("fails: " + Text.of(e));
            state.readAt(clock.instant().plus(READ_AGAIN));
        } catch (Throwable e) {
            // An error too: no name may lose its turn, nor disturb the others.
            LOG.error("{} could not be looked after: {}", state.name(), step, e);
            state.failed(e.toString(), Instant.MIN, clock.instant());
        } finally {
            state.done();
            changes.release();
        }
    }

    private void read(NameState state) throws IOException {
        Optional<StoredCertificate> unstored = state.unstored();
        if (unstored.isPresent()) {
            certificates.put(state.name(), unstored.get());
            state.stored();
        }
        state.read(certificates.find(state.name()), clock.instant());
        storeOutage.over();
    }

    private void order(NameState state) throws IOException, InterruptedException {
        try {
            if (!issuance.obtain(state)) {
                state.readAt(clock.instant().plus(LOOK_AGAIN));
            }
        } catch (OrderException e) {
            failed(state, e);
        }
    }

    private void failed(NameState state, OrderException failure) {
        String reason = String.valueOf(failure.getMessage());
        boolean repeats = state.failed(reason, issuance.mayOrder(state), clock.instant());
        if (repeats) {
            LOG.debug(
                    "No certificate for {} ({} times), again {}: {}",
                    state.name(),
                    state.failures(),
                    state.orderAt(),
                    reason);
        } else {
            LOG.warn(
                    "No certificate for {}, tried again {}: {}",
                    state.name(),
                    state.orderAt().truncatedTo(ChronoUnit.SECONDS),
                    reason);
            LOG.debug("What failed", failure);
        }
    }

    private void ask(NameState state) throws IOException, InterruptedException {
        Optional<Renewal.Window> window = Optional.empty();
        try {
            window = issuance.window(state);
        } catch (OrderException e) {
            LOG.debug("When to renew {} can't be asked", state.name(), e);
        }
        state.suggested(window, clock.instant());
    }

    /** How many orders for a name have failed since the last one that succeeded. */
    int failures(String name) {
        NameState state = states.get(name);
        return state == null ? 0 : state.failures();
    }

    private void sweep() {
        try {
            challenges.sweep();
            certificates.sweep(clock.instant());
        } catch (IOException e) {
            storeOutage.failed("fails: " + Text.of(e));
        } catch (Throwable e) {
            LOG.error("What is old could not be removed from the store", e);
        }
    }
}
