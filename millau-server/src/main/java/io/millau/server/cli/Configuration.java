package io.millau.server.cli;

import io.millau.acme.DnsChallenge;
import io.millau.core.internal.AddressRanges;
import io.millau.core.internal.Pem;
import io.millau.core.internal.Words;
import io.millau.server.internal.text.ListenAddress;
import io.millau.server.internal.text.Trust;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of the standalone server from environment variables. Immutable.
 *
 * @param http {@code HTTP}
 * @param https {@code HTTPS}; null if it is off
 * @param redirectToHttps {@code REDIRECT}
 * @param httpsPort {@code HTTPS_PORT}; null if it is not set
 * @param trust {@code TRUSTED} and {@code PROXY_PROTOCOL}
 * @param certificates {@code CERTS}
 * @param acme {@code ACME} and the variables that start with it; null if it is off
 * @param store {@code STORE} and the variables that start with it
 * @param telemetry {@code TELEMETRY}
 * @param telemetryHosts {@code TELEMETRY_HOSTS}
 * @param drain {@code DRAIN}
 * @param logging {@code LOGGING}
 * @param accessLog {@code ACCESS_LOG}
 * @param services {@code SERVICES}
 * @param dockerHost {@code DOCKER_HOST}
 * @param dockerLabel {@code DOCKER_LABEL}
 * @param dockerCertificates {@code DOCKER_CERT_PATH}, if {@code DOCKER_TLS_VERIFY} is set
 * @param misspelled variables that are probably misspelled, with what they should be
 */
