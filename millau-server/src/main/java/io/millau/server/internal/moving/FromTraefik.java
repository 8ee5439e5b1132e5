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
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What the labels of Traefik 2 and 3 become. Each router is a route. For one thread. */
final class FromTraefik {

    private static final int MOST_MIDDLEWARES = 50;

    private final List<MovedService> moved = new ArrayList<>();

    /** By name. */
    private final Map<String, Middleware> middlewares = new LinkedHashMap<>();

    private record Middleware(String service, List<Theirs> options, Set<String> usedBy) {}

    /** The options of a router or a service, by their names in lower case. */
    private record Group(String name, Map<String, Theirs> options, Map<String, String> values) {}

    private FromTraefik() {}

    static List<MovedService> read(List<ComposeServices.Service> services) {
        FromTraefik traefik = new FromTraefik();
        services.forEach(service -> group(service.labels(), "middlewares")
                .values()
                .forEach(group -> traefik.define(service.name(), group)));
        services.forEach(traefik::move);
        traefik.sayWhoUses();
        return traefik.moved;
    }

    private void define(String service, Group group) {
        middlewares.putIfAbsent(
                group.name.toLowerCase(Locale.ROOT),
                new Middleware(service, List.copyOf(group.options.values()), new HashSet<>()));
    }

    private void move(ComposeServices.Service service) {
        MovedService to = new MovedService(service);
        moved.add(to);
        Map<String, Theirs> others = others(service.labels());
        boolean off =
                others.containsKey("enable") && others.get("enable").lowerCase().equals("false");
        Map<String, Group> routers = group(service.labels(), "routers");
        if (off) {
            others.values().forEach(label -> to.note(label.key(), "a service is not proxied without millau.enabled"));
            return;
        }
        new Routers(service, to, routers).move();
        for (MovedRoute route : to.routes().isEmpty() ? List.of(new MovedRoute("")) : to.routes()) {
            others.values().forEach(label -> to.move(TraefikRows.ROWS.of(label.option()), label, route));
        }
        boolean hasRules = routers.values().stream().anyMatch(router -> router.options.containsKey("rule"));
        if (!hasRules && others.containsKey("enable")) {
            to.cannot(
                    others.get("enable").key(),
                    "no router has a rule here, so its host is of Traefik's own configuration: give it millau.enabled=true and"
                            + " millau.hosts");
        }
    }

    /** A line for each option of a middleware that no router of its own service has used. */
    private void sayWhoUses() {
        for (Middleware middleware : middlewares.values()) {
            if (!middleware.usedBy.contains(middleware.service)) {
                String remark = middleware.usedBy.isEmpty()
                        ? "no router in this file uses it"
                        : "it is carried over to " + String.join(", ", new TreeSet<>(middleware.usedBy));
                moved.stream()
                        .filter(service -> service.name().equals(middleware.service))
                        .forEach(service -> middleware.options.forEach(option -> service.note(option.key(), remark)));
            }
        }
    }

    /** The routers of one service. */
    private final class Routers {
        private final MovedService to;
        private final Map<String, Group> routers;
        private final Map<String, Group> services;
        private final String service;
        private final Set<String> usedServices = new HashSet<>();

        Routers(ComposeServices.Service service, MovedService to, Map<String, Group> routers) {
            this.service = service.name();
            this.to = to;
            this.routers = routers;
            this.services = group(service.labels(), "services");
        }

        void move() {
            List<MovedRoute> all = new ArrayList<>();
            routers.values().forEach(router -> all.addAll(routes(router)));
            all.stream().filter(route -> !route.onlyRedirects()).forEach(this::join);
            all.stream().filter(MovedRoute::onlyRedirects).forEach(this::joinRedirect);
            leaveOutRedirectsElsewhere();
            services.forEach((name, group) -> {
                if (!usedServices.contains(name)) {
                    group.options
                            .values()
                            .forEach(option -> to.note(option.key(), "no router that is carried over uses it"));
                }
            });
        }

        private List<MovedRoute> routes(Group router) {
            Theirs rule = router.options.get("rule");
            String target = valueOf(router, "service");
            if (target.endsWith("@internal") && !target.startsWith("noop")) {
                router.options
                        .values()
                        .forEach(option -> to.note(
                                option.key(),
                                "Millau's own status page is at TELEMETRY, port 9100, for those who may reach that"));
                leaveOutMiddlewares(router);
                return List.of();
            }
            if (rule == null) {
                router.options
                        .values()
                        .forEach(option -> to.cannot(
                                option.key(),
                                "its router has no rule here, so its host is of Traefik's own configuration"));
                return List.of();
            }
            List<TraefikRule.Selection> selections;
            try {
                selections = TraefikRule.read(rule.value().strip());
            } catch (IllegalArgumentException e) {
                to.cannot(rule.key(), e.getMessage() + ". This router is left out");
                router.options.values().stream()
                        .filter(option -> option != rule)
                        .forEach(option -> to.note(option.key(), "its router is left out"));
                leaveOutMiddlewares(router);
                return List.of();
            }
            List<MovedRoute> routes = new ArrayList<>();
            for (TraefikRule.Selection selection : selections) {
                MovedRoute route = new MovedRoute(router.name);
                routes.add(route);
                to.move(
                        Row.of("routers.rule", "", (label, r) -> select(selection, r))
                                .protecting(),
                        rule,
                        route);
                moveService(router, route);
                moveMiddlewares(router, route);
                router.options.values().stream()
                        .filter(option -> option != rule)
                        .forEach(option -> to.move(TraefikRows.ROWS.of(option.option()), option, route));
            }
            return routes;
        }

