package io.millau.server;

import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The environment of the standalone server, read and checked.
 *
 * @param http {@code HTTP}
 * @param telemetry {@code TELEMETRY}
 * @param drain {@code DRAIN}
 * @param logging {@code LOGGING}
 * @param services {@code SERVICES}
 * @param dockerHost {@code DOCKER_HOST}
 * @param dockerCertificates {@code DOCKER_CERT_PATH}, if {@code DOCKER_TLS_VERIFY} is set
 * @param withoutEffect variables that are set but have no effect in this version
 */
record Configuration(
        InetSocketAddress http,
        InetSocketAddress telemetry,
        Duration drain,
        Level logging,
        @Nullable Path services,
        @Nullable String dockerHost,
        @Nullable Path dockerCertificates,
        List<String> withoutEffect) {

    /** What is logged; FATAL alone is what ends the process, and that is always printed. */
    enum Level {
        FATAL,
        ERROR,
        WARN,
        INFO,
        DEBUG
    }

    /** A setting is wrong; the message names the variable, its value and what was expected. */
    static final class WrongException extends Exception {
        private static final long serialVersionUID = 1;

        WrongException(String variable, String value, @Nullable String expected) {
            super(variable + "=" + value + ": " + expected);
        }
    }

    /** @param httpByDefault where to listen if {@code HTTP} says nothing */
    static Configuration read(Map<String, String> environment, String httpByDefault) throws WrongException {
        Environment variables = new Environment(environment);
        boolean dockerTls = !variables.text("DOCKER_TLS_VERIFY", "").isEmpty();
        return new Configuration(
                variables.read("HTTP", httpByDefault, ListenAddress::parse),
                variables.read("TELEMETRY", ":9100", ListenAddress::parse),
                variables.read("DRAIN", "0", Configuration::seconds),
                variables.read("LOGGING", "INFO", Configuration::level),
                variables.readOptional("SERVICES", Configuration::readableFile),
                variables.readOptional("DOCKER_HOST", Function.identity()),
                dockerTls ? variables.readOptional("DOCKER_CERT_PATH", Path::of) : null,
                variables.set("HTTPS", "ACME"));
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

    private static Path readableFile(String text) {
        Path file = Path.of(text);
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            throw new IllegalArgumentException("expected a properties file that can be read");
        }
        return file;
    }

    /** Variables, where an empty one is as good as none. */
    private record Environment(Map<String, String> variables) {

        String text(String name, String byDefault) {
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

        List<String> set(String... names) {
            return List.of(names).stream()
                    .filter(name -> !text(name, "").isEmpty() && !text(name, "").equals("off"))
                    .toList();
        }
    }
}
