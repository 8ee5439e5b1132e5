package io.millau.server.internal.compose;

import io.millau.core.internal.Words;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.DuplicateKeyException;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.representer.Representer;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * The labels, the environment and the command of the services in a Compose or stack file, whoever they are for, with their variables as they are
 * written. The file is untrusted, as that of {@link ComposeFile}. Pure functions.
 */
public final class ComposeServices {

    private static final int MOST_ENTRIES = 2_000;
    private static final int MOST_ALIASES = 500;
    private static final int LONGEST_VARIABLE = 1_000;
    private static final String ENV_FILE = "env_file";

    private ComposeServices() {}

    /**
     * A service.
     *
     * @param labels of containers, or of the service itself ({@code deploy.labels}) if there are any; in the order of the file
     * @param environment empty values where a name has none
     * @param inSwarm whether the labels are those of the service itself
     * @param image empty if there is none
     * @param command the words of {@code entrypoint} and {@code command}
     * @param mounts its volumes, configs and secrets: the short form, or source and target
     * @param unread by key, why there may be more labels or variables that are not here
     */
    public record Service(
            String name,
            Map<String, String> labels,
            Map<String, String> environment,
            boolean inSwarm,
            String image,
            List<String> command,
            List<String> mounts,
            Map<String, String> unread) {}

    /**
     * Reads a file alone.
     *
     * @param name the file's name in messages
     * @throws NotComposeException if it is not a Compose file
     */
    public static List<Service> read(String name, String text) throws NotComposeException {
        return read(name, text, file -> null);
    }

    /**
     * Reads a file, and the files with variables that it names.
     *
     * @param name the file's name in messages
     * @param files the text of a file by its path in there; null if it can't be read
     * @throws NotComposeException if it is not a Compose file
     */
    public static List<Service> read(String name, String text, Function<String, @Nullable String> files)
            throws NotComposeException {
        Object root = yaml(name, text);
        if (!(root instanceof Map<?, ?> keys && keys.get("services") instanceof Map<?, ?> declared)) {
            if (includesOthers(root)) {
                return List.of();
            }
            throw new NotComposeException(name + ": expected a Compose or stack file, with services");
        }
        List<Service> services = new ArrayList<>();
        int entries = 0;
        for (Map.Entry<?, ?> service : declared.entrySet()) {
            if (service.getValue() instanceof Map<?, ?> own) {
                Map<String, Object> all = ExtendedServices.keys(declared, own);
                entries += ExtendedServices.list(all.get(ENV_FILE)).size();
                Service read = entries > MOST_ENTRIES ? null : service(String.valueOf(service.getKey()), all, files);
                entries += read == null ? 0 : size(read);
                if (read == null || entries > MOST_ENTRIES) {
                    throw new NotComposeException(
                            name + ": expected at most " + MOST_ENTRIES + " labels, variables and arguments");
                }
                services.add(read);
            }
        }
        return services;
    }

    /**
     * Whether a file includes others, which are not read.
     *
     * @param name the file's name in messages
     * @throws NotComposeException if it is no YAML
     */
    public static boolean includesOthers(String name, String text) throws NotComposeException {
        return includesOthers(yaml(name, text));
    }

    private static boolean includesOthers(@Nullable Object root) {
        return root instanceof Map<?, ?> keys && keys.containsKey("include");
    }

    private static int size(Service service) {
        return service.labels.size() + service.environment.size() + service.command.size() + service.mounts.size();
    }

    private static Service service(String name, Map<String, Object> keys, Function<String, @Nullable String> files) {
        Map<String, String> own =
                keys.get("deploy") instanceof Map<?, ?> deploy ? texts(deploy.get("labels")) : Map.of();
        Map<String, String> unread = new LinkedHashMap<>();
        Map<String, String> environment = environment(keys, files, unread);
        if (keys.containsKey(ExtendedServices.EXTENDS)) {
            unread.put(
                    ExtendedServices.EXTENDS,
                    "the service that it extends is not in this file, and not read: put what that says into this one");
        }
        if (keys.containsKey("label_file")) {
            unread.put("label_file", "the labels in it are not read: put them into this file");
        }
        return new Service(
                name,
                own.isEmpty() ? texts(keys.get("labels")) : own,
                environment,
                !own.isEmpty(),
                keys.get("image") instanceof String written ? written : "",
                Stream.of("entrypoint", "command")
                        .flatMap(key -> words(keys.get(key)).stream())
                        .toList(),
                mounts(keys),
                unread);
    }

