package io.millau.docker;

import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The services and containers of a Docker Engine that have {@code millau.} labels: Swarm services if the engine is a
 * Swarm manager, and on every engine the containers of Compose, Testcontainers and plain {@code docker run}.
 *
 * <p>Endpoints are the addresses of the tasks and containers themselves, on a network that this process shares with
 * them. If the engine is absent, restarts, hangs or sends invalid responses, this is logged once and retried until it
 * works; meanwhile the last snapshot stays in use. Only {@code GET} requests are sent, so a read-only proxy of the
 * engine's socket is enough. It must allow {@code /events}, {@code /info}, {@code /containers}, {@code /networks}, and
 * on a manager {@code /services}, {@code /tasks} and {@code /nodes}.
 *
 * <p>Immutable; safe for use by several threads. Reads no environment variables. Every subscription has its own daemon
 * threads.
 *
 * <pre>{@code
 * DockerSource docker = DockerSource.local();
 * try {
 *     docker.look(); // otherwise the proxy starts, and retries until there is an engine
 *     builder.source(docker);
 * } catch (IOException e) {
 *     System.err.println("Without Docker: " + e.getMessage());
 * }
 * }</pre>
 */
public final class DockerSource implements ServiceSource {

    /** Where an engine listens by default. */
    public static final String LOCAL = "unix:///var/run/docker.sock";

    private static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final EngineAddress engine;
    private final Supplier<Interfaces> interfaces;
    private final Duration timeout;
    private final RequiredLabel required;

    private DockerSource(
            EngineAddress engine, Supplier<Interfaces> interfaces, Duration timeout, RequiredLabel required) {
        this.required = required;
        this.engine = engine;
        this.interfaces = interfaces;
        this.timeout = timeout;
    }

    /** The engine at {@link #LOCAL}. */
    public static DockerSource local() {
        return at(LOCAL);
    }

    /**
     * The engine at an address, without TLS. Doesn't connect yet.
     *
     * @param host {@code unix:///path} or {@code tcp://host:port}, as {@code DOCKER_HOST} is written
     * @throws IllegalArgumentException if it is neither
     */
    public static DockerSource at(String host) {
        return new DockerSource(EngineAddress.of(host), Interfaces::current, TIMEOUT, RequiredLabel.NONE);
    }

    /**
     * The same engine over TLS. Its certificate has to be signed by {@code ca.pem}. {@code cert.pem} and {@code
     * key.pem} are the client certificate; both may be absent.
     *
     * @param certificates the folder of the three files, as in {@code DOCKER_CERT_PATH}
     * @throws IllegalArgumentException if they can't be read, or the address isn't a {@code tcp://} one
     */
    public DockerSource withTls(Path certificates) {
        return new DockerSource(engine.withTls(certificates), interfaces, timeout, required);
    }

    /**
     * Only the services and containers of this engine that have a label: for several proxies, each with services of its own.
     *
     * @param label {@code NAME=VALUE}, or {@code NAME} for any value
     * @throws IllegalArgumentException if it is neither
     */
    public DockerSource withLabel(String label) {
        return new DockerSource(engine, interfaces, timeout, RequiredLabel.of(label));
    }

    /** For tests, which run outside of the proxy's networks. */
    DockerSource seenFrom(Supplier<Interfaces> interfaces) {
        return new DockerSource(engine, interfaces, timeout, required);
    }

    /** For tests. */
    DockerSource withTimeout(Duration timeout) {
        return new DockerSource(engine, interfaces, timeout, required);
    }

    /**
     * Reads the engine once, in the calling thread. Blocks for some seconds at most.
     *
     * @throws IOException if the engine can't be read; the message is for the user. If interrupted, the thread stays
     *     interrupted
     */
    public Snapshot look() throws IOException {
        return ask(api -> {
            EngineReader reader = new EngineReader(api);
            reader.findRole();
            return new SnapshotBuilder(toString(), required)
                    .build(reader.everything(EngineView.NOTHING), interfaces.get());
        });
    }

    /**
     * Reads how far the deployment of a service is: of a Swarm service if the engine is a manager, else of a Compose service or a
     * container. Blocks for some seconds at most.
     *
     * @param service its name, as in {@link io.millau.core.Service#name()}, or its id, as in {@link io.millau.core.Service#id()}
     * @return empty if the engine knows no such service, or several of the name, in two Compose projects
     * @throws IOException as {@link #look}
     */
    public Optional<Deployment> deployment(String service) throws IOException {
        return ask(api -> Deployment.read(api, service));
    }

    @FunctionalInterface
    private interface Question<T> {
        T ask(DockerApi api) throws IOException, InterruptedException;
    }

    private <T> T ask(Question<T> question) throws IOException {
        try (DockerApi api = engine.connect(timeout)) {
            return question.ask(api);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(Outage.sentence(engine.name(), e), e);
        } catch (IOException | RuntimeException e) {
            throw new IOException(Outage.sentence(engine.name(), e), e);
        }
    }

    @Override
    public Subscription subscribe(Consumer<Snapshot> consumer) {
        Watch watch = new Watch(engine.name(), required, () -> engine.connect(timeout), interfaces, consumer);
        watch.start();
        return watch;
    }

    @Override
    public String toString() {
        return "Docker " + engine.name();
    }
}
