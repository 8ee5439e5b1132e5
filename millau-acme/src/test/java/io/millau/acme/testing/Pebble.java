package io.millau.acme.testing;

import static org.awaitility.Awaitility.await;

import io.millau.core.Certificate;
import io.millau.core.internal.Pem;
import io.millau.core.testing.FreePorts;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A CA for tests: Debian's pebble, which rejects a fifth of all nonces, with a DNS server that resolves every name to
 * 127.0.0.1. Nothing is persistent: after {@link #stop} and {@link #startAgain} it knows no accounts. Not thread-safe.
 */
public final class Pebble implements AutoCloseable {

    static final String PEBBLE = "pebble";
    static final String DNS = "pebble-challtestsrv";

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path folder;
    private final Certificate certificate;
    private final Options options;
    private final int port = FreePorts.next();
    private final int dnsPort = FreePorts.next();
    private final int dnsManagement = FreePorts.next();
    private final List<Process> running = new ArrayList<>();
    private final Thread atExit = new Thread(this::stop, "pebble-stop");

    private Pebble(Options options) throws IOException {
        this.options = options;
        this.certificate = Certificate.selfSigned(options.name);
        this.folder = Files.createTempDirectory("millau-pebble");
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    /** The options of a CA. */
    public static final class Options {
        private String address = "127.0.0.1";
        private String name = "localhost";
        private int httpPort = FreePorts.next();
        private int tlsPort = FreePorts.next();
        private int dnsServer;
        private Duration life = Duration.ofDays(90);
        private @Nullable String kid;
        private @Nullable String hmac;

        private Options() {}

        /** The address and the host name of its directory; by default 127.0.0.1 and localhost. */
        public Options at(String address, String name) {
            this.address = address;
            this.name = name;
            return this;
        }

        /** The port for HTTP challenges; by default a free port. */
        public Options httpPort(int port) {
            this.httpPort = port;
            return this;
        }

        /** The port for TLS challenges; by default a free port. */
        public Options tlsPort(int port) {
            this.tlsPort = port;
            return this;
        }

        /** The port of another DNS server, on 127.0.0.1, that it asks for everything. */
        public Options dnsServer(int port) {
            this.dnsServer = port;
            return this;
        }

        /** The lifetime of its certificates; by default 90 days. */
        public Options life(Duration life) {
            this.life = life;
            return this;
        }

        /** Requires this external account for new accounts. */
        public Options externalAccount(String kid, String hmac) {
            this.kid = kid;
            this.hmac = hmac;
            return this;
        }

        /** Starts it, and waits until it responds. */
        public Pebble start() {
            try {
                Pebble pebble = new Pebble(this);
                pebble.startAgain();
                return pebble;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Options for a CA; {@link Options#start} starts it. */
    public static Options with() {
        return new Options();
    }

    /** Starts a CA with the default options, and waits until it responds. */
    public static Pebble start() {
        return with().start();
    }

    /** The URL of its directory. */
    public URI directory() {
        return URI.create("https://" + options.name + ":" + port + "/dir");
    }

    /** The CA of its directory's certificate. */
    public List<X509Certificate> trusted() {
        return certificate.chain();
    }

    /** The port where its DNS server is told, over HTTP, which records it has. */
    public int dnsManagement() {
        return dnsManagement;
    }

    /** The port for HTTP challenges. */
    public int httpPort() {
        return options.httpPort;
    }

    /** The port for TLS challenges. */
    public int tlsPort() {
        return options.tlsPort;
    }

    /** The number of certificates that it has issued since its start. */
    public long issued() {
        return logged("Issued certificate serial");
    }

    /** The number of orders since its start. */
    public long ordered() {
        return logged("Added order ");
    }

    private long logged(String text) {
        try {
            return Pattern.compile(text)
                    .matcher(Files.readString(log()))
                    .results()
                    .count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path log() {
        return folder.resolve("pebble.log");
    }

    /** Starts it after {@link #stop} on the same ports, and waits until it responds. */
    public void startAgain() {
        if (!running.isEmpty()) {
            return;
        }
        try {
            Path config = write("config.json", config());
            begin(
                    DNS,
                    "-dns01",
                    "127.0.0.1:" + dnsPort,
                    "-defaultIPv6",
                    "",
                    "-http01",
                    "",
                    "-https01",
                    "",
                    "-tlsalpn01",
                    "",
                    "-management",
                    "127.0.0.1:" + dnsManagement);
            begin(
                    PEBBLE,
                    "-config",
                    config.toString(),
                    "-dnsserver",
                    "127.0.0.1:" + (options.dnsServer == 0 ? dnsPort : options.dnsServer));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        await("pebble").atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).until(this::responds);
    }

    private String config() throws IOException {
        return String.format(
                "{\"pebble\": {\"listenAddress\": \"%s:%d\", \"managementListenAddress\": \"127.0.0.1:%d\","
                        + " \"certificate\": \"%s\", \"privateKey\": \"%s\", \"httpPort\": %d, \"tlsPort\": %d,"
                        + " \"certificateValidityPeriod\": %d, \"ocspResponderURL\": \"\"%s}}",
                options.address,
                port,
                FreePorts.next(),
                write("certificate.pem", Pem.text(certificate.chain())),
                write("key.pem", Pem.text(certificate.key())),
                options.httpPort,
                options.tlsPort,
                options.life.toSeconds(),
                externalAccount());
    }

    private String externalAccount() {
        return options.kid == null
                ? ""
                : String.format(
                        ", \"externalAccountBindingRequired\": true, \"externalAccountMACKeys\": {\"%s\": \"%s\"}",
                        options.kid, options.hmac);
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    private void begin(String... command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        File log = command[0].equals(PEBBLE)
                ? log().toFile()
                : folder.resolve("dns.log").toFile();
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log));
        builder.environment().put("PEBBLE_VA_NOSLEEP", "1");
        builder.environment().put("PEBBLE_WFE_NONCEREJECT", "20");
        builder.environment().put("PEBBLE_AUTHZREUSE", "0");
        running.add(builder.start());
    }

    private boolean responds() throws IOException {
        if (!running.stream().allMatch(Process::isAlive)) {
            throw new AssertionError("pebble has ended: " + Files.readString(log()));
        }
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(options.address, port), 1000);
            return true;
        } catch (IOException e) {
            return false; // not yet
        }
    }

    /** Makes it hang: it accepts connections but does not respond. */
    public void freeze() {
        signal("STOP");
    }

    /** Ends {@link #freeze}. */
    public void thaw() {
        signal("CONT");
    }

    private void signal(String name) {
        try {
            for (Process process : running) {
                new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))
                        .start()
                        .waitFor();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Stops it; its data is lost. */
    public void stop() {
        running.forEach(Process::destroyForcibly);
        for (Process process : running) {
            try {
                process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        running.clear();
    }

    @Override
    public void close() {
        stop();
        Runtime.getRuntime().removeShutdownHook(atExit);
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Its directory and the ports for challenges. */
    @Override
    public String toString() {
        return directory() + " (http-01 at " + httpPort() + ", tls-alpn-01 at " + tlsPort() + ")";
    }
}
