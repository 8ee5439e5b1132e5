package io.millau.acme;

import io.millau.core.Certificate;
import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.internal.Pem;
import io.millau.docker.SwarmStore;
import io.millau.server.Millau;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;

/**
 * A proxy that shares certificates in a Swarm, here or in a process of its own, with a lease as short as a test wants it: that
 * is nothing to be set from outside of this package. Safe for use by several threads.
 */
public final class Replica implements AutoCloseable {

    private final AcmeCertificates certificates;
    private final Millau millau;
    private final String name;

    private Replica(AcmeCertificates certificates, Millau millau, String name) {
        this.certificates = certificates;
        this.millau = millau;
        this.name = name;
    }

    /**
     * What all replicas have in common.
     *
     * @param engine a Swarm manager's, as {@code DOCKER_HOST} is written
     * @param key of the store
     * @param name a host whose certificate is wanted
     */
    public record Plan(
            String engine, String key, URI directory, List<X509Certificate> trusted, String name, Duration lease) {

        /** Starts one here. */
        public Replica start() throws IOException {
            AcmeCertificates certificates = AcmeCertificates.builder(
                            SwarmStore.at(engine, key.getBytes(StandardCharsets.US_ASCII)))
                    .directories(List.of(directory))
                    .trusted(trusted)
                    .lease(lease)
                    .start();
            InMemoryServices services = ServiceSource.of();
            services.replace(Service.named("shop")
                    .hosts(name)
                    .endpoints(Endpoint.http("127.0.0.1", 9))
                    .build());
            Millau millau = Millau.builder()
                    .http("127.0.0.1:0")
                    .https("127.0.0.1:0")
                    .telemetry("127.0.0.1:0")
                    .source(services)
                    .certificates(certificates)
                    .start();
            return new Replica(certificates, millau, name);
        }

        /**
         * Starts one in a process of its own.
         *
         * @param folder for what it says, and what it is to read
         */
        public Process startProcess(Path folder) throws IOException {
            Path ca = Files.writeString(folder.resolve("replica-ca.pem"), Pem.text(trusted));
            return new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx64m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Replica.class.getName(),
                            engine,
                            key,
                            directory.toString(),
                            ca.toString(),
                            name,
                            lease.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("replica.log").toFile())
                    .start();
        }
    }

    /** A process of its own: it runs until it is killed. */
    public static void main(String[] arguments) throws IOException {
        new Plan(
                        arguments[0],
                        arguments[1],
                        URI.create(arguments[2]),
                        Pem.certificates(Files.readString(Path.of(arguments[3]))),
                        arguments[4],
                        Duration.parse(arguments[5]))
                .start();
    }

    /** Where it answers challenges. */
    public int port() {
        return millau.port();
    }

    /** Where it says whether it is up. */
    public int telemetryPort() {
        return millau.telemetryPort();
    }

    /** What it has for its name so far. */
    public List<Certificate> found() {
        return certificates.find(name);
    }

    @Override
    public void close() {
        millau.close();
        certificates.close();
    }
}
