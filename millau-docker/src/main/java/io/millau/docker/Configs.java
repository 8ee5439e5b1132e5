package io.millau.docker;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Base64;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads and writes the store's configs in a Swarm. Configs are deleted by id, so that no replica deletes what another
 * has created in the meantime. For one thread.
 */
final class Configs {

    private static final int CONFLICT = 409;
    private static final int NOT_FOUND = 404;

    /** In bytes; a config's name may have 64 characters. */
    private static final int HASH = 16;

    private final DockerApi api;

    Configs(DockerApi api) {
        this.api = api;
    }

    /** The configs of a name, of every kind. */
    List<Config> of(String name) throws IOException, InterruptedException {
        return list(Config.NAME + "=" + name).stream()
                .filter(config -> config.name().equals(name))
                .toList();
    }

    /** The names of all values, sorted. */
    List<String> names() throws IOException, InterruptedException {
        return list(Config.KIND + "=" + Config.Kind.VALUE.label()).stream()
                .filter(config -> config.kind() == Config.Kind.VALUE)
                .map(Config::name)
                .distinct()
                .sorted()
                .toList();
    }

    private List<Config> list(String label) throws IOException, InterruptedException {
        return api.list(DockerApi.filtered("/configs", Map.of("label", List.of(label))), Fields.ALL, Config::of);
    }

    /**
     * Creates a version of a value.
     *
     * @return false if this version exists already
     */
    boolean create(String name, Config.Kind kind, long version, byte[] data) throws IOException, InterruptedException {
        return create(name, kind, String.valueOf(version), Duration.ZERO, data).isPresent();
    }

    /**
     * Creates a lock.
     *
     * @return its id; empty if the lock is held
     */
    Optional<String> createLock(String name, Duration lease) throws IOException, InterruptedException {
        // A config must have data.
        return create(name, Config.Kind.LOCK, Config.Kind.LOCK.label(), lease, new byte[1]);
    }

    private Optional<String> create(String name, Config.Kind kind, String end, Duration lease, byte[] data)
            throws IOException, InterruptedException {
        byte[] spec = spec("millau-" + hash(name) + "-" + end, labels(name, kind, lease), data);
        try {
            return Optional.of(api.post("/configs/create", spec).text("ID"));
        } catch (DockerApi.ErrorResponse e) {
            if (e.status() == CONFLICT) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static Map<String, String> labels(String name, Config.Kind kind, Duration lease) {
        return Map.of(Config.NAME, name, Config.KIND, kind.label(), Config.LEASE, String.valueOf(lease.toMillis()));
    }

    private static byte[] spec(String configName, Map<String, String> labels, byte[] data) throws IOException {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try (JsonGenerator generator = Json.FACTORY.createGenerator(json)) {
            generator.writeStartObject();
            generator.writeStringField("Name", configName);
            generator.writeObjectFieldStart("Labels");
            for (Map.Entry<String, String> label : labels.entrySet()) {
                generator.writeStringField(label.getKey(), label.getValue());
            }
            generator.writeEndObject();
            generator.writeStringField("Data", Base64.getEncoder().encodeToString(data));
            generator.writeEndObject();
        }
        return json.toByteArray();
    }

    private static String hash(String name) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, HASH);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** Deletes configs in the given order. Those that are gone already are ignored. */
    void delete(Collection<Config> configs) throws IOException, InterruptedException {
        for (Config config : configs) {
            delete(config.id());
        }
    }

    void delete(String id) throws IOException, InterruptedException {
        try {
            api.delete("/configs/" + id);
        } catch (DockerApi.ErrorResponse e) {
            if (e.status() != NOT_FOUND) {
                throw e;
            }
        }
    }
}
