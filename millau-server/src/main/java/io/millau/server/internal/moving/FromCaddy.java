package io.millau.server.internal.moving;

import io.millau.server.internal.compose.ComposeServices;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the labels of caddy-docker-proxy become. Each {@code reverse_proxy} with a path is a route. Pure functions.
 *
 * <p>See <a href="https://github.com/lucaslorentz/caddy-docker-proxy">how labels become a Caddyfile</a>.
 */
final class FromCaddy {

    private static final String PROXY = "reverse_proxy";
    private static final List<String> BLOCKS = List.of("handle", "handle_path", "route");
    private static final int MOST_ROUTES = 100;

    private static final String BY_ACME = "each host gets a certificate by ACME";
    private static final String BY_DNS = "set ACME_DNS, in Millau's environment, for wildcards; others need none";
    private static final String STREAMED = "bodies are streamed";
    private static final String RETRIED = "what is safe to repeat is retried at the next instance";
    private static final String OF_SERVICE = "the service has to do that itself, or another service with that path";

    private static final Pattern SITE = Pattern.compile("caddy(?:_[0-9]+)?");
    private static final Pattern ADDRESS =
            Pattern.compile("(https?://)?([^\\s/:{}]*(?:\\$\\{[^}\\s]*\\})?[^\\s/:{}]*)(?::([0-9]+))?(/\\S*)?");
    private static final Pattern UPSTREAM = Pattern.compile(
            "(?:(\\S+) +)??(?:(https?|h2c)://)?\\{\\{ *upstreams(?: +(http|https|h2c))?(?: +(\\S+))? *\\}\\}");
    private static final Pattern OTHER_UPSTREAM =
            Pattern.compile("(?:([/*@]\\S*) +)?(?:(https?|h2c)://)?([A-Za-z0-9_.-]+)(?::([0-9]+))?");
    private static final Pattern WHOLE_HOST = Pattern.compile(
            "(?:https?://|\\{scheme\\}://)([^\\s/{}$]*(?:\\$\\{[^}\\s]*\\})?[^\\s/{}]*)\\{uri\\}(?: +\\S+)?");
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,9}) *([kKmMgG]?)i?[bB]?");
    private static final Pattern SECONDS = Pattern.compile("([0-9]{1,5})(s|m|h)");

    static final Rows ROWS = new Rows(List.of(
            Row.of("caddy", "`millau.hosts`, and `millau.redirect` if it is not for plain HTTP", (label, route) -> ""),
            Row.label("caddy_ingress_network", "network"),
            Row.of("reverse_proxy", "`millau.port`, `millau.scheme`, `millau.path`", (label, route) -> ""),
            Row.of("handle", "`millau.path`", (label, route) -> ""),
            Row.of("handle_path", "`millau.path`, `millau.strip`", (label, route) -> ""),
            Row.of("route", "`millau.path`", (label, route) -> ""),
            Row.of("redir", "`millau.canonical` if it sends all of a host to another", (label, route) -> {
                throw new IllegalArgumentException("no label redirects paths: " + OF_SERVICE);
            }),
            Row.label("reverse_proxy.health_uri", "health"),
            Row.free("reverse_proxy.health_interval", "a health check is made every 5 s"),
            Row.free("reverse_proxy.health_timeout", "a health check waits as long as millau.timeout"),
            Row.none("reverse_proxy.health_port", "a health check is made at the service's own port"),
            Row.of("reverse_proxy.lb_policy", "`millau.balance`, `millau.sticky`", FromCaddy::balance),
            Row.free("reverse_proxy.lb_retries", RETRIED),
            Row.free("reverse_proxy.lb_try_duration", RETRIED),
            Row.free("reverse_proxy.lb_try_interval", RETRIED),
            Row.label("reverse_proxy.fail_duration", "retry", FromCaddy::seconds),
            Row.free("reverse_proxy.max_fails", "an instance is ejected by its first failure"),
            Row.free("reverse_proxy.flush_interval", STREAMED),
            Row.free("reverse_proxy.trusted_proxies", "TRUSTED, in Millau's environment, says who is believed"),
            Row.of("reverse_proxy.header_up", "`millau.request-header.NAME`", FromCaddy::headerUp),
            Row.of("reverse_proxy.header_up.*", "`millau.request-header.NAME`", FromCaddy::headerUp),
            Row.of("reverse_proxy.header_down", "`millau.response-header.NAME`", FromCaddy::header),
            Row.of("reverse_proxy.header_down.*", "`millau.response-header.NAME`", FromCaddy::header),
            Row.of("reverse_proxy.transport", "`millau.scheme` for its `tls`", (label, route) -> {
                if (!label.value().strip().equals("http")) {
                    throw new IllegalArgumentException("FastCGI has no counterpart: put a web server into the service");
                }
                return "";
            }),
            Row.of("reverse_proxy.transport.tls", "`millau.scheme=https`", (label, route) -> {
                route.set("scheme", "https");
                return "its certificate is verified";
            }),
            Row.none(
                    "reverse_proxy.transport.tls_insecure_skip_verify",
                    "an HTTPS service is verified: give its CA as millau.upstream-ca, and its name as millau.upstream-name"),
            Row.label("reverse_proxy.transport.tls_server_name", "upstream-name"),
            Row.label("reverse_proxy.transport.response_header_timeout", "timeout", FromCaddy::seconds),
            Row.label("reverse_proxy.transport.read_timeout", "timeout", FromCaddy::seconds),
            Row.free(
                    "reverse_proxy.transport.dial_timeout", "connecting may take 1 s, then the next instance is tried"),
            Row.free("reverse_proxy.transport.keepalive", "connections are reused"),
            Row.free("reverse_proxy.transport.versions", "it is HTTP/1.1, or HTTP/2 with millau.scheme=h2c"),
            Row.none("reverse_proxy.*", "there is no such option"),
            Row.of("basic_auth", "`millau.users`", FromCaddy::usersOfAll).protecting(),
            Row.of("basic_auth.*", "`millau.users`", FromCaddy::users).protecting(),
            Row.of("basicauth", "`millau.users`", FromCaddy::usersOfAll).protecting(),
            Row.of("basicauth.*", "`millau.users`", FromCaddy::users).protecting(),
            Row.of("forward_auth", "`millau.auth`", FromCaddy::auth).protecting(),
            Row.free("forward_auth.uri", "it belongs to forward_auth"),
            Row.label("forward_auth.copy_headers", "auth-headers", value -> {
                if (value.contains(">")) {
                    throw new IllegalArgumentException(
                            "headers keep their names: write those of the login in millau.auth-headers");
                }
                return value.replaceAll("\\s+", " ");
            }),
            Row.free("forward_auth.header_up", "X-Forwarded-Method, -Proto, -Host, -Uri and -For are sent"),
            Row.free("forward_auth.header_up.*", "X-Forwarded-Method, -Proto, -Host, -Uri and -For are sent"),
            Row.free("forward_auth.trusted_proxies", "TRUSTED, in Millau's environment, says who is believed"),
            Row.of("header", "`millau.response-header.NAME`", FromCaddy::header),
            Row.of("header.*", "`millau.response-header.NAME`, `millau.hsts`", FromCaddy::header),
            Row.label("request_body.max_size", "max-body", FromCaddy::size).protecting(),
            Row.of("request_body", "`millau.max-body`", (label, route) -> ""),
            Row.none("encode", "nothing is compressed here: the service can do it"),
            Row.none("encode.*", "nothing is compressed here: the service can do it"),
            Row.of("tls", "no label: " + BY_ACME, FromCaddy::tls),
            Row.free("tls.dns", BY_DNS),
            Row.free("tls.issuer", "set ACME, in Millau's environment"),
            Row.free("tls.on_demand", BY_ACME),
            Row.free("tls.resolvers", BY_DNS),
            Row.none("tls.client_auth.*", "give the CA as millau.client-ca").protecting(),
            Row.none("tls.client_auth", "give the CA as millau.client-ca").protecting(),
            Row.free("tls.*", "versions and ciphers are fixed"),
            Row.free("log", "set ACCESS_LOG, in Millau's environment"),
            Row.free("log.*", "set ACCESS_LOG, in Millau's environment"),
            Row.none("import", "write what the snippet does as labels").protecting(),
            Row.none("rewrite", "no label changes a path but millau.strip: a filter in code can"),
            Row.of("uri", "`millau.strip`, if it strips the path", (label, route) -> {
                String[] words = label.value().strip().split("\\s+");
                String path = route.get("path").replaceFirst("/$", "");
                if (words.length == 2 && words[0].equals("strip_prefix") && !path.isEmpty() && words[1].equals(path)) {
                    route.set("strip", "true");
                    return "";
                }
                throw new IllegalArgumentException(
                        "millau.strip cuts off millau.path: no label changes a path otherwise");
            }),
            Row.of("uri.strip_prefix", "`millau.strip`, if it is the path", (label, route) -> {
                String path = route.get("path").replaceFirst("/$", "");
                if (path.isEmpty() || !label.value().strip().equals(path)) {
                    throw new IllegalArgumentException(
                            "millau.strip cuts off millau.path: no label changes a path otherwise");
                }
                route.set("strip", "true");
                return "";
            }),
            Row.none("respond", "no label responds by itself: " + OF_SERVICE).protecting(),
            Row.none("abort", "no label refuses requests by what they are: millau.allow names the clients")
                    .protecting(),
            Row.none("error", "no label responds by itself: " + OF_SERVICE).protecting(),
            Row.none("rate_limit", "write millau.limit, 600/m for instance: requests of a client's address")
                    .protecting(),
            Row.none("rate_limit.*", "write millau.limit, 600/m for instance: requests of a client's address")
                    .protecting(),
            Row.none("file_server", "Millau serves no files: put a web server into the service"),
            Row.none("root", "Millau serves no files: put a web server into the service"),
            Row.none("php_fastcgi", "FastCGI has no counterpart: put a web server into the service"),
            Row.none("try_files", "Millau serves no files: put a web server into the service"),
            Row.none(
                    "handle_errors",
                    "responses of services are passed on as they are; for Millau's own failures, give the service with the pages millau.errors"),
            Row.none(
                    "handle_errors.*",
                    "responses of services are passed on as they are; for Millau's own failures, give the service with the pages millau.errors"),
            Row.none("@matcher", "services are chosen by host and path: millau.allow names clients")
                    .protecting(),
            Row.free("email", "set ACME_EMAIL, in Millau's environment"),
            Row.free("acme_ca", "set ACME, in Millau's environment"),
            Row.free("acme_dns", BY_DNS),
            Row.free("local_certs", "a host without a certificate gets a self-signed one"),
            Row.free(
                    "auto_https",
                    "millau.redirect says which services redirect; ACME=off, in Millau's environment, means no certificates"),
            Row.free("servers.*", "TRUSTED, in Millau's environment, says who is believed")));

    private FromCaddy() {}

    /**
     * A directive with those inside it.
     *
     * @param name without its number
     * @param label null if it is named by those inside it alone
     */
    private record Directive(String name, @Nullable Label label, Map<String, Directive> inside) {}

    private record Label(String key, String value) {}

    /** A site and where its new labels go. */
    private record Site(MovedService to, Directive root, boolean redirects, String hosts, Map<String, String> labels) {}

    static List<MovedService> read(List<ComposeServices.Service> services) {
        return services.stream().map(FromCaddy::move).toList();
    }

    private static MovedService move(ComposeServices.Service service) {
        MovedService to = new MovedService(service);
        Directive top = new Directive("", null, new LinkedHashMap<>());
        service.labels().forEach((key, value) -> {
            String first = key.split("\\.", 2)[0];
            if (SITE.matcher(first).matches()) {
                add(top, key, value);
            }
        });
        for (Directive site : top.inside.values()) {
            moveSite(service, to, site);
        }
        joinCanonical(to);
        service.labels().forEach((key, value) -> {
            if (key.matches("caddy_[a-z][a-z_]*")) {
                if (to.routes().isEmpty() || !ROWS.know(key)) {
                    to.note(key, "it is of caddy-docker-proxy itself");
                } else {
                    to.routes().forEach(route -> to.move(ROWS.of(key), new Theirs(key, key, value, Map.of()), route));
                }
            }
        });
        return to;
    }

    /** Adds a label to the tree of directives. */
    private static void add(Directive top, String key, String value) {
        String[] parts = key.split("\\.");
        Directive at = top;
        for (int i = 0; i < parts.length; i++) {
            String part = parts[i];
            String name = i == 0 ? "caddy" : part.replaceFirst("^[0-9]+_", "").replaceFirst("_[0-9]+$", "");
            Directive next = at.inside.get(part);
            boolean isLast = i == parts.length - 1;
            if (next == null || isLast) {
                Map<String, Directive> inside = next == null ? new LinkedHashMap<>() : next.inside;
                next = new Directive(name, isLast ? new Label(key, value) : null, inside);
                at.inside.put(part, next);
            }
            at = next;
        }
    }

    private static void moveSite(ComposeServices.Service service, MovedService to, Directive site) {
        Label address = site.label;
        if (address == null || address.value.isBlank()) { // global options
            site.inside.values().stream()
                    .filter(directive -> directive.name.equals(PROXY) || BLOCKS.contains(directive.name))
                    .forEach(directive ->
                            to.cannot(key(directive), "no label names its hosts: expected caddy=shop.example"));
            MovedRoute none = new MovedRoute("options");
            each(site, "", false, (directive, option) -> to.move(ROWS.of(option), theirs(directive, option), none));
            return;
        }
        if (address.value.strip().startsWith("(")) {
            to.note(address.key, "it is a snippet, for import");
            each(site, "", false, (directive, option) -> to.note(key(directive), "it is of a snippet"));
            return;
        }
        MovedRoute hosts = new MovedRoute("site");
        try {
            hosts(address.value, hosts);
        } catch (IllegalArgumentException e) {
            to.cannot(address.key, e.getMessage() + ". This site is left out");
            each(site, "", false, (directive, option) -> to.note(key(directive), "its site is left out"));
            return;
        }
        Site moved = new Site(to, site, !hosts.get("redirect").isEmpty(), hosts.get("hosts"), hosts.labels());
        List<MovedRoute> routes = new ArrayList<>();
        int before = to.problems();
        for (Directive directive : site.inside.values()) {
            if (directive.name.equals(PROXY)) {
                route(service, moved, directive, null, routes);
            } else if (BLOCKS.contains(directive.name)) {
                List<Directive> proxies = directive.inside.values().stream()
                        .filter(inner -> inner.name.equals(PROXY))
                        .toList();
                proxies.forEach(inner -> route(service, moved, inner, directive, routes));
                if (proxies.isEmpty()) {
                    closeBlock(to, directive);
                }
            }
        }
        if (routes.isEmpty()) {
            if (to.problems() == before) {
                moveRedirect(moved);
            } else {
                each(site, "", true, (directive, option) -> to.note(key(directive), "its site is left out"));
            }
        }
        List<MovedRoute> some = routes.size() > MOST_ROUTES ? routes.subList(0, MOST_ROUTES) : routes;
        for (MovedRoute route : some) {
            each(
                    site,
                    "",
                    true,
                    (directive, option) -> to.move(row(directive, option), theirs(directive, option), route));
        }
        to.routes().addAll(some);
    }

    /** A block may refuse requests, so a service is closed without it. */
    private static void closeBlock(MovedService to, Directive block) {
        to.close(key(block), "a block is a route if it has a reverse_proxy of its own");
        each(block, "", false, (directive, option) -> to.note(key(directive), "its block is left out"));
    }

    /** A site that only redirects to another host. */
    private static void moveRedirect(Site site) {
        MovedRoute route = new MovedRoute("redirect");
        for (Directive directive : site.root.inside.values()) {
            Label label = directive.label;
            Matcher whole = WHOLE_HOST.matcher(label == null ? "" : label.value.strip());
            if (directive.name.equals("redir") && label != null && whole.matches()) {
                site.to.move(
                        Row.of("caddy", "", (theirs, r) -> {
                            r.set("hosts", site.hosts);
                            return "";
                        }),
                        theirs(site.root, "caddy"),
                        route);
                site.to.move(
                        Row.of("redir", "", (theirs, r) -> {
                            r.set("canonical", whole.group(1));
                            return "";
                        }),
                        theirs(directive, "redir"),
                        route);
                site.to.routes().add(route);
                return;
            }
        }
        site.to.cannot(key(site.root), "it has no reverse_proxy with upstreams. This site is left out");
        each(site.root, "", false, (directive, option) -> site.to.note(key(directive), "its site is left out"));
    }

    /** A host that others are redirected to is of another site: these others belong to that. */
    private static void joinCanonical(MovedService to) {
        for (MovedRoute route : List.copyOf(to.routes())) {
            String canonical = route.get("canonical");
            if (canonical.isEmpty() || !route.name().equals("redirect")) {
                continue;
            }
            to.routes().remove(route);
            List<MovedRoute> wholes = to.routes().stream()
                    .filter(other -> other.hosts().contains(canonical)
                            && (other.get("canonical").isEmpty()
                                    || other.get("canonical").equals(canonical)))
                    .toList();
            for (MovedRoute whole : wholes) {
                Set<String> hosts = new LinkedHashSet<>(whole.hosts());
                hosts.addAll(route.hosts());
                whole.replace("hosts", String.join(" ", hosts));
                whole.replace("canonical", canonical);
                route.joins(whole);
            }
            if (wholes.isEmpty()) {
                to.cannot(
                        "redir",
                        "no site here answers for the host that it redirects to: give the service that does millau.canonical, and"
                                + " all of these in millau.hosts");
            }
        }
    }

    /** A route for one upstream of a site. */
    private static void route(
            ComposeServices.Service service,
            Site site,
            Directive proxy,
            @Nullable Directive block,
            List<MovedRoute> routes) {
        MovedRoute route = new MovedRoute(site.root.label == null ? "" : routeName(proxy, block));
        MovedService to = site.to;
        Label label = proxy.label;
        if (label == null) {
            to.close(key(site.root), "expected reverse_proxy with upstreams");
            return;
        }
        int before = to.problems();
        to.move(
                Row.of("caddy", "", (theirs, r) -> {
                    site.labels.forEach(r::set);
                    return "";
                }),
                theirs(site.root, "caddy"),
                route);
        if (block != null && block.label != null) {
            to.move(
                    Row.of(
                            "handle",
                            "",
                            (theirs, r) -> matcher(theirs.value().strip(), r, block.name.equals("handle_path"))),
                    theirs(block, "handle"),
                    route);
        }
        to.move(
                Row.of(
                        PROXY,
                        "",
                        (theirs, r) -> upstream(service, theirs.value().strip(), r)),
                theirs(proxy, PROXY),
                route);
        if (to.problems() > before) {
            each(
                    block == null ? proxy : block,
                    "",
                    false,
                    (directive, option) -> to.note(key(directive), "its route is left out"));
            return; // it would get more requests than it should
        }
        each(
                proxy,
                PROXY + ".",
                true,
                (directive, option) -> to.move(ROWS.of(option), theirs(directive, option), route));
        if (block != null) {
            block.inside.values().stream().filter(inner -> inner != proxy).forEach(inner -> {
                if (BLOCKS.contains(inner.name)) {
                    closeBlock(to, inner);
                } else if (!inner.name.equals(PROXY)) {
                    visit(
                            inner,
                            inner.name,
                            false,
                            (directive, option) -> to.move(row(directive, option), theirs(directive, option), route));
                }
            });
        }
        routes.add(route);
    }

    private static String routeName(Directive proxy, @Nullable Directive block) {
        String path = block == null || block.label == null ? "" : block.label.value;
        if (path.isEmpty() && proxy.label != null && proxy.label.value.startsWith("/")) {
            path = proxy.label.value.split("\\s", 2)[0];
        }
        return path.isEmpty() ? "web" : path;
    }

    private interface Visit {
        void visit(Directive directive, String option);
    }

    /**
     * Visits the directives inside one that have values.
     *
     * @param others whether to leave out those that are routes
     */
    private static void each(Directive of, String prefix, boolean others, Visit visit) {
        of.inside.values().stream()
                .filter(directive -> !others || !directive.name.equals(PROXY) && !BLOCKS.contains(directive.name))
                .forEach(directive -> visit(directive, prefix + directive.name, others, visit));
    }

    private static void visit(Directive directive, String option, boolean others, Visit visit) {
        if (directive.label != null) {
            visit.visit(directive, option);
        }
        each(directive, option + ".", false, visit);
    }

    private static Row row(Directive directive, String option) {
        return ROWS.of(option.startsWith("@") ? "@matcher" : option);
    }

    private static String key(Directive directive) {
        return directive.label == null ? directive.name : directive.label.key;
    }

    private static Theirs theirs(Directive directive, String option) {
        Map<String, String> siblings = new LinkedHashMap<>();
        directive.inside.values().forEach(inner -> {
            if (inner.label != null) {
                siblings.put(inner.name, inner.label.value);
            }
        });
        Label label = directive.label;
        return label == null
                ? new Theirs(directive.name, option, "", siblings)
                : new Theirs(label.key, option, label.value, siblings);
    }

    /** The hosts of a site; whether it is for HTTPS. */
    private static void hosts(String addresses, MovedRoute route) {
        Set<String> hosts = new LinkedHashSet<>();
        boolean secure = false;
        boolean plain = false;
        for (String address : addresses.strip().split("(?:,|\\s)+(?![^{]*\\})")) {
            Matcher parts = ADDRESS.matcher(address);
            boolean path =
                    parts.matches() && parts.group(4) != null && !parts.group(4).equals("/");
            if (!parts.matches() || path) {
                throw new IllegalArgumentException("expected addresses such as shop.example or https://shop.example");
            }
            String scheme = parts.group(1);
            String port = parts.group(3);
            if (port != null && !port.equals("80") && !port.equals("443")) {
                throw new IllegalArgumentException(
                        "Millau has one port for HTTP and one for HTTPS: expected 80 or 443");
            }
            boolean http = "http://".equals(scheme)
                    || "80".equals(port)
                    || parts.group(2).isEmpty() && !"443".equals(port);
            plain |= http;
            secure |= !http;
            hosts.add(parts.group(2).isEmpty() ? "*" : parts.group(2));
        }
        route.set("hosts", hosts.contains("*") ? "*" : String.join(" ", hosts));
        if (secure && !plain) {
            route.set("redirect", "https");
        }
    }

    /** A path, or another condition, of a directive. */
    private static String matcher(String matcher, MovedRoute route, boolean strip) {
        if (matcher.isEmpty() || matcher.equals("*") || matcher.equals("/*")) {
            return "";
        }
        String path = matcher.endsWith("*") ? matcher.substring(0, matcher.length() - 1) : matcher;
        if (!path.startsWith("/") || path.contains("*")) {
            throw new IllegalArgumentException(
                    "services are chosen by host and path: expected the beginning of a path, /api/* for instance");
        }
        route.set("path", path);
        if (strip) {
            route.set("strip", "true");
        }
        if (!matcher.endsWith("*")) {
            throw new IllegalArgumentException(
                    "millau.path is the beginning of a path, so more would be served than this one: if that is right, write * at its end");
        }
        return "";
    }

    private static String upstream(ComposeServices.Service service, String value, MovedRoute route) {
        Matcher own = UPSTREAM.matcher(value);
        Matcher other = OTHER_UPSTREAM.matcher(value);
        if (own.matches()) {
            String remark = own.group(1) == null ? "" : matcher(own.group(1), route, false);
            scheme(own.group(2) == null ? own.group(3) : own.group(2), route);
            if (own.group(4) != null) {
                route.set("port", own.group(4));
            }
            return remark;
        }
        if (other.matches() && other.group(3).equals(service.name())) {
            String remark = other.group(1) == null ? "" : matcher(other.group(1), route, false);
            scheme(other.group(2), route);
            route.set("port", other.group(4) == null ? "80" : other.group(4));
            return remark;
        }
        throw new IllegalArgumentException(
                "expected {{upstreams}}, perhaps with a port: give other services labels of their own, and"
                        + " servers that are no containers a place in the file that SERVICES names");
    }

    private static void scheme(@Nullable String scheme, MovedRoute route) {
        if (scheme != null && !scheme.equals("http")) {
            route.set("scheme", scheme);
        }
    }

    private static String balance(Theirs label, MovedRoute route) {
        String policy = label.lowerCase().strip().split("\\s", 2)[0];
        switch (policy) {
            case "round_robin", "random", "random_choose" -> {
                return "instances get requests in turn";
            }
            case "least_conn" -> route.set("balance", "least-connections");
            case "cookie", "ip_hash", "client_ip_hash" -> {
                route.set("sticky", "true");
                return "a cookie of its own keeps a client at its instance";
            }
            default ->
                throw new IllegalArgumentException("millau.balance is round-robin, least-connections or least-time");
        }
        return "";
    }

    private static String usersOfAll(Theirs label, MovedRoute route) {
        String value = label.value().strip();
        if (!value.isEmpty() && !value.matches("(?:\\*|/\\*)?(?: *bcrypt.*)?")) {
            throw new IllegalArgumentException(
                    "logins are for a route: give that path a route of its own, and name:hash as millau.users");
        }
        return "";
    }

    private static String users(Theirs label, MovedRoute route) {
        String user = label.name();
        if (!user.matches("[!-9;-~]{1,80}")) {
            throw new IllegalArgumentException("expected a name in ASCII: write name:hash as millau.users");
        }
        String users = route.get("users");
        route.replace("users", (users.isEmpty() ? "" : users + " ") + user + ":" + label.secret());
        return "put in the hash as it is; one in Base64 has to be decoded";
    }

    private static String auth(Theirs label, MovedRoute route) {
        String server = label.value().strip();
        if (server.matches(".*\\s.*") || server.startsWith("/") || server.startsWith("@") || server.startsWith("*")) {
            throw new IllegalArgumentException(
                    "a question is asked for a route: give that path a route of its own, and millau.auth");
        }
        String uri = label.sibling("uri").strip();
        String url = (server.contains("://") ? server : "http://" + server) + uri;
        boolean shown = !url.contains("?");
        route.set("auth", shown ? url : label.secret());
        return shown ? "" : "put in the URL as it is: its query may be secret";
    }

    private static String headerUp(Theirs label, MovedRoute route) {
        String[] field = field(label, "reverse_proxy.header_up");
        if (field[0].toLowerCase(Locale.ROOT).matches("x-forwarded-.*|x-real-ip|forwarded|host")) {
            if (field[0].equalsIgnoreCase("host")
                    && !field[1].equals("{host}")
                    && !field[1].equals("{http.request.host}")) {
                throw new IllegalArgumentException("the service always gets the host that the client asked for");
            }
            return "Millau sets it; TRUSTED says which proxies in front are believed";
        }
        if (field[1].contains("{") && !field[1].contains("${")) {
            throw new IllegalArgumentException("a header has a fixed value: expected no {placeholder}");
        }
        boolean removed = field[1].isEmpty();
        route.set("request-header." + field[0], removed ? "" : label.secret());
        return removed ? "" : "put in its value as it is: it may be secret";
    }

    private static String header(Theirs label, MovedRoute route) {
        String[] field = field(label, label.option().startsWith("header") ? "header" : "reverse_proxy.header_down");
        if (field[1].contains("{") && !field[1].contains("${")) {
            throw new IllegalArgumentException("a header has a fixed value: expected no {placeholder}");
        }
        Matcher age = Pattern.compile("max-age=([0-9]{1,9});?").matcher(field[1]);
        if (field[0].equalsIgnoreCase("Strict-Transport-Security") && age.matches()) {
            route.set("hsts", age.group(1));
        } else {
            route.set("response-header." + field[0], field[1]);
        }
        return "";
    }

    /** The name and the value of a header, from {@code header.NAME} with a value, or {@code header} with both. */
    private static String[] field(Theirs label, String directive) {
        String name =
                label.option().length() > directive.length() ? label.option().substring(directive.length() + 1) : "";
        String value = label.value().strip();
        if (name.isEmpty()) {
            String[] words = value.replaceFirst("^(?:/?\\*)\\s+", "").split("\\s+", 2);
            name = words[0];
            value = words.length < 2 ? "" : words[1].strip();
        }
        boolean quoted = value.length() >= 2
                && "\"`".indexOf(value.charAt(0)) >= 0
                && value.charAt(value.length() - 1) == value.charAt(0);
        value = quoted ? value.substring(1, value.length() - 1) : value;
        if (name.startsWith("-")) {
            return new String[] {name.substring(1), ""};
        }
        if (name.isEmpty() || "+?>/@".indexOf(name.charAt(0)) >= 0 || value.isEmpty() || value.contains("\"")) {
            throw new IllegalArgumentException(
                    "a header is set or removed, for all of a route: expected its name and its value");
        }
        return new String[] {name, value};
    }

    private static String tls(Theirs label, MovedRoute route) {
        String value = label.value().strip();
        if (value.equals("internal")) {
            return "a host that can't have a public certificate gets a self-signed one";
        }
        if (value.isEmpty() || value.contains("@") || value.equals("force_automate")) {
            return BY_ACME + "; ACME_EMAIL, in Millau's environment, is the account's";
        }
        throw new IllegalArgumentException("put the certificate into the folder of CERTS, in Millau's environment");
    }

    private static String size(String text) {
        Matcher size = SIZE.matcher(text);
        if (!size.matches()) {
            throw new IllegalArgumentException("expected a size, 10MB for instance");
        }
        return size.group(1) + size.group(2).toLowerCase(Locale.ROOT);
    }

    private static String seconds(String text) {
        Matcher time = SECONDS.matcher(text);
        if (!time.matches()) {
            throw new IllegalArgumentException("expected whole seconds, 30s for instance");
        }
        long unit = time.group(2).equals("h") ? 3600 : time.group(2).equals("m") ? 60 : 1;
        return String.valueOf(Long.parseLong(time.group(1)) * unit);
    }
}