    /** The variables of a service and of its files, of which the last one counts. */
    private static Map<String, String> environment(
            Map<String, Object> keys, Function<String, @Nullable String> files, Map<String, String> unread) {
        Map<String, String> environment = new LinkedHashMap<>();
        List<String> missing = new ArrayList<>();
        for (Object item : ExtendedServices.list(keys.get(ENV_FILE))) {
            boolean optional = item instanceof Map<?, ?> mapping && "false".equals(mapping.get("required"));
            Object path = item instanceof Map<?, ?> mapping ? mapping.get("path") : item;
            String text = path instanceof String file ? files.apply(file) : null;
            if (text != null) {
                environment.putAll(EnvFile.read(text));
            } else if (!optional) {
                missing.add(Words.shown(String.valueOf(path)));
            }
        }
        if (!missing.isEmpty()) {
            unread.put(
                    ENV_FILE,
                    String.join(", ", missing) + " can't be read: run this where it can, or put its variables into"
                            + " environment");
        }
        environment.putAll(texts(keys.get("environment")));
        return environment;
    }

    /**
     * Reads any YAML. Scalars are texts, as they are written.
     *
     * @throws NotComposeException if it is none; the message shows nothing of the text but the place
     */
    public static @Nullable Object yaml(String name, String text) throws NotComposeException {
        LoaderOptions limits = new LoaderOptions();
        limits.setMaxAliasesForCollections(MOST_ALIASES);
        limits.setCodePointLimit(text.length() + 1);
        limits.setAllowDuplicateKeys(false); // as Compose does
        DumperOptions unused = new DumperOptions();
        try {
            return new Yaml(new SafeConstructor(limits), new Representer(unused), unused, limits, new TextResolver())
                    .load(text);
        } catch (MarkedYAMLException e) {
            int line = e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1;
            throw new NotComposeException(name + ":" + line + ": expected YAML: "
                    + (e instanceof DuplicateKeyException ? "a key is there twice" : e.getProblem()));
        } catch (RuntimeException e) { // thrown for some malformed files
            throw new NotComposeException(
                    name + ": expected YAML: " + String.valueOf(e.getMessage()).replace('\n', ' '));
        }
    }

    /** Labels or variables, which may be a list or a mapping. */
    static Map<String, String> texts(@Nullable Object declared) {
        Map<String, String> texts = new LinkedHashMap<>();
        if (declared instanceof Map<?, ?> mapping) {
            mapping.forEach((key, value) -> {
                if (value == null || value instanceof String) {
                    texts.put(String.valueOf(key), value == null ? "" : String.valueOf(value));
                }
            });
        } else if (declared instanceof List<?> list) {
            for (Object item : list) {
                if (item instanceof String text) {
                    String[] parts = text.split("=", 2);
                    texts.put(parts[0], parts.length < 2 ? "" : parts[1]);
                }
            }
        }
        return texts;
    }

    private static List<String> mounts(Map<?, ?> service) {
        List<String> mounts = new ArrayList<>();
        for (String key : List.of("volumes", "configs", "secrets")) {
            for (Object item : service.get(key) instanceof List<?> list ? list : List.of()) {
                Object mount = item instanceof Map<?, ?> mapping ? mount(mapping) : item;
                if (mount instanceof String text) {
                    mounts.add(text);
                }
            }
        }
        return mounts;
    }

    private static @Nullable Object mount(Map<?, ?> longForm) {
        Object target = longForm.get("target");
        return target instanceof String && longForm.get("source") instanceof String source
                ? source + ":" + target
                : target;
    }

    /** The words of a command, which may be a list or a text with quotes. */
    private static List<String> words(@Nullable Object declared) {
        if (declared instanceof List<?> list) {
            return list.stream()
                    .filter(String.class::isInstance)
                    .map(String.class::cast)
                    .toList();
        }
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        char quote = ' ';
        String text = declared instanceof String one ? one : "";
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int end = endOfVariable(text, i);
            if (end > i) {
                word.append(text, i, end);
                i = end - 1;
            } else if (quote == ' ' && (c == '"' || c == '\'')) {
                quote = c;
            } else if (c == quote && quote != ' ') {
                quote = ' ';
            } else if (quote == ' ' && Character.isWhitespace(c)) {
                words.add(word.toString());
                word.setLength(0);
            } else {
                word.append(c);
            }
        }
        words.add(word.toString());
        words.removeIf(String::isEmpty);
        return words;
    }

    /** Where a variable ends that begins here, such as {@code ${NAME?not set}}; where it begins if there is none. */
    private static int endOfVariable(String text, int start) {
        if (text.startsWith("$$", start)) { // one of text
            return start + 2;
        }
        if (!text.startsWith("${", start)) {
            return start;
        }
        int open = 0;
        for (int i = start; i < Math.min(text.length(), start + LONGEST_VARIABLE); i++) {
            open += text.charAt(i) == '{' ? 1 : text.charAt(i) == '}' ? -1 : 0;
            if (open == 0 && i > start) {
                return i + 1;
            }
        }
        return start;
    }

    /** Leaves numbers and the like as they are written. */
    private static final class TextResolver extends Resolver {
        @Override
        protected void addImplicitResolvers() {
            addImplicitResolver(Tag.MERGE, MERGE, "<");
            addImplicitResolver(Tag.NULL, NULL, "~nN\0");
            addImplicitResolver(Tag.NULL, EMPTY, null);
        }
    }
}
