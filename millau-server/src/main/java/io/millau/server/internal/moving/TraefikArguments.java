package io.millau.server.internal.moving;

import io.millau.server.internal.compose.ComposeServices;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The arguments and {@code TRAEFIK_…} variables of the Traefik services in a file: entry points, resolvers of certificates, and what its
 * provider does with services. Empty if there is no such service. Immutable.
 *
 * <p>See <a href="https://doc.traefik.io/traefik/reference/install-configuration/configuration-options/">its reference</a>.
 */
final class TraefikArguments {

    private static final Pattern IMAGE =
            Pattern.compile("(?:[^@]*/)?traefik(?:-ee)?(?::[^/@]*)?(?:@.*)?", Pattern.DOTALL);
    private static final Pattern FILE = Pattern.compile(
            ".*/traefik\\.(?:ya?ml|toml)(?::r[ow].*)?|(?:.*:)?/etc/traefik/?(?::r[ow].*)?", Pattern.DOTALL);
    private static final Pattern ENTRY_POINT = Pattern.compile("entrypoints\\.([^.]+)\\..*", Pattern.DOTALL);
    private static final Pattern ENTRY_POINT_TLS =
            Pattern.compile("entrypoints\\.([^.]+)\\.http\\.tls.*", Pattern.DOTALL);
    private static final Pattern TCP =
            Pattern.compile("traefik\\.tcp\\.routers\\.[^.]+\\.entrypoints", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
    private static final Pattern NAMED = Pattern.compile("(entrypoints|certificatesresolvers)\\.[^.]+", Pattern.DOTALL);

    private static final Pattern ONE_LABEL = Pattern.compile("Label\\(`([^`=]+)`,\\s*`([^`]*)`\\)");

    private static final Pattern PLAIN_NAME =
            Pattern.compile("web|http|insecure|plain|unsecure", Pattern.CASE_INSENSITIVE);
    private static final Pattern SECURE_NAME =
            Pattern.compile("(?:web-?)?secure|https|websecure|web-?ssl|ssl|tls|web_secure", Pattern.CASE_INSENSITIVE);

    /** Options that Traefik adds up if they are there more than once. */
    private static final Pattern LIST = Pattern.compile(
            "entrypoints\\.[^.]+\\.(?:http\\.middlewares|.*\\.trustedips|forwardedheaders\\.connection)",
            Pattern.DOTALL);

    /** By their names in lower case; the parts of a list together. */
    private final Map<String, Theirs> all = new LinkedHashMap<>();

    /** The names of those that are there with several values, of which one holds. */
    private final Set<String> ambiguous = new HashSet<>();

    /** The entry points that have TLS, in lower case. */
    private final Set<String> withTls = new HashSet<>();

    private final Set<String> defaultEntryPoints;

    /** The entry points of routers for TCP, in lower case. */
    private final Set<String> ofTcp;

    private TraefikArguments(List<Theirs> arguments, Set<String> ofTcp) {
        this.ofTcp = ofTcp;
        arguments.forEach(this::add);
        all.forEach((path, argument) -> {
            Matcher tls = ENTRY_POINT_TLS.matcher(path);
            if (tls.matches() && !Theirs.isFalse(argument.value())) {
                withTls.add(tls.group(1));
            }
        });
        defaultEntryPoints = findDefaultEntryPoints();
    }

    private void add(Theirs argument) {
        String path = path(argument);
        Theirs before = all.putIfAbsent(path, argument);
        if (before != null && LIST.matcher(path).matches()) {
            String list = before.value() + "," + argument.value();
            all.put(path, new Theirs(before.key(), before.option(), list, before.siblings()));
        } else if (before != null
                && !before.value().strip().equals(argument.value().strip())) {
            ambiguous.add(path);
            all.put(path, argument);
        }
    }

    /** Those of all services. */
    static TraefikArguments in(List<ComposeServices.Service> services) {
        return new TraefikArguments(
                services.stream().flatMap(service -> of(service).stream()).toList(),
                services.stream()
                        .flatMap(service -> service.labels().entrySet().stream())
                        .filter(label -> TCP.matcher(label.getKey()).matches())
                        .flatMap(label -> names(label.getValue().toLowerCase(Locale.ROOT)).stream())
                        .collect(Collectors.toSet()));
    }

    /** One alone. */
    static TraefikArguments ofOne(Theirs argument) {
        return new TraefikArguments(List.of(argument), Set.of());
    }

    /** Those of one service, in their order; none if it is not Traefik. */
    static List<Theirs> of(ComposeServices.Service service) {
        List<Theirs> arguments = new ArrayList<>();
        Map<String, String> values = new LinkedHashMap<>();
        List<String> words = service.command();
        if (!isTraefik(service)) {
            return List.of();
        }
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (word.startsWith("-")) {
                String[] parts = word.split("=", 2);
                boolean apart = parts.length < 2
                        && i + 1 < words.size()
                        && !words.get(i + 1).startsWith("-");
                String value = parts.length == 2 ? parts[1] : apart ? words.get(++i) : "true";
                add(parts[0], parts[0].replaceFirst("^--?", ""), value, arguments, values);
            } else if (!word.matches("(?:.*/)?(?:traefik|entrypoint\\.sh)")) {
                add("command", "argument", "", arguments, values); // what it is may be secret
            }
        }
        service.environment().forEach((name, value) -> {
            if (name.regionMatches(true, 0, "TRAEFIK_", 0, 8)) {
                add(name, name.substring(8).replace('_', '.'), value, arguments, values);
            }
        });
        return arguments;
    }

