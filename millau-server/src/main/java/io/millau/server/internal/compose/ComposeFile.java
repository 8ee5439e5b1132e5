package io.millau.server.internal.compose;

import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.internal.LabelReader;
import io.millau.core.internal.ServiceLabels;
import io.millau.core.internal.Words;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * The labels in a Compose or stack file, and what is wrong with them. The file is untrusted: no objects are created from
 * it, and its aliases, depth and labels are limited. For one thread.
 */
public final class ComposeFile {

    private static final int MOST_ALIASES = 500;
    private static final int MOST_LABELS = 5_000;
    private static final int MOST_PORTS = 100;

    /** Shorter values of variables are no secrets, and could be any part of a message. */
    private static final int SHORTEST_SECRET = 4;

    /** A bcrypt hash whose dollars are not all doubled. What Compose takes for the name of a variable is a part of it. */
    private static final Pattern HASH = Pattern.compile("\\$2[abxy]\\$");

    private static final Pattern PORTS = Pattern.compile("(?:.*:)?([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/tcp)?");

    /** Keys that may add labels from other files. */
    private static final List<String> FROM_ELSEWHERE = List.of("extends", "label_file");

    /** Keys of a service that a Swarm ignores. */
    private static final List<String> OF_COMPOSE = List.of("container_name", "restart");

    private static final Pattern MILLAU = Pattern.compile("(?:[^@]*/)?millau(?::[^/@]*)?(?:@.*)?", Pattern.DOTALL);

    private final Function<String, @Nullable String> variables;
    private final Settings settings;
    private final Diagnostics findings = new Diagnostics();
    private final Map<Node, Map<String, Entry>> flattened = new IdentityHashMap<>();
    private final List<Service> routed = new ArrayList<>();

    /** By service, what shows that it is for Compose. */
    private final Map<String, String> ofCompose = new LinkedHashMap<>();

    /** The services whose labels are all under {@code deploy}, with the line. */
    private final Map<String, Integer> underDeploy = new LinkedHashMap<>();

    /** The services whose labels are all beside {@code image}. */
    private final List<String> besideImage = new ArrayList<>();

    private int services;
    private int labels;

    /** A key of a mapping, own or merged. */
    private record Entry(int line, Node value) {}

    /** @param written the value as it is in the file, since the values of variables may be secrets */
    private record Label(int line, String value, String written, Set<String> secrets, boolean isNull) {

        /** A message about this label without the values of variables. */
        String withoutSecrets(String key, String message) {
            String text = message.replaceFirst(": write .*?(?= \\(|$)", "");
            String start = key + "=" + Words.shown(value.strip());
            if (text.startsWith(start)) {
                // What is wrong in a list is quoted, and a part of the value.
                String rest = text.substring(start.length());
                text = key + "=" + Words.shown(written.strip())
                        + (secrets.isEmpty() ? rest : rest.replaceAll("\"[^\"]*\": ", ""));
            }
            for (String secret : secrets) {
                text = secret.length() < SHORTEST_SECRET ? text : text.replace(secret, "…");
            }
            return text;
        }
    }

    /** Checks the environment of a proxy. */
    public interface Settings {
        /** What is wrong with a variable, beginning with its name; null if nothing is. */
        @Nullable
        String mistake(String variable, String value);
    }

    private ComposeFile(Function<String, @Nullable String> variables, Settings settings) {
        this.variables = variables;
        this.settings = settings;
    }

    /**
     * Parses and checks a file, but for the environment of a proxy in it.
     *
     * @param name the file's name in messages
     * @param variables the value of a variable, or null if it is not set
     * @throws NotComposeException if it is not a Compose file; the message has the name and the line
     */
    public static ComposeFile check(String name, String text, Function<String, @Nullable String> variables)
            throws NotComposeException {
        return check(name, text, variables, (variable, value) -> null);
    }

    /**
     * Parses and checks a file.
     *
     * @param name the file's name in messages
     * @param variables the value of a variable, or null if it is not set
     * @param settings for the environment of services that run Millau
     * @throws NotComposeException if it is not a Compose file; the message has the name and the line
     */
    public static ComposeFile check(
            String name, String text, Function<String, @Nullable String> variables, Settings settings)
            throws NotComposeException {
        ComposeFile file = new ComposeFile(variables, settings);
        file.read(name, root(name, text));
        return file;
    }

    /** What is wrong, and what to know. */
    public Diagnostics findings() {
        return findings;
    }

    /** The number of services with our labels. */
    public int services() {
        return services;
    }

