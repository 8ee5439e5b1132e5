package io.millau.server.internal.moving;

import io.millau.server.internal.compose.ComposeServices;
import io.millau.server.internal.compose.NotComposeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** What the variables and labels of nginx-proxy and its acme-companion become. Pure functions. */
final class FromNginxProxy {

    private static final int MOST_ROUTES = 100;
    private static final String LABEL = "com.github.nginx-proxy.nginx-proxy";
    private static final String VIRTUAL_HOST = "VIRTUAL_HOST";
    private static final String MULTIPORTS = "VIRTUAL_HOST_MULTIPORTS";
    private static final String DEFAULT_EMAIL = "DEFAULT_EMAIL";
    private static final String BY_ACME = "each host gets a certificate by ACME";
    private static final String ACCOUNT = "set ACME_EMAIL, in Millau's environment";

    private static final Pattern AGE =
            Pattern.compile("max-age=([0-9]{1,9});?( ?includeSubDomains;?)?( ?preload;?)?", Pattern.CASE_INSENSITIVE);

    /** Other variables are those of the service itself. */
    private static final Pattern OF_PROXY = Pattern.compile(
            "(?:VIRTUAL|LETSENCRYPT|ACME)_[A-Z_]+|HTTPS_METHOD|HSTS|CERT_NAME"
                    + "|NETWORK_ACCESS|SSL_POLICY|SERVER_TOKENS|ENABLE_HTTP_ON_MISSING_CERT|TRUST_DEFAULT_CERT|EXTERNAL_HTTPS?_PORT");

    /** Those of a service that show that it is for nginx-proxy. */
    private static final Pattern OF_SERVED = Pattern.compile("(?:VIRTUAL|LETSENCRYPT)_[A-Z_]+");

    private static final Pattern OF_COMPANION = Pattern.compile("ACME_|LETSENCRYPT_");

    private static final Pattern IMAGE = Pattern.compile(
            "(?:[^@]*/)?(?:nginx-proxy|docker-gen|(?:acme|letsencrypt-nginx-proxy)-companion)(?::[^/@]*)?(?:@.*)?",
            Pattern.DOTALL);

    private static final String LOGINS_NOT_READ =
            "its files are logins of hosts, and are not read: give the services of"
                    + " these hosts millau.users (htpasswd -nB NAME makes one)";
    private static final String CONFIGURATION_NOT_READ =
            "its files are configuration of nginx, and are not read: see what"
                    + " they do; a login is millau.users, addresses of clients are millau.allow, a header is millau.response-header.NAME";

    static final Rows ROWS = new Rows(List.of(
            Row.label("virtual_host", "hosts", FromNginxProxy::hosts),
            Row.label("virtual_port", "port"),
            Row.label("virtual_proto", "scheme", FromNginxProxy::scheme),
            Row.label("virtual_path", "path", FromNginxProxy::path).protecting(),
            Row.of("virtual_dest", "`millau.strip` if it is `/`", FromNginxProxy::destination),
            Row.of("virtual_host_multiports", "a route for each port and path", (variable, route) -> ""),
            Row.none("virtual_root", "FastCGI has no counterpart: put a web server into the service"),
            Row.of(
                    "letsencrypt_host",
                    "`millau.redirect`, `millau.hsts`: nginx-proxy does both by itself",
                    FromNginxProxy::certificate),
            Row.of(
                    "acme_host",
                    "`millau.redirect`, `millau.hsts`: nginx-proxy does both by itself",
                    FromNginxProxy::certificate),
            Row.free("letsencrypt_email", ACCOUNT),
            Row.free("acme_email", ACCOUNT),
            Row.variable("default_email", "ACME_EMAIL", email -> email),
            Row.free("letsencrypt_test", "set ACME, in Millau's environment, to a directory for tests"),
            Row.free("acme_ca_uri", "set ACME, in Millau's environment"),
            Row.free("letsencrypt_keysize", BY_ACME),
            Row.free("letsencrypt_single_domain_certs", BY_ACME),
            Row.free("letsencrypt_restart_container", "certificates are used without a restart"),
            Row.free("acme_challenge", "set ACME_DNS, in Millau's environment, for wildcards; others need none"),
            Row.of("https_method", "`millau.redirect`", FromNginxProxy::method),
            Row.of("hsts", "`millau.hsts`", FromNginxProxy::hsts),
            Row.none(
                    "cert_name",
                    "put the certificate into the folder of CERTS, in Millau's environment: its names are read"),
            Row.of("network_access", "`millau.allow=private` if it is `internal`", (variable, route) -> {
                        if (variable.lowerCase().equals("internal")) {
                            route.set("allow", "private");
                        }
                        return "";
                    })
                    .protecting(),
            Row.free("ssl_policy", "versions and ciphers are fixed"),
            Row.free("server_tokens", "Millau does not name itself"),
            Row.free("enable_http_on_missing_cert", "a host without a certificate gets a self-signed one"),
            Row.free("trust_default_cert", "a host without a certificate gets a self-signed one"),
            Row.none("external_http_port", "no redirect leads to plain HTTP"),
            Row.none(
                    "external_https_port",
                    "HTTPS_PORT in the environment of Millau is the port in redirects of all services"),
            Row.free(LABEL, "it marks the proxy itself"),
            Row.free(LABEL + ".nginx", "it marks the proxy itself"),
            Row.of(LABEL + ".loadbalance", "`millau.balance`, `millau.sticky`", FromNginxProxy::balance),
            Row.free(LABEL + ".keepalive", "connections are reused"),
            Row.free(LABEL + ".http2.enable", "HTTP/2 is always offered"),
            Row.free(LABEL + ".http3.enable", "HTTP/1.1 and HTTP/2 are offered"),
            Row.free(LABEL + ".non-get-redirect", "redirects keep the method: 308"),
            Row.free(LABEL + ".debug-endpoint", "the status page is at TELEMETRY, port 9100"),
            Row.none(LABEL + ".ssl_verify_client", "give the CA as millau.client-ca")
                    .protecting(),
            Row.none(NginxFolders.LOGINS, LOGINS_NOT_READ),
            Row.none(NginxFolders.HOSTS, CONFIGURATION_NOT_READ),
            Row.none(NginxFolders.CONFIGURATION, CONFIGURATION_NOT_READ),
            Row.free(
                    NginxFolders.CERTIFICATES,
                    "each host gets a certificate by ACME; one of your own belongs into the folder of CERTS, in Millau's"
                            + " environment, a CA for clients (ca.crt) is millau.client-ca")));

