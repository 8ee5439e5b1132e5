package io.millau.docker;

import io.millau.core.Store;
import io.millau.core.internal.LogText;
import io.millau.docker.Config.Kind;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A store in a Swarm, which replicates it among its managers. Every value is a config. Values are encrypted, since
 * anyone with access to an engine can read configs. All replicas need the same secret.
 *
 * <p>Configs are immutable and their names unique. So each change of a value creates a config with the next version in
 * its name, then deletes the older ones. Of two concurrent changes, one finds that its version exists already, and
 * reads again. A lock is a config, too: the replica that creates it holds it. It expires a fixed time after its
 * creation by a manager's clock, so the clocks of all replicas and managers should agree within seconds.
 *
 * <p>Some configs are left behind: the last value of a name that was set aside, and the lock of a replica that died,
 * until another one takes the lock.
 *
 * <p>The engine must be a Swarm manager. A proxy of its socket must allow {@code GET /configs}, {@code POST
 * /configs/create} and {@code DELETE /configs/ID}. Each request ends within ten seconds.
 *
 * <p>Immutable; safe for use by several threads. Its methods block.
 *
 * <pre>{@code
 * byte[] secret = Files.readAllBytes(folder.resolve("store-key"));
 * Store store = SwarmStore.at(DockerSource.LOCAL, secret);
 * AcmeCertificates.Builder certificates = AcmeCertificates.builder(store);
 * }</pre>
 */
public final class SwarmStore implements Store {

    private static final Logger LOG = LoggerFactory.getLogger(SwarmStore.class);

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    /** How often other replicas may win a concurrent change. */
    private static final int ATTEMPTS = 50;

    /** The engine is no manager, or a proxy of its socket doesn't allow configs. */
    private static final Set<Integer> NO_CONFIGS = Set.of(401, 403, 404, 405, 503);

    private static final String ADVICE = " (expected a Swarm manager whose /configs may be read and written: set"
            + " STORE_DOCKER_HOST to its address, or to that of a proxy of its socket that allows this; or"
            + " use STORE=file, with a folder that all replicas share)";

    private final EngineAddress engine;
    private final Seal seal;
    private final Duration timeout;

    private SwarmStore(EngineAddress engine, Seal seal, Duration timeout) {
        this.engine = engine;
        this.seal = seal;
        this.timeout = timeout;
    }

    /**
     * A store in the Swarm of an engine, without TLS. Doesn't connect yet.
     *
     * @param host {@code unix:///path} or {@code tcp://host:port}, as {@code DOCKER_HOST} is written; null for {@link
     *     DockerSource#LOCAL}
     * @param secret the content of a file with at least 32 random bytes or characters; {@code openssl rand -base64 32}
     *     makes one. Trailing white space is ignored
     * @throws IllegalArgumentException if the address is malformed, or the secret too short
     */
    public static SwarmStore at(@Nullable String host, byte[] secret) {
        EngineAddress engine = EngineAddress.of(host == null ? DockerSource.LOCAL : host);
        return new SwarmStore(engine, new Seal(secret), TIMEOUT);
    }

    /**
     * The same store, over TLS.
     *
     * @param certificates the folder of {@code ca.pem}, {@code cert.pem} and {@code key.pem}, as {@code DOCKER_CERT_PATH}
     *     names it
     * @throws IllegalArgumentException if they can't be read, or the address isn't a {@code tcp://} one
     */
    public SwarmStore withTls(Path certificates) {
        return new SwarmStore(engine.withTls(certificates), seal, timeout);
    }

    /** For tests. */
    SwarmStore withTimeout(Duration timeout) {
        return new SwarmStore(engine, seal, timeout);
    }

    /** Requests to the engine. */
    private interface Requests<T> {
        T send(Configs configs) throws IOException, InterruptedException;
    }

    private <T> T ask(Requests<T> requests) throws IOException {
        try (DockerApi api = engine.connect(timeout)) {
            return requests.send(new Configs(api));
        } catch (DockerApi.ErrorResponse e) {
            throw trouble(e, NO_CONFIGS.contains(e.status()) ? ADVICE : "");
        } catch (IOException e) {
            throw trouble(e, "");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            InterruptedIOException interrupted =
                    new InterruptedIOException("interrupted during a request to " + engine.name());
            interrupted.initCause(e);
            throw interrupted;
        }
    }