    /** The services that have labels without a serious mistake, without endpoints. */
    public List<Service> routed() {
        return List.copyOf(routed);
    }

    private static MappingNode root(String name, String text) throws NotComposeException {
        LoaderOptions limits = new LoaderOptions();
        limits.setMaxAliasesForCollections(MOST_ALIASES);
        limits.setCodePointLimit(text.length() + 1);
        Node root;
        try {
            root = new Yaml(new SafeConstructor(limits)).compose(new StringReader(text));
        } catch (MarkedYAMLException e) {
            int line = e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1;
            throw new NotComposeException(name + ":" + line + ": expected YAML: " + e.getProblem());
        } catch (RuntimeException e) { // thrown for some malformed files
            throw new NotComposeException(
                    name + ": expected YAML: " + String.valueOf(e.getMessage()).replace('\n', ' '));
        }
        if (root instanceof MappingNode mapping) {
            return mapping;
        }
        throw new NotComposeException(name + ": expected a Compose or stack file, with services");
    }

    private void read(String name, MappingNode root) throws NotComposeException {
        Map<String, Entry> top = entries(root, name);
        Entry include = top.get("include");
        if (include != null) {
            findings.note(include.line, "include", "included files are not checked");
        }
        Entry declared = top.get("services");
        if (declared == null || !(declared.value instanceof MappingNode)) {
            if (include != null) {
                return;
            }
            throw new NotComposeException(name + ": expected a Compose or stack file, with services");
        }
        for (Map.Entry<String, Entry> service :
                entries(declared.value, "services").entrySet()) {
            readService(service.getKey(), service.getValue());
            if (labels > MOST_LABELS) {
                throw new NotComposeException(name + ": expected at most " + MOST_LABELS + " labels");
            }
        }
        notePlaces();
    }

    /** Notes labels that may be in the wrong place. The file does not say whether it is for a Swarm. */
    private void notePlaces() {
        boolean noted = false;
        for (Map.Entry<String, Integer> service : underDeploy.entrySet()) {
            String own = ofCompose.get(service.getKey());
            if (own != null || !noted && !ofCompose.isEmpty()) {
                Map.Entry<String, String> other =
                        ofCompose.entrySet().iterator().next();
                findings.note(
                        service.getValue(),
                        service.getKey(),
                        "deploy.labels count in a Swarm alone, and "
                                + (own != null ? own : other.getValue() + " of " + other.getKey())
                                + " in Compose alone, which takes labels");
                noted = true;
            } else if (!noted && !besideImage.isEmpty()) {
                findings.note(
                        service.getValue(),
                        service.getKey(),
                        "its labels are under deploy, those of " + besideImage.get(0)
                                + " beside image: Compose without a Swarm takes only the latter");
                noted = true;
            }
        }
    }

    private static @Nullable String signOfCompose(Map<String, Entry> keys) {
        for (String key : OF_COMPOSE) {
            if (keys.containsKey(key)) {
                return key;
            }
        }
        if (keys.containsKey("build") && !keys.containsKey("image")) {
            return "build without image";
        }
        return value(keys, "depends_on") instanceof MappingNode ? "depends_on with conditions" : null;
    }

    private void readService(String name, Entry service) {
        if (!(service.value instanceof MappingNode)) {
            findings.problem(service.line, new Problem(name, "expected a mapping, with image and labels for instance"));
            return;
        }
        Map<String, Entry> keys = entries(service.value, name);
        Map<String, Entry> deploy = entries(value(keys, "deploy"), name);
        Map<String, Label> own = labels(name, "deploy.labels", deploy.get("labels"));
        Map<String, Label> ofContainers = labels(name, "labels", keys.get("labels"));
        boolean misplaced = reportMisplaced(name, keys, "expected in labels")
                | reportMisplaced(name, deploy, "expected in deploy.labels")
                | reportMisplaced(name, environment(keys), "expected in labels");
        for (String key : FROM_ELSEWHERE) {
            if (keys.containsKey(key)) {
                findings.note(keys.get(key).line, name, "labels added by " + key + " are not checked");
            }
        }
        boolean wrong = MILLAU.matcher(text(value(keys, "image"))).matches() && reportSettings(name, keys);
        if (misplaced || wrong || !own.isEmpty() || !ofContainers.isEmpty()) {
            services++;
        }
        String sign = signOfCompose(keys);
        if (sign != null) {
            ofCompose.put(name, sign);
        }
        // As in Swarm: the service's own labels, or those of its containers if it has none.
        if (!own.isEmpty()) {
            if (!ofContainers.isEmpty() && !texts(ofContainers).equals(texts(own))) {
                findings.problem(
                        line(keys, "labels"),
                        new Problem(
                                name,
                                "labels and deploy.labels differ: a Swarm takes deploy.labels alone, Compose labels alone;"
                                        + " expected all of them in one place, or the same in both"));
            }
            if (ofContainers.isEmpty()) {
                underDeploy.put(name, line(deploy, "labels"));
            }
            checkLabels(name, own, line(deploy, "labels"), ports(keys, "ports"), false);
        } else if (!ofContainers.isEmpty()) {
            besideImage.add(name);
            Set<Integer> ports = ports(keys, "expose");
            ports.addAll(ports(keys, "ports"));
            checkLabels(name, ofContainers, line(keys, "labels"), ports, ports.isEmpty());
        }
    }

