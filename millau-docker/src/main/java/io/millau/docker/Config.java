package io.millau.docker;

import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;

/**
 * A Swarm config that belongs to the store. Immutable.
 *
 * @param name of the value or lock, from a label
 * @param version the end of the config's own name; 0 for a lock
 * @param lease how long a lock lasts from its creation
 */
record Config(String id, String name, Kind kind, long version, Instant created, Duration lease, byte[] data) {

    static final String NAME = "io.millau.store";
    static final String KIND = "io.millau.kind";
    static final String LEASE = "io.millau.lease";

    enum Kind {
        VALUE,
        LOCK,
        /** A value that was set aside. */
        DAMAGED,
        /** Not a config of the store. */
        OTHER;

        /** The label's value. */
        String label() {
            return name().toLowerCase(Locale.ROOT);
        }

        private static Kind of(String label) {
            for (Kind kind : values()) {
                if (kind.label().equals(label)) {
                    return kind;
                }
            }
            return OTHER;
        }
    }

    static Config of(Json json) {
        Json spec = json.path("Spec");
        Map<String, String> labels = spec.path("Labels").strings();
        String configName = spec.text("Name");
        return new Config(
                json.text("ID"),
                labels.getOrDefault(NAME, ""),
                Kind.of(labels.getOrDefault(KIND, "")),
                number(configName.substring(configName.lastIndexOf('-') + 1)),
                Instant.parse(json.text("CreatedAt")),
                Duration.ofMillis(number(labels.getOrDefault(LEASE, ""))),
                Base64.getDecoder().decode(spec.path("Data").asText()));
    }

    private static long number(String text) {
        return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : 0;
    }

    /** Whether a lock has expired. */
    boolean isOver(Instant now) {
        return !now.isBefore(created.plus(lease));
    }
}
