package io.millau.server.internal.moving;

import io.millau.server.internal.compose.ComposeServices;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
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

    private static final Pattern SITE = Pattern.compile("caddy(?:_[0-9]+)?");
    private static final Pattern ADDRESS =
            Pattern.compile("(https?://)?([^\\s/:{}]*(?:\\$\\{[^}\\s]*\\})?[^\\s/:{}]*)(?::([0-9]+))?(/\\S*)?");
    private static final Pattern UPSTREAM = Pattern.compile(
            "(?:(\\S+) +)??(?:(https?|h2c)://)?\\{\\{ *upstreams(?: +(http|https|h2c))?(?: +(\\S+))? *\\}\\}");
    private static final Pattern OTHER_UPSTREAM =
            Pattern.compile("(?:([/*@]\\S*) +)?(?:(https?|h2c)://)?([A-Za-z0-9_.-]+)(?::([0-9]+))?");
    private static final Pattern WHOLE_HOST = Pattern.compile(
            "(?:https?://|\\{scheme\\}://)([^\\s/{}$]*(?:\\$\\{[^}\\s]*\\})?[^\\s/{}]*)\\{uri\\}(?: +\\S+)?");

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
                if (to.routes().isEmpty() || !CaddyRows.ROWS.know(key)) {
                    to.note(key, "it is of caddy-docker-proxy itself");
                } else {
                    to.routes()
                            .forEach(route ->
                                    to.move(CaddyRows.ROWS.of(key), new Theirs(key, key, value, Map.of()), route));
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
            each(
                    site,
                    "",
                    false,
                    (directive, option) -> to.move(CaddyRows.ROWS.of(option), theirs(directive, option), none));
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
                (directive, option) -> to.move(CaddyRows.ROWS.of(option), theirs(directive, option), route));
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
        return CaddyRows.ROWS.of(option.startsWith("@") ? "@matcher" : option);
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
}