    private FromNginxProxy() {}

    static List<MovedService> read(List<ComposeServices.Service> services) {
        boolean any = services.stream().anyMatch(service -> isServed(service) || isItself(service));
        Map<String, MovedService> withLogins = new LinkedHashMap<>();
        List<MovedService> moved = new ArrayList<>();
        for (ComposeServices.Service service : services) {
            MovedService to = new MovedService(service);
            moved.add(to);
            if (isItself(service)) {
                moveItself(service, to);
            } else if (isServed(service)) {
                moveServed(service, to);
            } else {
                moveOther(service, to);
            }
            if (isNginx(service, any)) {
                NginxFolders.in(service).forEach((folder, ofMachine) -> moveFolder(folder, ofMachine, to, withLogins));
            }
        }
        withLogins.forEach((folder, proxy) -> closeAll(moved, folder, proxy));
        return moved;
    }

    /** Whether the proxy itself, whose folders have more settings, is one of these. */
    static boolean isIn(List<ComposeServices.Service> services) {
        return services.stream().anyMatch(service -> isNginx(service, true));
    }

    private static boolean isServed(ComposeServices.Service service) {
        return service.environment().containsKey(VIRTUAL_HOST)
                || service.environment().containsKey(MULTIPORTS);
    }

    /** Whether it is nginx-proxy, or one of its companions. */
    private static boolean isItself(ComposeServices.Service service) {
        return IMAGE.matcher(service.image()).matches() || service.labels().containsKey(LABEL);
    }

    private static boolean isCompanion(ComposeServices.Service service) {
        return service.image().contains("companion");
    }

    /**
     * Whether its folders are those of nginx-proxy. Any web server may have such ones.
     *
     * @param any whether there is anything of nginx-proxy
     */
    private static boolean isNginx(ComposeServices.Service service, boolean any) {
        if (isItself(service)) {
            return !isCompanion(service); // it writes to the same
        }
        Map<String, Boolean> folders = NginxFolders.in(service);
        return any
                && !isServed(service)
                && (folders.containsKey(NginxFolders.LOGINS) || folders.containsKey(NginxFolders.HOSTS));
    }

    private static void moveFolder(
            String folder, boolean ofMachine, MovedService to, Map<String, MovedService> withLogins) {
        if (folder.equals(NginxFolders.LOGINS) || folder.equals(NginxFolders.ALL)) {
            withLogins.putIfAbsent(folder, to);
        } else if (ofMachine) {
            to.move(ROWS.of(folder), new Theirs(folder, folder, "", Map.of()), new MovedRoute(""));
        } else if (!folder.equals(NginxFolders.CERTIFICATES)) {
            to.note(
                    folder,
                    "what the companions of nginx-proxy write into that volume: see whether it has files of yours");
        }
    }