        private void moveService(Group router, MovedRoute route) {
            Theirs named = router.options.get("service");
            Group group = named != null
                    ? services.get(named.value().strip().replaceFirst("@(?:docker|swarm)$", ""))
                    : services.size() == 1 ? services.values().iterator().next() : services.get(router.name);
            if (group != null) {
                usedServices.add(group.name);
                group.options.values().forEach(option -> to.move(TraefikRows.ROWS.of(option.option()), option, route));
            } else if (named == null && !services.isEmpty()) {
                to.close(
                        services.values()
                                .iterator()
                                .next()
                                .options
                                .values()
                                .iterator()
                                .next()
                                .key(),
                        "several services are there, and none has the router's name: say its port with millau.port");
            } else if (named != null && !named.value().startsWith("noop@")) {
                to.close(
                        named.key(),
                        "that service is not one of this container: give its labels to the one that it is");
            }
        }

        /** Says of the middlewares of a router that it is left out. */
        private void leaveOutMiddlewares(Group router) {
            for (Middleware middleware :
                    chain(valueOf(router, "middlewares"), new LinkedHashSet<>(), new LinkedHashSet<>())) {
                if (middleware.service.equals(service)) {
                    middleware.usedBy.add(service);
                    middleware.options.forEach(option -> to.note(option.key(), "it is of a router that is left out"));
                }
            }
        }

        private void moveMiddlewares(Group router, MovedRoute route) {
            Theirs names = router.options.get("middlewares");
            if (names == null) {
                return;
            }
            Set<String> missing = new LinkedHashSet<>();
            Set<Middleware> chain = chain(names.value(), new LinkedHashSet<>(), missing);
            missing.forEach(name -> to.close(
                    names.key(),
                    name + " is not in this file: see what it does, and give the service labels for that"));
            boolean redirects = false;
            for (Middleware middleware : chain) {
                middleware.usedBy.add(service);
                for (Theirs option : middleware.options) {
                    redirects |= option.option().toLowerCase(Locale.ROOT).startsWith("middlewares.redirectscheme.");
                    to.move(TraefikRows.ROWS.of(option.option()), option, route);
                }
            }
            if (redirects && route.get("redirect").equals("https") && isPlain(router)) {
                route.redirectOnly();
            }
        }

        private boolean isPlain(Group router) {
            return router.options.keySet().stream().noneMatch(option -> option.startsWith("tls"))
                    && Arrays.stream(TraefikRows.words(valueOf(router, "entrypoints"))
                                    .split(" "))
                            .noneMatch(name ->
                                    TraefikRows.SECURE_NAME.matcher(name).matches());
        }

        /** Makes it a route, or a part of one that gets the same requests. */
        private void join(MovedRoute route) {
            String canonical = route.get("canonical");
            for (MovedRoute other : to.routes()) {
                boolean same = other.get("hosts").equals(route.get("hosts"))
                        && other.get("allow").equals(route.get("allow"));
                if (other.get("path").equals(route.get("path"))
                        && other.get("port").equals(route.get("port"))
                        && (same || isCanonical(canonical, other) || isCanonical(other.get("canonical"), route))) {
                    merge(route, other);
                    return;
                }
            }
            to.routes().add(route);
        }

        /** Whether a host that is redirected to belongs to a route that is not. */
        private static boolean isCanonical(String canonical, MovedRoute other) {
            return !canonical.isEmpty() && other.hosts().contains(canonical);
        }

        private void merge(MovedRoute route, MovedRoute whole) {
            boolean isTarget = isCanonical(whole.get("canonical"), route);
            boolean isSource = isCanonical(route.get("canonical"), whole);
            boolean servedPlain = !isSource && route.isPlain() || !isTarget && whole.isPlain();
            Set<String> hosts = new LinkedHashSet<>(whole.hosts());
            hosts.addAll(route.hosts());
            route.labels().forEach((label, value) -> {
                Theirs rule = rule(route);
                String other = whole.labels().putIfAbsent(label, value);
                boolean differs = other != null && !other.equals(value) && !label.equals("hosts");
                if (differs && rule != null) {
                    to.close(rule.key(), "another router gets the same requests, with another millau." + label);
                }
            });
            if (!hosts.isEmpty()) {
                whole.replace("hosts", String.join(" ", hosts));
            }
            if (servedPlain) {
                whole.servePlain();
                whole.remove("redirect");
            }
            route.joins(whole);
        }