    private IOException trouble(IOException cause, String advice) {
        String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        return new IOException(
                "Docker Engine " + engine.name() + " can't be used as the store: " + reason + advice, cause);
    }

    @Override
    public Optional<byte[]> get(String name) throws IOException {
        Store.checkName(name);
        List<Config> values = ask(configs -> oldestFirst(configs.of(name), Kind.VALUE));
        return values.isEmpty()
                ? Optional.empty()
                : Optional.of(seal.open(name, newest(values).data()));
    }

    /** Sorted by version. Delete in this order, so that no older value becomes the newest. */
    private static List<Config> oldestFirst(List<Config> configs, Kind kind) {
        return configs.stream()
                .filter(config -> config.kind() == kind)
                .sorted(Comparator.comparingLong(Config::version))
                .toList();
    }

    private static Config newest(List<Config> oldestFirst) {
        return oldestFirst.get(oldestFirst.size() - 1);
    }

    private static long nextVersion(List<Config> configs) {
        return 1 + configs.stream().mapToLong(Config::version).max().orElse(0);
    }

    @Override
    public void put(String name, byte[] value) throws IOException {
        Store.checkName(name);
        byte[] sealed = seal.seal(name, Store.checkValue(value));
        if (!ask(configs -> put(configs, name, sealed))) {
            throw new IOException("value " + name + " of the store: other replicas changed it " + ATTEMPTS
                    + " times during the write");
        }
    }

    /** @return false if other replicas changed it at every attempt */
    private static boolean put(Configs configs, String name, byte[] sealed) throws IOException, InterruptedException {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            List<Config> before = configs.of(name);
            if (configs.create(name, Kind.VALUE, nextVersion(before), sealed)) {
                configs.delete(oldestFirst(before, Kind.VALUE));
                return true;
            }
        }
        return false;
    }

    @Override
    public void remove(String name) throws IOException {
        Store.checkName(name);
        ask(configs -> {
            configs.delete(oldestFirst(configs.of(name), Kind.VALUE));
            return true;
        });
    }

    @Override
    public List<String> names(String prefix) throws IOException {
        return ask(Configs::names).stream()
                .filter(name -> name.startsWith(prefix))
                .toList();
    }

    @Override
    public void setAside(String name) throws IOException {
        Store.checkName(name);
        ask(configs -> {
            List<Config> before = configs.of(name);
            List<Config> values = oldestFirst(before, Kind.VALUE);
            // If the next version exists already, another replica has set the value aside or replaced it.
            if (!values.isEmpty()
                    && configs.create(
                            name,
                            Kind.DAMAGED,
                            nextVersion(before),
                            newest(values).data())) {
                configs.delete(values);
                configs.delete(oldestFirst(before, Kind.DAMAGED));
            }
            return true;
        });
    }

    @Override
    public Optional<Lock> tryLock(String name, Duration atMost) throws IOException {
        Store.checkName(name);
        Store.checkLock(atMost);
        return ask(configs -> {
            List<Config> locks = oldestFirst(configs.of(name), Kind.LOCK);
            Instant now = Instant.now();
            if (locks.stream().anyMatch(lock -> !lock.isOver(now))) {
                return Optional.empty();
            }
            configs.delete(locks);
            return configs.createLock(name, atMost).map(id -> new Held(name, id));
        });
    }

    /** A lock that this object holds, known by its config's id. */
    private final class Held implements Lock {
        private final String name;
        private final String id;

        Held(String name, String id) {
            this.name = name;
            this.id = id;
        }

        @Override
        public void close() {
            // An interrupted thread can't send requests.
            boolean interrupted = Thread.interrupted();
            try {
                ask(configs -> {
                    configs.delete(id);
                    return true;
                });
            } catch (IOException e) {
                LOG.warn(
                        "Lock not freed, so others wait until its time is over lock={} reason={}",
                        name,
                        LogText.value(e.getMessage()));
                LOG.debug("What failed", e);
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }

    @Override
    public String toString() {
        return "Swarm of " + engine.name();
    }
}
