package io.millau.acme;

import static org.awaitility.Awaitility.await;

import io.millau.core.testing.FreePorts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.SimpleResolver;
import org.xbill.DNS.Type;

/** A name server: Debian's bind9. Its zones may be changed with the key {@link #KEY}. */
final class Bind implements AutoCloseable {

    static final String NAMED = "named";
    static final String KEY = "millau-key";
    static final String SECRET = "bWlsbGF1IG1pbGxhdSBtaWxsYXUgbWlsbGF1IG1pbGxhdQ==";

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** The last line of its start. It says sooner what it is "running on". */
    private static final Pattern RUNS = Pattern.compile(" running$", Pattern.MULTILINE);

    private final Path folder;
    private final int port;
    private final String zones;
    private Process process;

    private Bind(Path folder, int port, String zones) throws IOException {
        this.folder = folder;
        this.port = port;
        this.zones = zones;
        start();
    }

    /**
     * Starts one that is the primary server of zones.
     *
     * @param folder an empty one
     * @param records of each zone, besides SOA and NS
     */
    static Bind primary(Path folder, int secondary, String records, String... zones) throws IOException {
        StringBuilder config = new StringBuilder();
        for (String zone : zones) {
            Files.createDirectories(folder);
            Files.writeString(
                    folder.resolve(zone),
                    "$TTL 1\n@ SOA ns.invalid. root.invalid. 1 3600 600 86400 1\n@ NS localhost.\n" + records);
            String notify = secondary == 0 ? "no" : "explicit; also-notify { 127.0.0.1 port " + secondary + "; }";
            config.append("zone \"" + zone + "\" { type primary; file \"" + zone + "\"; update-policy { deny " + KEY
                    + " name _acme-challenge.denied." + zone + " TXT; grant " + KEY + " zonesub TXT; }; notify "
                    + notify + "; };\n");
        }
        return new Bind(folder, FreePorts.next(), config.toString());
    }

    /** Starts one that gets a zone from its primary server. */
    static Bind secondary(Path folder, int port, Bind primary, String zone) throws IOException {
        Files.createDirectories(folder);
        return new Bind(
                folder,
                port,
                "zone \"" + zone + "\" { type secondary; file \"" + zone + "\"; primaries { 127.0.0.1 port "
                        + primary.port + "; }; };\n");
    }

    int port() {
        return port;
    }

    void start() throws IOException {
        Path config = Files.writeString(
                folder.resolve("named.conf"),
                "options { directory \"" + folder + "\"; listen-on port " + port
                        + " { 127.0.0.1; }; listen-on-v6 { none; }; pid-file none; session-keyfile none; recursion no;"
                        + " dnssec-validation no; notify-delay 0; startup-notify-rate 1000; };\n"
                        + "controls { };\nkey \"" + KEY + "\" { algorithm hmac-sha256; secret \"" + SECRET + "\"; };\n"
                        + zones);
        Path log = Files.writeString(folder.resolve("named.log"), "");
        process = new ProcessBuilder(NAMED, "-g", "-n", "1", "-c", config.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        await("named").atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).until(() -> {
            if (!process.isAlive()) {
                throw new AssertionError("named has ended: " + Files.readString(log));
            }
            return RUNS.matcher(Files.readString(log)).find();
        });
    }

    /** The values of the TXT records of a name. */
    List<String> texts(String name) throws IOException {
        SimpleResolver resolver = new SimpleResolver(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        resolver.setTCP(true);
        Message response = resolver.send(
                Message.newQuery(Record.newRecord(Name.fromString(name, Name.root), Type.TXT, DClass.IN)));
        return response.getSection(Section.ANSWER).stream()
                .filter(record -> record.getType() == Type.TXT)
                .map(Record::rdataToString)
                .collect(Collectors.toList());
    }

    @Override
    public void close() {
        process.destroyForcibly();
        await().atMost(PATIENCE).until(() -> !process.isAlive());
    }
}
