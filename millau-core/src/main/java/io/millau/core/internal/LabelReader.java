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
 * Reads the labels of a source's services, picture after picture, and remembers the last good settings of each: a value
 * that can't be read leaves a service as it was before. For one thread.
 */
public final class LabelReader {

    private final Map<String, Settings> lastGood = new HashMap<>();

    /** What was read last: a picture is mostly the one before, and certificates take their time to read. */
    private final Map<String, Text> texts = new HashMap<>();

    private record Text(Map<String, String> labels, Collection<Integer> exposedPorts, Vocabulary.Reading reading) {}

    /** A reader that remembers nothing yet. */
    public LabelReader() {}

    /** Starts to read a full picture of the source. */
    public Picture picture() {
        return new Picture();
    }

    /** Everything a source sees at one moment. */
    public final class Picture {
        private final Set<String> seen = new HashSet<>();
        private final List<Problem> problems = new ArrayList<>();

        private Picture() {}

        /**
         * The settings of a service.
         *
         * @param id what tells it from all others of this source
         * @param name what messages call it
         * @return null if it has to be left out
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

        /** Notes something else that is wrong with a service. */
        public void problem(String name, String message) {
            problems.add(new Problem(name, message));
        }

        /** The problems of this picture; services that were not in it are forgotten. */
        public List<Problem> finish() {
            lastGood.keySet().retainAll(seen);
            texts.keySet().retainAll(seen);
            return problems;
        }

        /** The settings of a service whose labels were read elsewhere; see {@link #read}. */
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
