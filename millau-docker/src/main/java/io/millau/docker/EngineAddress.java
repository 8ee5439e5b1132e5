package io.millau.docker;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The address of an engine, and how to connect to it. Immutable.
 *
 * @param name as the operator wrote it
 */
record EngineAddress(String name, URI host, @Nullable SSLContext tls) {

    private static final int PLAIN_PORT = 2375;
    private static final int TLS_PORT = 2376;

    /**
     * An engine without TLS.
     *
     * @throws IllegalArgumentException if it is neither {@code unix:///path} nor {@code tcp://host:port}
     */
    static EngineAddress of(String name) {
        return new EngineAddress(name, uri(name, PLAIN_PORT), null);
    }

    /**
     * The same engine over TLS.
     *
     * @param certificates the folder of {@code ca.pem}, {@code cert.pem} and {@code key.pem}
     * @throws IllegalArgumentException if they can't be read, or the address isn't a {@code tcp://} one
     */
    EngineAddress withTls(Path certificates) {
        if (!host.getScheme().equals("tcp")) {
            throw new IllegalArgumentException(name + ": expected tcp://host:port, for TLS");
        }
        return new EngineAddress(name, uri(name, TLS_PORT), ClientTls.context(certificates));
    }

    /** @param timeout for a whole response */
    DockerApi connect(Duration timeout) {
        return new DockerApi(host, tls, timeout);
    }

    private static URI uri(String name, int defaultPort) {
        IllegalArgumentException wrong = new IllegalArgumentException(
                name + ": expected the address of a Docker Engine, " + DockerSource.LOCAL + " or tcp://host:port");
        URI uri;
        try {
            uri = URI.create(name.strip());
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
}