    /** A login is of one host, but the names of the files are not known here. */
    private static void closeAll(List<MovedService> moved, String folder, MovedService proxy) {
        List<MovedService> closed =
                moved.stream().filter(service -> !service.routes().isEmpty()).toList();
        closed.forEach(MovedService::close);
        String names = closed.stream().map(MovedService::name).collect(Collectors.joining(", "));
        proxy.cannot(
                folder,
                LOGINS_NOT_READ
                        + (names.isEmpty()
                                ? ""
                                : ", those without a file millau.enabled=true; closed until then: " + names));
    }

    /** Its own settings are those of all its services. */
    private static void moveItself(ComposeServices.Service service, MovedService to) {
        boolean isCompanion = isCompanion(service);
        service.environment().forEach((key, value) -> {
            Theirs theirs = new Theirs(key, key, value, Map.of());
            if (isCompanion && key.equals(DEFAULT_EMAIL)) {
                to.move(ROWS.of(key), theirs, to.environment());
            } else if (isCompanion && OF_COMPANION.matcher(key).lookingAt() && ROWS.know(key)) {
                to.move(ROWS.of(key), theirs, new MovedRoute(""));
            } else if (OF_PROXY.matcher(key).matches()) {
                to.note(key, "it is a default of the proxy: say it for each service");
            }
        });
        labels(service).keySet().forEach(key -> to.note(key, "it marks the proxy itself"));
    }

    /** A service without a host. Variables such as HSTS, or ACME_EMAIL of Millau, may be of other programs, too. */
    private static void moveOther(ComposeServices.Service service, MovedService to) {
        String why = service.unread().isEmpty()
                ? "without VIRTUAL_HOST nginx-proxy does not serve it"
                : "VIRTUAL_HOST, without which nginx-proxy does not serve it, may be in what is not read";
        service.environment().keySet().stream()
                .filter(key -> OF_SERVED.matcher(key).matches())
                .forEach(key -> to.note(key, why));
        labels(service).keySet().forEach(key -> to.note(key, why));
    }

    private static Map<String, String> labels(ComposeServices.Service service) {
        Map<String, String> labels = new LinkedHashMap<>();
        service.labels().forEach((key, value) -> {
            if (key.equals(LABEL) || key.startsWith(LABEL + ".")) {
                labels.put(key, value);
            }
        });
        return labels;
    }

    private static void moveServed(ComposeServices.Service service, MovedService to) {
        Map<String, String> environment = new LinkedHashMap<>();
        service.environment().forEach((key, value) -> {
            if (OF_PROXY.matcher(key).matches()) {
                environment.put(key, value);
            }
        });
        Map<String, String> labels = labels(service);
        Map<String, String> siblings = new LinkedHashMap<>();
        environment.forEach((key, value) -> siblings.put(key.toLowerCase(Locale.ROOT), value));
        List<MovedRoute> routes = routes(environment, siblings, to);
        to.routes().addAll(routes);
        for (MovedRoute route : routes) {
            environment.forEach((key, value) -> {
                boolean isRoute = environment.containsKey(MULTIPORTS)
                        && (key.equals(MULTIPORTS) || key.matches("VIRTUAL_(?:HOST|PORT|PATH|DEST|PROTO)"));
                if (!isRoute) {
                    to.move(ROWS.of(key), new Theirs(key, key, value, siblings), route);
                }
            });
            labels.forEach((key, value) -> to.move(ROWS.of(key), new Theirs(key, key, value, siblings), route));
        }
        to.routes().removeIf(route -> route.get("hosts").isEmpty()); // it would be for all hosts
    }

    private static List<MovedRoute> routes(
            Map<String, String> environment, Map<String, String> siblings, MovedService to) {
        String multiports = environment.get(MULTIPORTS);
        if (multiports == null) {
            return List.of(new MovedRoute("route"));
        }
        List<MovedRoute> routes = new ArrayList<>();
        try {
            if (!(ComposeServices.yaml(MULTIPORTS, multiports) instanceof Map<?, ?> hosts)) {
                throw new IllegalArgumentException("expected hosts with paths with port and dest");
            }
            hosts.forEach((host, paths) -> {
                Map<?, ?> ofHost = paths instanceof Map<?, ?> map && !map.isEmpty() ? map : Map.of("/", Map.of());
                ofHost.forEach((path, options) -> {
                    MovedRoute route = new MovedRoute(host + "-" + path);
                    routes.add(route);
                    to.move(
                            Row.of(
                                            MULTIPORTS,
                                            "",
                                            (variable, r) ->
                                                    port(String.valueOf(host), String.valueOf(path), options, r))
                                    .protecting(),
                            new Theirs(MULTIPORTS, MULTIPORTS, multiports, siblings),
                            route);
                });
            });
        } catch (IllegalArgumentException | NotComposeException e) {
            to.cannot(MULTIPORTS, "expected YAML: hosts, their paths, and port, dest and proto of each");
            return List.of();
        }
        if (routes.size() > MOST_ROUTES) {
            to.cannot(MULTIPORTS, "expected at most " + MOST_ROUTES + " paths");
            return List.of();
        }
        return routes;
    }