record Configuration(
        InetSocketAddress http,
        @Nullable InetSocketAddress https,
        boolean redirectToHttps,
        @Nullable Integer httpsPort,
        Trust trust,
        @Nullable Path certificates,
        @Nullable Acme acme,
        StorePlace store,
        InetSocketAddress telemetry,
        List<String> telemetryHosts,
        Duration drain,
        Level logging,
        AccessLogFormat accessLog,
        @Nullable Path services,
        @Nullable String dockerHost,
        @Nullable String dockerLabel,
        @Nullable Path dockerCertificates,
        Map<String, String> misspelled) {

    /** The settings of ACME. */
    record Acme(
            List<URI> directories,
            @Nullable String email,
            @Nullable String keyId,
            @Nullable String hmac,
            List<X509Certificate> ca,
            @Nullable DnsChallenge dns) {}

    /**
     * Where certificates are kept.
     *
     * @param data {@code DATA}: the folder
     * @param key {@code STORE_KEY_FILE}: for Swarm's store; null for the folder
     * @param dockerHost {@code STORE_DOCKER_HOST}: the engine of Swarm's store
     */
    record StorePlace(
            Path data, byte @Nullable [] key, @Nullable String dockerHost) {}

    /** In characters, of those that are expected in a file. */
    private static final int SHORTEST_SECRET = 32;

    private static final String LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";

    private static final Set<String> LISTEN = Set.of("HTTP", "HTTPS", "TELEMETRY");

    /** Variables that name a file or folder which has to be there. */
    private static final Set<String> OF_FILES = Set.of("CERTS", "SERVICES", "ACME_CA", "STORE_KEY_FILE");

    /** Log levels. FATAL messages end the process and are always printed. */
    enum Level {
        FATAL,
        ERROR,
        WARN,
        INFO,
        DEBUG
    }

    /** The format of the access log. */
    enum AccessLogFormat {
        OFF,
        JSON,
        COMBINED
    }

    /** A variable is invalid. The message names it, its value and what was expected. */
    static final class WrongException extends Exception {
        private static final long serialVersionUID = 1;

        private final String variable;
        private final @Nullable String expected;

        WrongException(String variable, String value, @Nullable String expected) {
            super(variable + "=" + value + ": " + expected);
            this.variable = variable;
            this.expected = expected;
        }

        String variable() {
            return variable;
        }

        @Nullable
        String expected() {
            return expected;
        }
    }

    /** The default listen addresses. */
    record Addresses(String http, String https, String telemetry) {
        static final Addresses USUAL = new Addresses(":80", ":443", ":9100");
        static final Addresses DEMO = new Addresses(":8080", "off", "127.0.0.1:0");
    }

    /** Reads and checks the variables. */
    static Configuration read(Map<String, String> environment, Addresses byDefault) throws WrongException {
        Environment variables = new Environment(environment);
        boolean dockerTls = !variables.text("DOCKER_TLS_VERIFY", "").isEmpty();
        return new Configuration(
                variables.read("HTTP", byDefault.http(), ListenAddress::parse),
                variables.isOff("HTTPS", byDefault.https())
                        ? null
                        : variables.read("HTTPS", byDefault.https(), Configuration::addressOrOff),
                variables.readOptional("REDIRECT", Configuration::redirect) != null,
                variables.readOptional("HTTPS_PORT", Configuration::port),
                new Trust(
                        variables.read("TRUSTED", "", AddressRanges::parse),
                        variables.read("PROXY_PROTOCOL", "", AddressRanges::parse)),
                variables.readOptional("CERTS", Configuration::folder),
                acme(variables),
                store(variables),
                variables.read("TELEMETRY", byDefault.telemetry(), ListenAddress::parse),
                variables.read("TELEMETRY_HOSTS", "", Configuration::hostNames),
                variables.read("DRAIN", "0", Configuration::seconds),
                logging(environment),
                variables.read("ACCESS_LOG", "off", Configuration::accessLog),
                variables.readOptional("SERVICES", Configuration::services),
                variables.readOptional("DOCKER_HOST", Function.identity()),
                variables.readOptional("DOCKER_LABEL", Function.identity()),
                dockerTls ? variables.readOptional("DOCKER_CERT_PATH", Path::of) : null,
                variables.misspelled());
    }

    /**
     * What is wrong with one variable of a proxy elsewhere, by itself; null if nothing is. Files and hosts that it names are of
     * that other machine or container.
     */
    static @Nullable String mistake(String variable, String value) {
        if (OF_FILES.contains(variable) || LISTEN.contains(variable) && ListenAddress.hasName(value)) {
            return null;
        }
        try {
            String meant =
                    read(Map.of(variable, value), Addresses.USUAL).misspelled.get(variable);
            return meant == null ? null : variable + ": unknown, did you mean " + meant + "?";
        } catch (WrongException e) {
            return e.variable().equals(variable) ? e.getMessage() : null; // another one may be beside it
        }
    }

    /** Reads {@code LOGGING} alone. */
    static Level logging(Map<String, String> environment) throws WrongException {
        Environment variables = new Environment(environment);
        return variables.read("LOGGING", "INFO", Configuration::level);
    }

    private static @Nullable Acme acme(Environment variables) throws WrongException {
        if (variables.isOff("ACME", LETS_ENCRYPT)) {
            return null;
        }
        String keyId = variables.readOptional("ACME_EAB_KID", Function.identity());
        String hmac = variables.readSecret("ACME_EAB_HMAC", Configuration::base64Url);
        if ((keyId == null) != (hmac == null)) {
            throw new WrongException(
                    keyId == null ? "ACME_EAB_KID" : "ACME_EAB_HMAC",
                    "",
                    "expected beside " + (keyId == null ? "ACME_EAB_HMAC" : "ACME_EAB_KID"));
        }
        List<X509Certificate> ca = variables.readOptional("ACME_CA", Configuration::certificates);
        return new Acme(
                variables.read("ACME", LETS_ENCRYPT, Configuration::directories),
                variables.readOptional("ACME_EMAIL", Configuration::email),
                keyId,
                hmac,
                ca == null ? List.of() : ca,
                variables.readSecret("ACME_DNS", DnsChallenge::parse));
    }

    private static StorePlace store(Environment variables) throws WrongException {
        boolean swarm = variables.read("STORE", "file", Configuration::isSwarm);
        byte[] key = variables.readSecretFile("STORE_KEY_FILE", Configuration::content);
        if (swarm && key == null) {
            throw new WrongException(
                    "STORE_KEY_FILE",
                    "",
                    "expected a file with a secret of at least 32 characters, made by openssl rand -base64 32 for"
                            + " instance, since STORE=swarm keeps private keys encrypted");
        }
        return new StorePlace(
                variables.read("DATA", "data", Path::of),
                swarm ? key : null,
                variables.readOptional("STORE_DOCKER_HOST", Function.identity()));
    }

    private static boolean isSwarm(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "file" -> false;
            case "swarm" -> true;
            default -> throw new IllegalArgumentException("expected file or swarm");
        };
    }

    private static InetSocketAddress addressOrOff(String text) {
        try {
            return ListenAddress.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(e.getMessage() + ", or off", e);
        }
    }

    private static boolean redirect(String text) {
        if (!text.equalsIgnoreCase("https")) {
            throw new IllegalArgumentException("expected https");
        }
        return true;
    }

    private static int port(String text) {
        if (!text.matches("[1-9][0-9]{0,4}") || Integer.parseInt(text) > 65_535) {
            throw new IllegalArgumentException("expected a port from 1 to 65535");
        }
        return Integer.parseInt(text);
    }

    private static List<URI> directories(String text) {
        List<URI> all = new ArrayList<>();
        for (String url : text.split("\\s+")) {
            if (!url.matches("https://[^/\\s]+(/\\S*)?")) {
                throw new IllegalArgumentException(
                        "expected URLs of ACME directories, https://acme.example/directory for instance, or off");
            }
            all.add(URI.create(url));
        }
        return all;
    }

    private static String email(String text) {
        if (!text.matches("[^\\s@,?]+@[^\\s@,?]+")) {
            throw new IllegalArgumentException("expected an address like hostmaster@shop.example");
        }
        return text;
    }

    private static String base64Url(String text) {
        if (!text.matches("[A-Za-z0-9_-]+=*")) {
            throw new IllegalArgumentException("expected the key in base64url, as the authority shows it");
        }
        return text;
    }

    private static List<X509Certificate> certificates(String file) {
        return Pem.certificates(new String(content(file), StandardCharsets.ISO_8859_1));
    }

    private static byte[] content(String file) {
        try {
            return Files.readAllBytes(Path.of(file));
        } catch (IOException e) {
            throw new IllegalArgumentException("expected a file that can be read (" + Words.reason(e) + ")", e);
        }
    }

    private static Path folder(String text) {
        Path folder = Path.of(text);
        if (!Files.isDirectory(folder) || !Files.isReadable(folder)) {
            throw new IllegalArgumentException("expected a folder that can be read, with NAME.crt and NAME.key");
        }
        return folder;
    }

    private static List<String> hostNames(String text) {
        List<String> names = text.isEmpty() ? List.of() : List.of(text.split("[\\s,]+"));
        for (String name : names) {
            if (!name.matches("[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*")) {
                throw new IllegalArgumentException("expected host names, separated by blanks");
            }
        }
        return names;
    }

    private static Duration seconds(String text) {
        if (!text.matches("[0-9]{1,4}")) {
            throw new IllegalArgumentException("expected seconds, 0 to 9999");
        }
        return Duration.ofSeconds(Integer.parseInt(text));
    }

    private static Level level(String text) {
        try {
            return Level.valueOf(text.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("expected FATAL, ERROR, WARN, INFO or DEBUG", e);
        }
    }

    private static AccessLogFormat accessLog(String text) {
        try {
            return AccessLogFormat.valueOf(text.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("expected off, json or combined", e);
        }
    }

    private static Path services(String text) {
        Path services = Path.of(text);
        boolean isThere = Files.isRegularFile(services) || Files.isDirectory(services);
        if (!isThere || !Files.isReadable(services)) {
            throw new IllegalArgumentException("expected a properties file, or a folder of them, that can be read");
        }
        return services;
    }

    /** Variables; an empty one counts as unset. */
    private static final class Environment {
        private final Map<String, String> variables;

        /** The names that were asked for, in lower case, and those that are asked for elsewhere or only beside others. */
        private final Set<String> known = new LinkedHashSet<>(List.of(
                "logging",
                "license",
                "docker_cert_path",
                "acme_email",
                "acme_eab_kid",
                "acme_eab_hmac",
                "acme_ca",
                "acme_dns"));

        Environment(Map<String, String> variables) {
            this.variables = variables;
        }

        /** Variables that nobody asked for, with the names that they nearly have. To be called last. */
        Map<String, String> misspelled() {
            Map<String, String> misspelled = new TreeMap<>();
            for (String name : variables.keySet()) {
                if (isOurForm(name) && !known.contains(name.toLowerCase(Locale.ROOT))) {
                    String nearest = name.equals("HTTP_PORT") ? "http" : Words.nearest(name, known);
                    if (nearest != null) {
                        misspelled.put(name, nearest.toUpperCase(Locale.ROOT));
                    }
                }
            }
            return misspelled;
        }

        /** Whether it could be one of ours: HTTP_PROXY and its like are for other programs. */
        private static boolean isOurForm(String name) {
            return !name.endsWith("_PROXY")
                    && name.chars().allMatch(c -> c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_');
        }

        String text(String name, String byDefault) {
            known.add(name.toLowerCase(Locale.ROOT));
            String value = variables.getOrDefault(name, "").strip();
            return value.isEmpty() ? byDefault : value;
        }

        <T> T read(String name, String byDefault, Function<String, T> reader) throws WrongException {
            String value = text(name, byDefault);
            try {
                return reader.apply(value);
            } catch (IllegalArgumentException e) {
                throw new WrongException(name, value, e.getMessage());
            }
        }

        <T> @Nullable T readOptional(String name, Function<String, T> reader) throws WrongException {
            return text(name, "").isEmpty() ? null : read(name, "", reader);
        }

        /** Reads a variable whose value must not be in a message. */
        <T> @Nullable T readSecret(String name, Function<String, T> reader) throws WrongException {
            try {
                return readOptional(name, reader);
            } catch (WrongException e) {
                throw new WrongException(name, "…", e.expected());
            }
        }

        /** Reads a variable that names a file with a secret. Somebody may have put the secret itself there. */
        <T> @Nullable T readSecretFile(String name, Function<String, T> reader) throws WrongException {
            try {
                return readOptional(name, reader);
            } catch (WrongException e) {
                if (text(name, "").length() < SHORTEST_SECRET) {
                    throw e;
                }
                throw new WrongException(name, "…", "expected the path of a file that can be read");
            }
        }

        boolean isOff(String name, String byDefault) {
            return text(name, byDefault).equalsIgnoreCase("off");
        }
    }
}