        private @Nullable Theirs rule(MovedRoute route) {
            Group router = routers.get(route.name());
            return router == null ? null : router.options.get("rule");
        }

        /** A host that others are redirected to has to be of the same route. */
        private void leaveOutRedirectsElsewhere() {
            List<MovedRoute> elsewhere = to.routes().stream()
                    .filter(route ->
                            !route.get("canonical").isEmpty() && !route.hosts().contains(route.get("canonical")))
                    .toList();
            to.routes().removeAll(elsewhere);
            for (MovedRoute route : elsewhere) {
                Theirs rule = rule(route);
                if (rule != null) {
                    to.cannot(
                            rule.key(),
                            "its hosts are redirected to one that no router here answers for: give the service that does"
                                    + " millau.canonical, and all of these in millau.hosts");
                }
            }
        }

        /** A router that only redirects to HTTPS is no route: those of its hosts redirect. */
        private void joinRedirect(MovedRoute route) {
            Set<String> hosts = route.hosts();
            List<MovedRoute> ofHosts = to.routes().stream()
                    .filter(other -> hosts.isEmpty()
                            || hosts.containsAll(other.hosts())
                                    && !other.hosts().isEmpty())
                    .toList();
            ofHosts.forEach(other -> other.replace("redirect", "https"));
            Theirs rule = rule(route);
            if (!ofHosts.isEmpty()) {
                route.joins(ofHosts.get(0));
            } else if (hosts.isEmpty() && rule != null) {
                to.note(rule.key(), "set REDIRECT=https in Millau's environment, which is for all services");
            } else if (rule != null) {
                to.cannot(
                        rule.key(),
                        "no router here answers over HTTPS for these hosts: give millau.redirect=https to the service that does");
            }
        }
    }

    /** The middlewares of a list of names, those of chains in their place. */
    private Set<Middleware> chain(String names, Set<String> seen, Set<String> missing) {
        Set<Middleware> chain = new LinkedHashSet<>();
        for (String written : names.split(",")) {
            String name = written.strip().replaceFirst("@(?:docker|swarm)$", "");
            Middleware middleware = middlewares.get(name.toLowerCase(Locale.ROOT));
            if (name.isEmpty() || !seen.add(name) || seen.size() > MOST_MIDDLEWARES) {
                continue;
            }
            if (middleware == null) {
                missing.add(name.matches("[\\w@.-]{1,80}") ? name : "a middleware");
                continue;
            }
            chain.add(middleware);
            middleware.options.stream()
                    .filter(option -> option.option().equalsIgnoreCase("middlewares.chain.middlewares"))
                    .forEach(option -> chain.addAll(chain(option.value(), seen, missing)));
        }
        return chain;
    }

    /** The routers, services or middlewares among labels, by name. */
    private static Map<String, Group> group(Map<String, String> labels, String kind) {
        Map<String, Group> groups = new LinkedHashMap<>();
        labels.forEach((key, value) -> {
            String[] parts = key.split("\\.", 5);
            boolean isOne = parts.length == 5 && !parts[4].isEmpty();
            if (isOne && key.toLowerCase(Locale.ROOT).startsWith("traefik.http." + kind + ".")) {
                Group group = groups.computeIfAbsent(
                        parts[3], name -> new Group(name, new LinkedHashMap<>(), new LinkedHashMap<>()));
                String option = parts[4].toLowerCase(Locale.ROOT);
                group.values.put(option, value);
                group.options.put(option, new Theirs(key, kind + "." + parts[4], value, group.values));
            }
        });
        return groups;
    }

    /** The labels that are not of routers, services and middlewares. */
    private static Map<String, Theirs> others(Map<String, String> labels) {
        Map<String, Theirs> others = new LinkedHashMap<>();
        labels.forEach((key, value) -> {
            String lower = key.toLowerCase(Locale.ROOT);
            if (lower.startsWith("traefik.")
                    && !lower.matches("(?s)traefik\\.http\\.(?:routers|services|middlewares)\\.[^.]*\\..+")) {
                String option = key.substring("traefik.".length());
                others.put(option.toLowerCase(Locale.ROOT), new Theirs(key, option, value, Map.of()));
            }
        });
        return others;
    }

    private static String valueOf(Group group, String option) {
        Theirs theirs = group.options.get(option);
        return theirs == null ? "" : theirs.value().strip();
    }

    private static String select(TraefikRule.Selection selection, MovedRoute route) {
        if (!selection.hosts().isEmpty()) {
            route.set("hosts", String.join(" ", selection.hosts()));
        }
        if (!selection.path().isEmpty() && !selection.path().equals("/")) {
            route.set("path", selection.path());
        }
        if (!selection.clients().isEmpty()) {
            route.set("allow", String.join(" ", selection.clients()));
        }
        if (selection.exact()) {
            throw new IllegalArgumentException(
                    "millau.path is the beginning of a path, so more would be served than this one");
        }
        return selection.hosts().isEmpty() && route.labels().isEmpty()
                ? "a route without millau.hosts is for all hosts"
                : "";
    }
}