    private static Map<String, String> texts(Map<String, Label> labels) {
        Map<String, String> texts = new TreeMap<>();
        labels.forEach((name, label) -> texts.put(name, label.value));
        return texts;
    }

    /**
     * @param line where the labels start
     * @param imageDecides whether a missing port may be the only one that the image exposes
     */
    private void checkLabels(
            String name, Map<String, Label> ofService, int line, Set<Integer> ports, boolean imageDecides) {
        Map<String, String> values = new LinkedHashMap<>();
        NavigableMap<String, Integer> lines = new TreeMap<>();
        ofService.forEach((key, label) -> {
            values.put(key, label.value);
            lines.put(key, label.line);
            lines.putIfAbsent(Words.shown(Words.withoutValue(key)), label.line); // so messages name it
        });
        NavigableMap<String, List<Label>> secret = new TreeMap<>(); // by the key as messages name it
        Set<String> inKeys = new HashSet<>(); // a message about a missing label begins with none of the keys
        ofService.forEach((key, label) -> {
            label.secrets.stream()
                    .filter(value -> value.length() >= SHORTEST_SECRET && key.contains(value))
                    .forEach(inKeys::add);
            if (!label.secrets.isEmpty()) {
                secret.computeIfAbsent(Words.shown(Words.withoutValue(key)), named -> new ArrayList<>())
                        .add(label);
            }
        });
        Reading reading = read(name, values, imageDecides ? Set.of(80) : ports);
        reading.routes.forEach(route -> routed.add(route.toService(name).build()));
        List<Problem> problems = reading.problems;
        Set<Integer> said = new HashSet<>();
        for (Problem problem : problems) {
            int where = Diagnostics.lineOf(problem, lines, line);
            said.add(where);
            findings.problem(where, withoutSecrets(problem, secret, inKeys));
        }
        ofService.forEach((key, label) -> {
            if (label.isNull && !said.contains(label.line)) {
                String message = Words.withoutValue(key) + " has no value: expected one, or no such label";
                findings.problem(label.line, new Problem(name, label.withoutSecrets(key, message)));
            }
        });
        if (imageDecides && read(name, values, Set.of()).problems.size() > problems.size()) {
            findings.note(
                    line,
                    name,
                    "millau.port is missing: right if its image exposes exactly one port, or expose names it");
        }
    }

    private static Problem withoutSecrets(
            Problem problem, NavigableMap<String, List<Label>> secret, Set<String> inKeys) {
        String message = problem.message();
        for (String key : Diagnostics.keysAtStart(message, secret)) {
            for (Label label : Objects.requireNonNull(secret.get(key))) {
                message = label.withoutSecrets(key, message);
            }
        }
        for (String value : inKeys) {
            message = message.replace(value, "…");
        }
        return secret.isEmpty() ? problem.withMessage(message) : new Problem(problem.service(), message);
    }

    private record Reading(List<LabelReader.Route> routes, List<Problem> problems) {}

    private static Reading read(String name, Map<String, String> values, Set<Integer> ports) {
        LabelReader.Batch batch = new LabelReader().batch();
        List<LabelReader.Route> routes = batch.read(name, name, values, ports);
        return new Reading(routes, batch.finish());
    }

    private static int line(Map<String, Entry> keys, String key) {
        Entry entry = keys.get(key);
        return entry == null ? 1 : entry.line;
    }

    private boolean reportMisplaced(String service, Map<String, Entry> keys, String expected) {
        boolean any = false;
        for (Map.Entry<String, Entry> entry : keys.entrySet()) {
            if (ServiceLabels.isOurs(entry.getKey())) {
                any = true;
                findings.problem(
                        entry.getValue().line,
                        new Problem(service, entry.getKey() + " is not read there: " + expected));
            }
        }
        return any;
    }

