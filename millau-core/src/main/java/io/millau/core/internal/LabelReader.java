package io.millau.core.internal;

import io.millau.core.Problem;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the labels of a source's services, batch after batch, and remembers the last valid settings of each: if a value
 * is invalid, its service keeps its previous settings. For one thread.
 */
public final class LabelReader {

    private final Map<String, Settings> lastGood = new HashMap<>();

    /** The last readings: most services don't change, and certificates are slow to parse. */
    private final Map<String, Text> texts = new HashMap<>();

    private record Text(Map<String, String> labels, Collection<Integer> exposedPorts, Vocabulary.Reading reading) {}

    /** A reader without remembered settings. */
    public LabelReader() {}

    /** Starts to read all services of the source. */
    public Batch batch() {
        return new Batch();
    }

    /** All services of a source at one moment. Call {@link #read} or {@link #accept} for each, then {@link #finish}. */
    public final class Batch {
        private final Set<String> seen = new HashSet<>();
        private final List<Problem> problems = new ArrayList<>();

        private Batch() {}

        /**
         * Reads the settings of a service.
         *
         * @param id unique in this source
         * @param name its name in messages
         * @return null if the service has to be left out
         */
        public @Nullable Settings read(
                String id, String name, Map<String, String> labels, Collection<Integer> exposedPorts) {
            Text before = texts.get(id);
            if (before == null || !before.labels.equals(labels) || !before.exposedPorts.equals(exposedPorts)) {
                before = new Text(labels, exposedPorts, ServiceLabels.read(labels, exposedPorts));
                texts.put(id, before);
            }
            return accept(id, name, before.reading);
        }

        /** Adds another problem of a service. */
        public void problem(String name, String message) {
            problems.add(new Problem(name, message));
        }

        /** Ends the batch and returns its problems. Forgets services that were not in it. */
        public List<Problem> finish() {
            lastGood.keySet().retainAll(seen);
            texts.keySet().retainAll(seen);
            return problems;
        }

        /** Takes the settings of a service whose labels were read elsewhere; see {@link #read}. */
        public @Nullable Settings accept(String id, String name, Vocabulary.Reading reading) {
            seen.add(id);
            Settings settings = reading.settings();
            if (settings != null) {
                lastGood.put(id, settings);
            } else if (reading.closed()) {
                lastGood.remove(id);
            } else {
                settings = lastGood.get(id);
            }
            String consequence = reading.settings() != null
                    ? ""
                    : settings == null
                            ? " (the service is left out)"
                            : " (the service keeps its last good configuration)";
            reading.problems().forEach(message -> problem(name, message + consequence));
            return settings;
        }
    }
}
