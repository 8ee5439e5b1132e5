package io.millau.server.internal.compose;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What services have of others in the same file that they extend. Pure functions.
 *
 * <p>See <a href="https://docs.docker.com/reference/compose-file/services/#extends">Compose's reference</a>.
 */
final class ExtendedServices {

    static final String EXTENDS = "extends";

    private static final int LONGEST_CHAIN = 20;

    private static final Set<String> TEXTS = Set.of("labels", "environment");
    private static final Set<String> LISTS = Set.of("volumes", "configs", "secrets", "env_file");

    private ExtendedServices() {}

    /**
     * The keys of a service and of those that it extends, as Compose merges them. They have {@code extends} if that is not of
     * this file.
     *
     * @param services all services of the file
     */
    static Map<String, Object> keys(Map<?, ?> services, Map<?, ?> service) {
        return keys(services, service, LONGEST_CHAIN);
    }

    private static Map<String, Object> keys(Map<?, ?> services, Map<?, ?> service, int longest) {
        Map<String, Object> own = new LinkedHashMap<>();
        service.forEach((key, value) -> {
            if (value != null) {
                own.put(String.valueOf(key), value);
            }
        });
        Map<?, ?> base = longest == 0 ? null : extended(services, own.get(EXTENDS)); // it may extend itself
        if (base == null) {
            return own;
        }
        own.remove(EXTENDS);
        Map<String, Object> all = keys(services, base, longest - 1);
        own.forEach((key, value) -> all.merge(key, value, (of, with) -> merged(key, of, with)));
        return all;
    }

    private static @Nullable Map<?, ?> extended(Map<?, ?> services, @Nullable Object declared) {
        Object name = declared instanceof Map<?, ?> mapping && !mapping.containsKey("file")
                ? mapping.get("service")
                : declared instanceof String ? declared : null;
        return name != null && services.get(name) instanceof Map<?, ?> base ? base : null;
    }

    private static Object merged(String key, Object base, Object own) {
        if (TEXTS.contains(key)) {
            Map<String, String> texts = new LinkedHashMap<>(ComposeServices.texts(base));
            texts.putAll(ComposeServices.texts(own));
            return texts;
        }
        if (LISTS.contains(key)) {
            List<Object> list = new ArrayList<>(list(base));
            list.addAll(list(own));
            return list;
        }
        if (key.equals("deploy") && base instanceof Map<?, ?> ofBase && own instanceof Map<?, ?> ofOwn) {
            return Map.of("labels", merged("labels", orNone(ofBase.get("labels")), orNone(ofOwn.get("labels"))));
        }
        return own;
    }

    private static Object orNone(@Nullable Object labels) {
        return labels == null ? Map.of() : labels;
    }

    /** A list, or one item in place of it. */
    static List<?> list(@Nullable Object declared) {
        return declared instanceof List<?> list ? list : declared == null ? List.of() : List.of(declared);
    }
}