    /** Reports mistakes in the environment of a proxy. Returns whether there are any. */
    private boolean reportSettings(String service, Map<String, Entry> keys) {
        boolean any = false;
        for (Map.Entry<String, Entry> variable : environment(keys).entrySet()) {
            Entry entry = variable.getValue();
            String mistake = entry.value instanceof ScalarNode scalar && !isNull(scalar)
                    ? mistake(variable.getKey(), scalar.getValue(), entry.line, value(keys, "environment"))
                    : null;
            if (mistake != null) {
                any = true;
                findings.problem(entry.line, new Problem(service, mistake));
            }
        }
        return any;
    }

    private @Nullable String mistake(String variable, String written, int line, @Nullable Node environment) {
        String value = environment instanceof SequenceNode
                ? written.substring(Math.min(written.length(), variable.length() + 1))
                : written;
        Interpolation filled = new Interpolation(value, variables);
        String mistake = filled.problems().isEmpty() ? settings.mistake(variable, filled.text()) : null;
        return mistake == null
                ? null
                : new Label(line, filled.text(), value, filled.used(), false).withoutSecrets(variable, mistake);
    }

    /** The names in {@code environment}, which may be a list or a mapping. */
    private Map<String, Entry> environment(Map<String, Entry> service) {
        Node value = value(service, "environment");
        if (!(value instanceof SequenceNode list)) {
            return value instanceof MappingNode ? entries(value, "environment") : Map.of();
        }
        Map<String, Entry> names = new LinkedHashMap<>();
        for (Node item : list.getValue()) {
            if (item instanceof ScalarNode scalar) {
                names.put(scalar.getValue().split("=", 2)[0], new Entry(line(item), item));
            }
        }
        return names;
    }

    /** The labels with our prefix. */
    private Map<String, Label> labels(String service, String key, @Nullable Entry declared) {
        Map<String, Label> all = new LinkedHashMap<>();
        if (declared == null || isNull(declared.value)) {
            return all;
        }
        if (declared.value instanceof MappingNode mapping) {
            entries(mapping, service).forEach((name, entry) -> {
                if (isOurs(name)) {
                    addLabel(all, service, name, entry);
                }
            });
        } else if (declared.value instanceof SequenceNode list) {
            list.getValue().forEach(item -> addLabel(all, service, item));
        } else {
            findings.problem(declared.line, new Problem(service, key + ": expected a list or a mapping"));
        }
        return all;
    }

    /** Whether it is a label of ours, perhaps but for a typing mistake in its prefix. */
    private static boolean isOurs(String name) {
        return ServiceLabels.isOurs(name) || ServiceLabels.isNearlyOurs(name);
    }

    private void addLabel(Map<String, Label> all, String service, String name, Entry entry) {
        if (++labels > MOST_LABELS) {
            return;
        }
        if (!(entry.value instanceof ScalarNode scalar)) {
            findings.problem(entry.line, new Problem(service, name + ": expected text" + asText(name, entry.value)));
            return;
        }
        boolean isNull = isNull(scalar);
        if (isNull) {
            all.put(name, new Label(entry.line, "", "", Set.of(), true));
            return;
        }
        Interpolation filled = filled(scalar, service, name);
        all.put(name, new Label(entry.line, filled.text(), scalar.getValue(), filled.used(), false));
    }

    /** What to write for a list of plain values, unless these may be secret. */
    private static String asText(String label, Node value) {
        boolean plain = value instanceof SequenceNode list
                && !list.getValue().isEmpty()
                && list.getValue().stream().allMatch(item -> item instanceof ScalarNode && !isNull(item));
        if (!plain) {
            return "";
        }
        String text = ((SequenceNode) value)
                .getValue().stream().map(item -> ((ScalarNode) item).getValue()).collect(Collectors.joining(" "));
        String shown = ServiceLabels.shown(label, text);
        return shown.startsWith(label + "=")
                ? ": write " + shown.substring(label.length() + 1)
                : ", with spaces between several values";
    }