    private static String port(String host, String path, Object options, MovedRoute route) {
        route.set("hosts", hosts(host));
        if (!path.equals("/")) {
            route.set("path", path(path));
        }
        if (options instanceof Map<?, ?> of) {
            if (of.get("port") instanceof String port) {
                route.set("port", port);
            }
            if (of.get("proto") instanceof String proto) {
                route.set("scheme", scheme(proto));
            }
            if (of.get("dest") instanceof String dest && !dest.isEmpty()) {
                strip(dest, route);
            }
        }
        return "";
    }

    private static String hosts(String list) {
        return Arrays.stream(list.split("[,\\s]+"))
                .filter(host -> !host.isEmpty())
                .map(FromNginxProxy::host)
                .distinct()
                .collect(Collectors.joining(" "));
    }

    private static String host(String host) {
        if (host.startsWith("~") || host.endsWith(".*")) {
            throw new IllegalArgumentException(
                    "no host is a pattern: write the names, or *.shop.example for all subdomains of one");
        }
        return host.startsWith(".") ? host.substring(1) : host;
    }

    private static String path(String path) {
        if (path.startsWith("~") || path.startsWith("=") || path.startsWith("^")) {
            throw new IllegalArgumentException("no path is a pattern: write the beginning of the path");
        }
        return path;
    }

    private static String scheme(String proto) {
        return switch (proto.strip().toLowerCase(Locale.ROOT)) {
            case "http", "https" -> proto.strip().toLowerCase(Locale.ROOT);
            case "grpc" -> "h2c";
            default -> throw new IllegalArgumentException("expected http, https or grpc: others have no counterpart");
        };
    }

    private static String destination(Theirs variable, MovedRoute route) {
        if (variable.value().strip().isEmpty()
                || variable.sibling("virtual_path").isEmpty()) {
            return "it is the path itself";
        }
        strip(variable.value().strip(), route);
        return "";
    }

    private static void strip(String destination, MovedRoute route) {
        if (!destination.equals("/")) {
            throw new IllegalArgumentException("the path can be cut off (/) or stay, but not become another");
        }
        route.set("strip", "true");
    }

    private static String certificate(Theirs variable, MovedRoute route) {
        if (variable.siblings().keySet().stream().noneMatch(List.of("https_method", "hsts")::contains)) {
            route.set("redirect", "https");
            route.set("hsts", "31536000");
        }
        return BY_ACME;
    }

    private static String method(Theirs variable, MovedRoute route) {
        String method = variable.lowerCase().strip();
        switch (method) {
            case "redirect", "nohttp" -> {
                route.set("redirect", "https");
                if (!variable.siblings().containsKey("hsts")) {
                    route.set("hsts", "31536000");
                }
            }
            case "noredirect", "nohttps" -> {
                return "without millau.redirect both are served";
            }
            default -> throw new IllegalArgumentException("expected redirect, noredirect, nohttp or nohttps");
        }
        return method.equals("nohttp") ? "plain HTTP is redirected" : "";
    }

    private static String hsts(Theirs variable, MovedRoute route) {
        if (!variable.siblings().containsKey("https_method")) {
            route.set("redirect", "https");
        }
        if (variable.lowerCase().strip().equals("off")) {
            return "without millau.hsts nothing is sent";
        }
        Matcher age = AGE.matcher(variable.value().strip());
        if (!age.matches()) {
            throw new IllegalArgumentException(
                    "expected max-age=31536000, perhaps with includeSubDomains and preload, or off");
        }
        if (age.group(2) == null && age.group(3) == null) {
            route.set("hsts", age.group(1));
        } else {
            route.set(
                    "response-header.Strict-Transport-Security",
                    variable.value().strip());
        }
        return "";
    }

    private static String balance(Theirs label, MovedRoute route) {
        String directive = label.lowerCase().strip().replaceFirst(";$", "");
        if (directive.equals("least_conn")) {
            route.set("balance", "least-connections");
            return "";
        }
        if (directive.equals("ip_hash") || directive.startsWith("hash ")) {
            route.set("sticky", "true");
            return "a cookie, not the address, keeps a client at its instance";
        }
        throw new IllegalArgumentException("millau.balance is round-robin, least-connections or least-time");
    }
}
