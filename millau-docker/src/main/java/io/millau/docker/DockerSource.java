package io.millau.docker;

import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The services and containers of a Docker Engine that carry {@code millau.} labels: Swarm services where the engine is
 * a Swarm manager, and the containers of Compose, Testcontainers and plain {@code docker run} on every engine.
 *
 * <p>Endpoints are the addresses of the tasks and containers themselves, on a network that this process shares with
 * them. An engine that is absent, restarts, hangs or sends garbage is reported once and retried for ever; meanwhile what was
 * delivered last stays in force. Only {@code GET} requests are sent, so a read-only proxy of the engine's socket is
 * enough: {@code /events}, {@code /info}, {@code /containers}, {@code /networks}, and on a manager {@code /services},
 * {@code /tasks} and {@code /nodes}.
 *
 * <p>Immutable. Nothing is read from the environment. Every subscription has threads of its own, all of them daemons.
 */
public final class DockerSource implements ServiceSource {

    /** Where an engine listens unless it is told otherwise. */
    public static final String LOCAL = "unix:///var/run/docker.sock";

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final EngineAddress engine;
    private final Supplier<Interfaces> interfaces;
    private final Duration patience;

    private DockerSource(EngineAddress engine, Supplier<Interfaces> interfaces, Duration patience) {
        this.engine = engine;
        this.interfaces = interfaces;
        this.patience = patience;
    }

    /** The engine at {@link #LOCAL}. */
    public static DockerSource local() {
        return at(LOCAL);
    }

    /**
     * The engine at an address.
     *
     * @param host {@code unix:///path} or {@code tcp://host:port}, as {@code DOCKER_HOST} is written
     * @throws IllegalArgumentException if it is neither
     */
    public static DockerSource at(String host) {
        return new DockerSource(EngineAddress.of(host), Interfaces::current, PATIENCE);
    }

    /**
     * The same engine over TLS: its certificate has to be signed by {@code ca.pem}; {@code cert.pem} and
     * {@code key.pem}, where they exist, are ours.
     *
     * @param certificates the folder of the three files, as {@code DOCKER_CERT_PATH} names it
     * @throws IllegalArgumentException if they can't be read, or the address isn't a {@code tcp://} one
     */
    public DockerSource withTls(Path certificates) {
        return new DockerSource(engine.withTls(certificates), interfaces, patience);
    }

    /** For tests, which aren't where a proxy is. */
    DockerSource seenFrom(Supplier<Interfaces> interfaces) {
        return new DockerSource(engine, interfaces, patience);
    }

    /** For tests, which want to see the end of it. */
    DockerSource withPatience(Duration patience) {
        return new DockerSource(engine, interfaces, patience);
    }

    /**
     * Reads the engine once, without a thread of its own, and waits some seconds at most.
     *
     * @throws IOException if the engine can't be asked; the message is a sentence for a person
     */
    public Snapshot look() throws IOException {
        try (DockerApi api = engine.connect(patience)) {
            EngineReader reader = new EngineReader(api);
            reader.findRole();
            return new SnapshotBuilder(toString()).build(reader.everything(), interfaces.get());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(Outage.sentence(engine.name(), e), e);
        } catch (IOException | RuntimeException e) {
            throw new IOException(Outage.sentence(engine.name(), e), e);
        }
    }

    @Override
    public Subscription subscribe(Consumer<Snapshot> consumer) {
        Watch watch = new Watch(engine.name(), () -> engine.connect(patience), interfaces, consumer);
        watch.start();
        return watch;
    }

    @Override
    public String toString() {
        return "Docker " + engine.name();
    }
}