    private void addLabel(Map<String, Label> all, String service, Node item) {
        if (item instanceof MappingNode mapping) {
            entries(mapping, service).keySet().stream()
                    .filter(ComposeFile::isOurs)
                    .forEach(name -> findings.problem(
                            line(item),
                            new Problem(
                                    service, name + ": expected " + name + "=VALUE, since labels are a list here")));
            return;
        }
        if (!(item instanceof ScalarNode scalar)) {
            return;
        }
        String[] written = scalar.getValue().split("=", 2);
        if (!scalar.getValue().toLowerCase(Locale.ROOT).contains(ServiceLabels.PREFIX) && !isOurs(written[0])) {
            return;
        }
        Interpolation filled = filled(scalar, service, written[0]);
        String[] label = filled.text().split("=", 2);
        if (!isOurs(label[0]) || ++labels > MOST_LABELS) {
            return;
        }
        String key = label[0];
        boolean isNull = label.length < 2;
        Label added = new Label(
                line(item), isNull ? "" : label[1], isNull ? "" : written[written.length - 1], filled.used(), isNull);
        Label before = all.put(key, added);
        if (before != null) {
            String message = key + " is there twice: line " + before.line + " has no effect";
            findings.problem(added.line, new Problem(service, added.withoutSecrets(key, message)));
        }
    }

    private Interpolation filled(ScalarNode scalar, String service, String name) {
        Interpolation filled = new Interpolation(scalar.getValue(), variables);
        List<String> problems = filled.problems();
        if (!problems.isEmpty() && HASH.matcher(scalar.getValue()).find()) {
            problems = List.of("a $ in it is taken for a variable: write $$ for each $, such as name:$$2y$$10$$...,"
                    + " or give all users in Base64");
        }
        problems.forEach(problem -> findings.problem(line(scalar), new Problem(service, name + ": " + problem)));
        return filled;
    }

    /** The TCP ports inside the containers, from {@code expose} or {@code ports}. */
    private Set<Integer> ports(Map<String, Entry> service, String key) {
        Set<Integer> ports = new TreeSet<>();
        if (value(service, key) instanceof SequenceNode list) {
            for (Node item : list.getValue()) {
                if (item instanceof MappingNode mapping) {
                    Map<String, Entry> published = entries(mapping, key);
                    String protocol = text(value(published, "protocol"));
                    addPorts(ports, text(value(published, "target")) + (protocol.isEmpty() ? "" : "/" + protocol));
                } else {
                    addPorts(ports, text(item));
                }
            }
        }
        return ports;
    }

    private static void addPorts(Set<Integer> ports, String written) {
        Matcher range = PORTS.matcher(written);
        if (range.matches()) {
            int first = Integer.parseInt(range.group(1));
            int last = range.group(2) == null ? first : Integer.parseInt(range.group(2));
            for (int port = first; port <= last && ports.size() < MOST_PORTS; port++) {
                ports.add(port);
            }
        }
    }

    private String text(@Nullable Node node) {
        return node instanceof ScalarNode scalar ? new Interpolation(scalar.getValue(), variables).text() : "";
    }

    private static @Nullable Node value(Map<String, Entry> keys, String key) {
        Entry entry = keys.get(key);
        return entry == null ? null : entry.value;
    }

    /** The keys of a mapping, including merged ones ({@code <<}); empty if it is no mapping. */
    private Map<String, Entry> entries(@Nullable Node node, String of) {
        if (!(node instanceof MappingNode mapping)) {
            return Map.of();
        }
        Map<String, Entry> known = flattened.get(node);
        if (known != null) {
            return known;
        }
        Map<String, Entry> entries = new LinkedHashMap<>();
        flattened.put(node, entries); // before the recursion, as it may be merged into itself
        List<Node> merged = new ArrayList<>();
        Set<String> own = new HashSet<>();
        for (NodeTuple tuple : mapping.getValue()) {
            if (tuple.getKeyNode().getTag().equals(Tag.MERGE)) {
                Node value = tuple.getValueNode();
                merged.addAll(value instanceof SequenceNode several ? several.getValue() : List.of(value));
            } else if (tuple.getKeyNode() instanceof ScalarNode key) {
                int line = line(key);
                entries.put(key.getValue(), new Entry(line, tuple.getValueNode()));
                if (!own.add(key.getValue())) {
                    findings.problem(line, new Problem(of, key.getValue() + " is there twice: expected one"));
                }
            }
        }
        // The mapping's own keys take precedence, then those merged first.
        merged.forEach(other -> entries(other, of).forEach(entries::putIfAbsent));
        return entries;
    }

    private static boolean isNull(Node node) {
        return node.getTag().equals(Tag.NULL);
    }

    private static int line(Node node) {
        return node.getStartMark().getLine() + 1;
    }
}