    private static void add(String key, String name, String value, List<Theirs> arguments, Map<String, String> values) {
        String path = name.toLowerCase(Locale.ROOT);
        values.put(path, value);
        Matcher named = NAMED.matcher(path);
        String option = named.lookingAt() ? named.replaceFirst("$1") : path;
        arguments.add(new Theirs(key, option, value, values));
    }

    /** Whether a service is Traefik, by its image or its arguments. */
    static boolean isTraefik(ComposeServices.Service service) {
        return IMAGE.matcher(service.image()).matches()
                || service.command().stream()
                        .anyMatch(
                                word -> word.toLowerCase(Locale.ROOT).matches("(?s)--?(?:entrypoints|providers)\\..*"));
    }

    /** Whether a file is mounted that Traefik reads by itself. */
    static boolean hasFile(ComposeServices.Service service) {
        return service.mounts().stream().anyMatch(mount -> FILE.matcher(mount).matches());
    }

    /** Its whole name in lower case, however it is written. */
    static String path(Theirs argument) {
        String key = argument.key().toLowerCase(Locale.ROOT);
        return key.startsWith("traefik_") ? key.substring(8).replace('_', '.') : key.replaceFirst("^--?", "");
    }

    /** The name of the entry point or resolver in it. */
    static String nameIn(Theirs argument) {
        String[] parts = path(argument).split("\\.");
        return parts.length < 2 ? "" : parts[1];
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    /** One of Docker's or Swarm's provider. */
    @Nullable
    Theirs ofProvider(String option) {
        Theirs docker = all.get("providers.docker." + option);
        return docker == null ? all.get("providers.swarm." + option) : docker;
    }

    /** The label that services need, by the constraints of its provider; null if they are none, or more than one label. */
    Map.@Nullable Entry<String, String> neededLabel() {
        Theirs constraints = ofProvider("constraints");
        return constraints == null ? null : labelOf(constraints);
    }

    /** The one label that constraints are about. */
    static Map.@Nullable Entry<String, String> labelOf(Theirs constraints) {
        Matcher label = ONE_LABEL.matcher(constraints.value().strip());
        return label.matches() ? Map.entry(label.group(1), label.group(2)) : null;
    }

    /** Whether a service without {@code traefik.enable} is served, as far as the file says. */
    boolean exposesByDefault() {
        Theirs argument = ofProvider("exposedbydefault");
        return argument == null || Theirs.isTrue(argument.value());
    }

    /** Whether this is an entry point for plain HTTP, as far as its address or its name says. */
    boolean isPlain(String name) {
        String port = port(name);
        return port.equals("80")
                || !port.equals("443") && PLAIN_NAME.matcher(name).matches();
    }

    /** The same for HTTPS. */
    boolean isSecure(String name) {
        String port = port(name);
        return port.equals("443")
                || !port.equals("80") && SECURE_NAME.matcher(name).matches();
    }

    /** Whether it is one of the two. */
    boolean hasPort(String name) {
        return isPlain(name) || isSecure(name);
    }

    private String port(String name) {
        return valueOf(name, "address").replaceFirst("/tcp$", "").replaceFirst("(?s)^.*:", "");
    }

    /** Whether requests over plain HTTP get a response here that is no redirect. */
    boolean servesPlain(String name) {
        return isPlain(name) && !withTls.contains(name.toLowerCase(Locale.ROOT)) && !isRedirected(name);
    }

    /** Whether an entry point redirects all its requests. */
    boolean isRedirected(String name) {
        return !valueOf(name, "http.redirections.entrypoint.to").isEmpty();
    }

    /** The names of those that a router has which names none. */
    Set<String> defaultEntryPoints() {
        return defaultEntryPoints;
    }

    private Set<String> findDefaultEntryPoints() {
        Set<String> names = new LinkedHashSet<>();
        for (String path : all.keySet()) {
            Matcher entryPoint = ENTRY_POINT.matcher(path);
            if (entryPoint.matches() && !entryPoint.group(1).equals("traefik")) {
                names.add(entryPoint.group(1));
            }
        }
        names.removeIf(name -> valueOf(name, "address").toLowerCase(Locale.ROOT).endsWith("/udp"));
        Set<String> marked = new LinkedHashSet<>(names);
        marked.removeIf(name -> !Theirs.isTrue(valueOf(name, "asdefault")));
        return marked.isEmpty() ? names : marked;
    }

    /** Whether routers for TCP name this entry point. */
    boolean isForTcp(String name) {
        return ofTcp.contains(name.toLowerCase(Locale.ROOT));
    }

    /** The middlewares that an entry point puts before those of each router; null if there are none. */
    @Nullable
    Theirs middlewares(String entryPoint) {
        return all.get(("entrypoints." + entryPoint + ".http.middlewares").toLowerCase(Locale.ROOT));
    }

    private String valueOf(String entryPoint, String option) {
        Theirs argument = all.get(("entrypoints." + entryPoint + "." + option).toLowerCase(Locale.ROOT));
        return argument == null ? "" : argument.value().strip();
    }

    /** Whether an argument is there elsewhere with another value, and it is no list. */
    boolean isAmbiguous(Theirs argument) {
        return ambiguous.contains(path(argument));
    }

    /** The names in a list. */
    static List<String> names(String list) {
        return Arrays.asList(TraefikRows.words(list).split(" "));
    }
}
