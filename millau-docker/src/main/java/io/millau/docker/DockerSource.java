package io.millau.docker;

import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The services and containers of a Docker Engine that carry {@code millau.} labels: Swarm services where the engine is
 * a Swarm manager, and the containers of Compose, Testcontainers and plain {@code docker run} on every engine.
 *
 * <p>Endpoints are the addresses of the tasks and containers themselves, on a network that this process shares with
 * them. An engine that is absent, restarts, hangs or answers garbage is said once and tried for ever; meanwhile what was
 * delivered last stays in force. Only {@code GET} requests are sent, so a read-only proxy of the engine's socket is
 * enough: {@code /events}, {@code /info}, {@code /containers}, {@code /networks}, and on a manager {@code /services},
 * {@code /tasks} and {@code /nodes}.
 *
 * <p>Immutable. Nothing is read from the environment. Every subscription has threads of its own, all of them daemons.
 */
public final class DockerSource implements ServiceSource {

    /** Where an engine listens unless it is told otherwise. */
    public static final String LOCAL = "unix:///var/run/docker.sock";

    private static final int PLAIN_PORT = 2375;
    private static final int TLS_PORT = 2376;

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final String name;
    private final URI host;
    private final @Nullable SSLContext tls;
    private final Supplier<Interfaces> interfaces;
    private final Duration patience;

    private DockerSource(
            String name, URI host, @Nullable SSLContext tls, Supplier<Interfaces> interfaces, Duration patience) {
        this.name = name;
        this.host = host;
        this.tls = tls;
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
        return new DockerSource(host, address(host, PLAIN_PORT), null, Interfaces::current, PATIENCE);
    }

    /**
     * The same engine, spoken to over TLS: its certificate has to be signed by {@code ca.pem}; {@code cert.pem} and
     * {@code key.pem}, where they exist, are ours.
     *
     * @param certificates the folder of the three files, as {@code DOCKER_CERT_PATH} names it
     * @throws IllegalArgumentException if they can't be read, or the address isn't a {@code tcp://} one
     */
    public DockerSource withTls(Path certificates) {
        if (!host.getScheme().equals("tcp")) {
            throw new IllegalArgumentException(name + ": expected tcp://host:port, for TLS");
        }
        return new DockerSource(name, address(name, TLS_PORT), ClientTls.context(certificates), interfaces, patience);
    }

    /** For tests, which aren't where a proxy is. */
    DockerSource seenFrom(Supplier<Interfaces> interfaces) {
        return new DockerSource(name, host, tls, interfaces, patience);
    }

    /** For tests, which want to see the end of it. */
    DockerSource withPatience(Duration patience) {
        return new DockerSource(name, host, tls, interfaces, patience);
    }

    private static URI address(String host, int defaultPort) {
        IllegalArgumentException wrong = new IllegalArgumentException(
                host + ": expected the address of a Docker Engine, " + LOCAL + " or tcp://host:port");
        URI uri;
        try {
            uri = URI.create(host.strip());
        } catch (IllegalArgumentException e) {
            wrong.addSuppressed(e);
            throw wrong;
        }
        String scheme = Objects.requireNonNullElse(uri.getScheme(), "");
        String path = Objects.requireNonNullElse(uri.getPath(), "");
        switch (scheme) {
            case "unix":
                if (uri.getAuthority() != null || path.length() < 2) {
                    throw wrong;
                }
                return uri;
            case "tcp", "http", "https":
                if (uri.getHost() == null || path.length() > 1) {
                    throw wrong;
                }
                int port = uri.getPort() == -1 ? defaultPort : uri.getPort();
                return URI.create("tcp://" + uri.getHost() + ":" + port);
            default:
                throw wrong;
        }
    }

    @Override
    public Subscription subscribe(Consumer<Snapshot> consumer) {
        Watch watch = new Watch(name, () -> new DockerApi(host, tls, patience), interfaces, consumer);
        watch.start();
        return watch;
    }

    @Override
    public String toString() {
        return "Docker " + name;
    }
}
