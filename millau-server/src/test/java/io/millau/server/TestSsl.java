package io.millau.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millau.core.internal.Pem;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What testssl.sh finds about a server: all standard checks and cipher suites, but no simulated clients. Immutable. */
public final class TestSsl {

    static final String COMMAND = "testssl";

    private static final Duration PATIENCE = Duration.ofMinutes(4);

    private static final List<String> CHECKS = List.of(
            "--protocols",
            "--standard",
            "--fs",
            "--cipher-per-proto",
            "--server-preference",
            "--server-defaults",
            "--headers",
            "--vulnerable");

    private static final Map<String, String> PROTOCOLS = Map.of(
            "SSLv2", "SSL 2", "SSLv3", "SSL 3", "TLS1", "TLS 1.0", "TLS1_1", "TLS 1.1", "TLS1_2", "TLS 1.2", "TLS1_3",
            "TLS 1.3");

    private static final Set<String> VULNERABILITIES = Set.of(
            "heartbleed",
            "CCS",
            "ticketbleed",
            "ROBOT",
            "secure_renego",
            "secure_client_renego",
            "CRIME_TLS",
            "BREACH",
            "POODLE_SSL",
            "fallback_SCSV",
            "SWEET32",
            "FREAK",
            "DROWN",
            "LOGJAM",
            "BEAST",
            "LUCKY13",
            "RC4");

    private final List<Finding> findings;

    private TestSsl(List<Finding> findings) {
        this.findings = findings;
    }

    /**
     * One finding.
     *
     * @param id the check, without the number of the certificate
     * @param severity {@code OK}, {@code INFO}, {@code LOW}, {@code MEDIUM}, {@code HIGH}, {@code CRITICAL}, or {@code WARN}
     *     and {@code FATAL} if the check could not run
     */
    public record Finding(String id, String severity, String text) {

        boolean isOffered() {
            return text.startsWith("offered");
        }

        private static Finding of(JsonNode json) {
            return new Finding(
                    json.path("id").asText().replaceFirst(" <.*", ""),
                    json.path("severity").asText(),
                    json.path("finding").asText());
        }
    }

    /**
     * Checks a server on this machine.
     *
     * @param root the CA of its certificates
     */
    public static TestSsl of(String name, int port, X509Certificate root) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("testssl-");
        try {
            Path ca = Files.writeString(folder.resolve("root.pem"), Pem.text(List.of(root)));
            Path findings = folder.resolve("findings.json");
            String said = run(command(name + ":" + port, ca, findings), folder.resolve("output"));
            return new TestSsl(read(findings, said));
        } finally {
            try (Stream<Path> files = Files.list(folder)) {
                files.map(Path::toFile).forEach(File::delete);
            }
            Files.delete(folder);
        }
    }

    private static List<String> command(String target, Path ca, Path findings) {
        List<String> command = new ArrayList<>(List.of(
                COMMAND, "--quiet", "--color=0", "--warnings=off", "--ip=127.0.0.1", "--nodns=none", "--add-ca=" + ca));
        command.add("--jsonfile=" + findings);
        command.addAll(CHECKS);
        command.add(target);
        return command;
    }

    private static String run(List<String> command, Path output) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(new File("/dev/null"))
                .redirectOutput(output.toFile())
                .start();
        if (!process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
            throw new AssertionError(
                    "testssl.sh hasn't ended within " + PATIENCE + ", after it said\n" + Files.readString(output));
        }
        return Files.readString(output);
    }

    private static List<Finding> read(Path json, String said) throws IOException {
        List<Finding> findings = new ArrayList<>();
        if (Files.exists(json)) {
            new ObjectMapper().readTree(json.toFile()).forEach(node -> findings.add(Finding.of(node)));
        }
        // Its last finding. Without it, checks that did not run would count as passed.
        if (findings.stream().noneMatch(finding -> finding.id.equals("scanTime"))) {
            throw new AssertionError("testssl.sh did not finish:\n" + said);
        }
        return findings;
    }

    /** All findings. */
    public List<Finding> findings() {
        return findings;
    }

    /** A finding that must exist. */
    public Finding finding(String id) {
        return findings.stream()
                .filter(finding -> finding.id.equals(id))
                .findFirst()
                .orElseThrow(() -> new AssertionError("testssl.sh has no finding " + id + ": " + findings));
    }

    /** The offered versions of TLS and SSL. */
    public Set<String> protocols() {
        return PROTOCOLS.entrySet().stream()
                .filter(protocol -> finding(protocol.getKey()).isOffered())
                .map(Map.Entry::getValue)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** The offered cipher suites by protocol, with their IANA names. */
    public Map<String, Set<String>> suites() {
        Map<String, Set<String>> suites = new TreeMap<>();
        for (Finding finding : findings) {
            if (finding.id.startsWith("cipher-")) {
                String protocol = PROTOCOLS.getOrDefault(protocolOf(finding), protocolOf(finding));
                suites.computeIfAbsent(protocol, key -> new TreeSet<>()).add(last(finding.text));
            }
        }
        return suites;
    }

    /** The protocol in an id like {@code cipher-tls1_2_xc02b}. */
    private static String protocolOf(Finding suite) {
        return suite.id.substring("cipher-".length(), suite.id.lastIndexOf('_')).replace("tls", "TLS");
    }

    private static String last(String text) {
        return text.substring(text.strip().lastIndexOf(' ') + 1).strip();
    }

    /** How many cipher suites have forward secrecy. */
    public int forwardSecret() {
        return finding("PFS_ciphers").text.strip().split(" +").length;
    }

    /** The findings about known attacks. */
    public List<Finding> vulnerabilities() {
        return VULNERABILITIES.stream().sorted().map(this::finding).toList();
    }

    /** The number of findings by severity. */
    Map<String, Long> severities() {
        return findings.stream().collect(Collectors.groupingBy(Finding::severity, TreeMap::new, Collectors.counting()));
    }

    /** A summary of ten lines for a log. */
    public String summary() {
        List<String> lines = new ArrayList<>();
        lines.add("protocols          " + String.join(", ", protocols()));
        suites().forEach((protocol, names) -> lines.add(protocol + " suites     " + String.join(" ", names)));
        lines.add("forward secrecy    " + forwardSecret() + " suites, curves " + finding("PFS_ECDHE_curves").text);
        lines.add("ALPN               " + finding("ALPN_HTTP2").text + ", " + finding("ALPN").text);
        lines.add("resumption         tickets " + finding("sessionresumption_ticket").text + ", IDs "
                + finding("sessionresumption_ID").text);
        lines.add("HSTS               " + finding("HSTS_time").text);
        long sound = vulnerabilities().stream()
                .filter(finding -> finding.severity.equals("OK"))
                .count();
        lines.add("vulnerabilities    not vulnerable to " + sound + " of " + VULNERABILITIES.size());
        findings.stream()
                .filter(finding -> finding.id.equals("overall_grade")) // not before testssl.sh 3.2
                .forEach(finding -> lines.add("grade              " + finding.text));
        lines.add("findings           " + severities());
        return lines.stream().map(line -> "  " + line).collect(Collectors.joining("\n"));
    }

    @Override
    public String toString() {
        return findings.toString();
    }
}
