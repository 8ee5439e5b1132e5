package io.millau.server.internal.moving;

import io.millau.core.internal.Words;
import io.millau.server.internal.compose.ComposeServices;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What the labels of Traefik 2 and 3 become. Each router is a route. For one thread. */
final class FromTraefik {

    private static final int MOST_MIDDLEWARES = 50;

    private static final String NOT_HERE =
            " is not in this file: see what it does, and give the service labels for that";

    private static final Pattern LOGIN = Pattern.compile(
            "middlewares\\.(?:basicauth|digestauth|forwardauth|ipallowlist|ipwhitelist)\\.", Pattern.CASE_INSENSITIVE);

    private final List<MovedService> moved = new ArrayList<>();
    private final TraefikArguments arguments;
    private final TraefikOrder order = new TraefikOrder();

    private final List<RedirectOfAll> redirectsOfAll = new ArrayList<>();

    /** The middlewares of entry points, with Traefik. */
    private final Map<Theirs, MovedService> ofEntryPoints = new LinkedHashMap<>();

    /** By the name of a middleware of an entry point that is not known, the services that stay closed without it. */
    private final Map<String, Set<String>> closedWithout = new LinkedHashMap<>();

    /** The names of services without any of its labels. */
    private final List<String> unlabelled;

    /** By name. */
    private final Map<String, Middleware> middlewares = new LinkedHashMap<>();

    /** A middleware, which is equal to itself alone. */
    private static final class Middleware {
        final String service;
        final List<Theirs> options;

        /** The services with a router that is carried over with it. */
        final Set<String> usedBy = new HashSet<>();

        /** Whether a router with it is left out. */
        boolean leftOut;

        Middleware(String service, List<Theirs> options) {
            this.service = service;
            this.options = options;
        }
    }

    /** The rule of a router that redirects all hosts to HTTPS. */
    private record RedirectOfAll(MovedService to, Theirs rule, boolean isProxy) {}

    /** The options of a router or a service, by their names in lower case. */
    private record Group(String name, Map<String, Theirs> options, Map<String, String> values) {}

    private FromTraefik(List<ComposeServices.Service> services) {
        arguments = TraefikArguments.in(services);
        unlabelled = services.stream()
                .filter(service -> service.labels().keySet().stream().noneMatch(FromTraefik::isTheirs)
                        && TraefikArguments.of(service).isEmpty())
                .map(ComposeServices.Service::name)
                .toList();
    }

    static List<MovedService> read(List<ComposeServices.Service> services) {
        FromTraefik traefik = new FromTraefik(services);
        services.forEach(service -> group(service.labels(), "middlewares")
                .values()
                .forEach(group -> traefik.define(service.name(), group)));
        services.forEach(traefik::move);
        traefik.ofEntryPoints.forEach(traefik::sayWhomTheyClose);
        traefik.redirectsOfAll.forEach(traefik::redirectAll);
        traefik.order.report();
        traefik.sayWhoUses();
        return traefik.moved;
    }

    private void define(String service, Group group) {
        middlewares.putIfAbsent(
                group.name.toLowerCase(Locale.ROOT), new Middleware(service, List.copyOf(group.options.values())));
    }

    private void move(ComposeServices.Service service) {
        MovedService to = new MovedService(service);
        moved.add(to);
        moveArguments(service, to);
        Map<String, Theirs> others = others(service.labels());
        Theirs enable = others.get("enable");
        boolean off = enable == null ? !arguments.exposesByDefault() : Theirs.isFalse(enable.value());
        if (off) {
            service.labels().keySet().stream()
                    .filter(FromTraefik::isTheirs)
                    .forEach(label -> to.note(
                            label,
                            enable == null
                                    ? "Traefik does not serve it without traefik.enable=true"
                                    : "a service is not proxied without millau.enabled"));
            return;
        }
        Map<String, Group> routers = group(service.labels(), "routers");
        new Routers(service, to, routers).move();
        Theirs network = others.containsKey("docker.network") || others.containsKey("swarm.network")
                ? null
                : arguments.ofProvider("network");
        for (MovedRoute route : to.routes()) {
            if (network != null) {
                to.move(Row.label("", "network"), network, route);
            }
        }
        Map.Entry<String, String> needed = arguments.neededLabel();
        if (needed != null
                && service.labels().keySet().stream().anyMatch(FromTraefik::isTheirs)
                && needed.getValue().equals(service.labels().get(needed.getKey()))) {
            to.keep(needed.getKey(), needed.getValue(), "DOCKER_LABEL names it");
        }
        for (MovedRoute route : to.routes().isEmpty() ? List.of(new MovedRoute("")) : to.routes()) {
            others.values().stream()
                    .filter(label -> !to.keeps(label.key()))
                    .forEach(label -> to.move(TraefikRows.ROWS.of(label.option()), label, route));
        }
        boolean hasRules = routers.values().stream().anyMatch(router -> router.options.containsKey("rule"));
        if (!hasRules && enable != null && TraefikArguments.isTraefik(service)) {
            to.note(enable.key(), "this is Traefik itself");
        } else if (!hasRules && enable != null) {
            explainWithoutRules(enable, others, to);
        }
    }

    private static void explainWithoutRules(Theirs enable, Map<String, Theirs> others, MovedService to) {
        if (others.keySet().stream().anyMatch(label -> label.startsWith("tcp.") || label.startsWith("udp."))) {
            to.note(enable.key(), "Millau has no routers for TCP and UDP: publish the service's own port");
        } else {
            to.cannot(
                    enable.key(),
                    "no router has a rule here, so its host is of Traefik's own configuration: give it millau.enabled=true and"
                            + " millau.hosts");
        }
    }

    /** What Traefik's own arguments become, if this is Traefik. */
    private void moveArguments(ComposeServices.Service service, MovedService to) {
        List<Theirs> own = TraefikArguments.of(service);
        String variables = service.unread().get("env_file");
        if (TraefikArguments.isTraefik(service) && variables != null) {
            to.cannot("env_file", variables);
        } else if (TraefikArguments.isTraefik(service) && (own.isEmpty() || TraefikArguments.hasFile(service))) {
            to.cannot(
                    "configFile",
                    "a file configures this Traefik, in place of arguments, and is not read: see what it does");
        }
        for (Theirs argument : own) {
            to.move(TraefikArgumentRows.ROWS.of(argument.option()), argument, to.environment());
            if (arguments.isAmbiguous(argument)) {
                to.cannot(argument.key(), "it is there again with another value: leave out the one that does not hold");
            }
            if (argument.option().equals("entrypoints.http.middlewares")) {
                ofEntryPoints.put(argument, to);
            }
        }
        if (!own.isEmpty() && arguments.exposesByDefault() && !unlabelled.isEmpty()) {
            to.move(
                    Row.noVariable(
                            "",
                            "without it Traefik serves what has no label, too (" + String.join(", ", unlabelled)
                                    + "), Millau only what has millau.enabled=true"),
                    new Theirs("--providers.docker.exposedByDefault=false", "", "", Map.of()),
                    to.environment());
        }
    }

    /** One line for a middleware of an entry point that is not known, whatever the number of its services. */
    private void sayWhomTheyClose(Theirs argument, MovedService proxy) {
        missing(argument.value()).forEach(name -> {
            Set<String> services = closedWithout.getOrDefault(name, Set.of());
            proxy.cannot(
                    argument.key(),
                    services.isEmpty()
                            ? name + NOT_HERE
                            : name + " is not in this file: see what it does; closed until they have labels for that: "
                                    + String.join(", ", services));
        });
    }

    private static boolean isTheirs(String label) {
        return label.toLowerCase(Locale.ROOT).startsWith("traefik.");
    }

    /** A line for each option of a middleware that no router of its own service has used. */
    private void sayWhoUses() {
        for (Middleware middleware : middlewares.values()) {
            if (!middleware.usedBy.contains(middleware.service)) {
                String remark = middleware.usedBy.isEmpty()
                        ? middleware.leftOut ? "it is of a router that is left out" : "no router in this file uses it"
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
        private final boolean isProxy;
        private final Set<String> usedServices = new HashSet<>();

        /** The routes that another has joined whose requests are not all redirected. */
        private final Set<MovedRoute> answering = new HashSet<>();

        Routers(ComposeServices.Service service, MovedService to, Map<String, Group> routers) {
            this.service = service.name();
            this.isProxy = TraefikArguments.isTraefik(service);
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
            SharedRequests.close(to, this::rule);
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
                TraefikRule.Reading page = isProxy && rule != null && hasLogin(router) ? readingOf(rule) : null;
                if (rule != null && page != null && !hostsOf(page).isEmpty()) {
                    return List.of(statusPage(router, rule, page));
                }
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
            TraefikRule.Reading reading;
            try {
                reading = TraefikRule.read(rule.value().strip());
            } catch (IllegalArgumentException e) {
                to.close(rule.key(), e.getMessage() + ". This router is left out");
                router.options.values().stream()
                        .filter(option -> option != rule)
                        .forEach(option -> to.note(option.key(), "its router is left out"));
                leaveOutMiddlewares(router);
                return List.of();
            }
            List<MovedRoute> routes = new ArrayList<>();
            reading.ignored().forEach(why -> to.close(rule.key(), why));
            for (TraefikRule.Selection selection : reading.selections()) {
                MovedRoute route = new MovedRoute(router.name);
                routes.add(route);
                to.move(
                        Row.of("routers.rule", "", (label, r) -> select(router, selection, r))
                                .protecting(),
                        rule,
                        route);
                moveService(router, route);
                int closings = to.closings();
                moveMiddlewares(router, rule, route);
                router.options.values().stream()
                        .filter(option -> option != rule)
                        .forEach(option -> to.move(row(option), option, route));
                order.add(to, route, rule, router.options.get("priority"), selection, to.closings() > closings);
            }
            return routes;
        }

        private boolean hasLogin(Group router) {
            return middlewaresOf(router).stream()
                    .flatMap(middleware -> middleware.options.stream())
                    .anyMatch(option -> LOGIN.matcher(option.option()).lookingAt());
        }

        private static TraefikRule.@Nullable Reading readingOf(Theirs rule) {
            try {
                return TraefikRule.read(rule.value().strip());
            } catch (IllegalArgumentException e) {
                return null;
            }
        }

        private static Set<String> hostsOf(TraefikRule.Reading reading) {
            return reading.selections().stream()
                    .flatMap(selection -> selection.hosts().stream())
                    .collect(Collectors.toCollection(LinkedHashSet::new));
        }

        /** Traefik's own pages behind a login become Millau's own, at any path: labels of Millau itself. */
        private MovedRoute statusPage(Group router, Theirs rule, TraefikRule.Reading reading) {
            MovedRoute route = new MovedRoute(router.name);
            Set<String> hosts = hostsOf(reading);
            TraefikRule.Selection first = reading.selections().get(0);
            reading.ignored().forEach(why -> to.close(rule.key(), why));
            boolean alike = reading.selections().stream()
                    .allMatch(selection -> Set.copyOf(selection.hosts()).equals(Set.copyOf(first.hosts()))
                            && Set.copyOf(selection.clients()).equals(Set.copyOf(first.clients())));
            if (!alike) {
                to.close(
                        rule.key(),
                        "the status page is one route: expected the same hosts and clients in all alternatives");
            }
            to.move(
                    Row.of("", "", (label, r) -> {
                                r.set("hosts", String.join(" ", hosts));
                                if (!first.clients().isEmpty()) {
                                    r.set("allow", String.join(" ", first.clients()));
                                }
                                r.set("port", "9100");
                                return "these are labels of Millau itself, for its status page";
                            })
                            .protecting(),
                    rule,
                    route);
            moveMiddlewares(router, rule, route);
            router.options.values().stream()
                    .filter(option -> option != rule)
                    .forEach(option -> to.move(row(option), option, route));
            Set<String> all = new LinkedHashSet<>(hosts);
            all.addAll(TraefikArguments.names(
                    to.environment().get("TELEMETRY_HOSTS").replace(' ', ',')));
            all.remove("");
            to.environment().replace("TELEMETRY_HOSTS", String.join(" ", all));
            return route;
        }

        private Row row(Theirs option) {
            Row row = TraefikRows.ROWS.of(option.option());
            return option.option().equalsIgnoreCase("routers.entrypoints")
                    ? Row.of("", "", (label, route) -> TraefikRows.entryPoints(label, route, arguments))
                            .protecting()
                    : row;
        }

        /** The entry points of a router, as far as they are known. */
        private Collection<String> entryPoints(Group router) {
            String names = valueOf(router, "entrypoints");
            return names.isEmpty() ? arguments.defaultEntryPoints() : TraefikArguments.names(names);
        }

        private String select(Group router, TraefikRule.Selection selection, MovedRoute route) {
            boolean all = selection.hosts().isEmpty()
                    && selection.path().isEmpty()
                    && selection.clients().isEmpty();
            if (!selection.hosts().isEmpty()) {
                route.set("hosts", String.join(" ", selection.hosts()));
            }
            if (!selection.path().isEmpty() && !selection.path().equals("/")) {
                route.set("path", selection.path());
            }
            if (!selection.clients().isEmpty()) {
                route.set("allow", String.join(" ", selection.clients()));
            }
            List<String> entryPoints = entryPoints(router).stream()
                    .filter(name -> !arguments.isForTcp(name))
                    .toList();
            if (!router.options.containsKey("entrypoints")
                    && !entryPoints.isEmpty()
                    && !TraefikRows.servesPlainByDefault(entryPoints, arguments)) {
                route.set("redirect", "https");
            }
            if (selection.exact()) {
                throw new IllegalArgumentException(
                        "millau.path is the beginning of a path, so more would be served than this one");
            }
            List<String> remarks = new ArrayList<>();
            if (all) {
                remarks.add("a route without millau.hosts is for all hosts");
            }
            selection.hosts().stream()
                    .filter(host -> host.startsWith("*."))
                    .findFirst()
                    .ifPresent(host -> {
                        if (selection.oneLabel()) {
                            remarks.add(host + " is also for names with more dots, such as a.b" + host.substring(1));
                        }
                        if (!isPlain(router)) {
                            remarks.add("its certificate needs ACME_DNS in Millau's environment, or CERTS");
                        }
                    });
            return String.join("; ", remarks);
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
            middlewaresOf(router).forEach(middleware -> middleware.leftOut = true);
        }

        /** Those of its entry points, then its own. */
        private Set<Middleware> middlewaresOf(Group router) {
            Set<Middleware> chain = new LinkedHashSet<>();
            for (String entryPoint : entryPoints(router)) {
                Theirs names = arguments.middlewares(entryPoint);
                if (names != null) {
                    chain.addAll(chain(names.value(), new LinkedHashSet<>(), new LinkedHashSet<>()));
                }
            }
            chain.addAll(chain(valueOf(router, "middlewares"), new LinkedHashSet<>(), new LinkedHashSet<>()));
            return chain;
        }

        private void closeWithoutMissing(Group router) {
            for (String entryPoint : entryPoints(router)) {
                Theirs names = arguments.middlewares(entryPoint);
                if (names != null) {
                    missing(names.value()).forEach(name -> {
                        to.close();
                        closedWithout
                                .computeIfAbsent(name, middleware -> new LinkedHashSet<>())
                                .add(Words.shown(service));
                    });
                }
            }
            Theirs names = router.options.get("middlewares");
            if (names != null) {
                missing(names.value()).forEach(name -> to.close(names.key(), name + NOT_HERE));
            }
        }

        private void moveMiddlewares(Group router, Theirs rule, MovedRoute route) {
            closeWithoutMissing(router);
            Set<Middleware> chain = middlewaresOf(router);
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
            return !TraefikRows.isTls(router.values)
                    && entryPoints(router).stream().noneMatch(arguments::isSecure);
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
            Set<String> different = SharedRequests.difference(route, whole);
            different.removeAll(Set.of("canonical", "redirect"));
            if (isSource || isRedirected(route)) {
                different.retainAll(route.labels().keySet());
            } else if (answering.add(whole) && (isTarget || isRedirected(whole))) {
                different.retainAll(whole.labels().keySet());
            }
            Theirs rule = rule(route);
            if (rule != null && !different.isEmpty()) {
                to.close(rule.key(), SharedRequests.sameRequests(different));
            }
            route.labels().forEach((label, value) -> whole.labels().putIfAbsent(label, value));
            if (!hosts.isEmpty()) {
                whole.replace("hosts", String.join(" ", hosts));
            }
            if (servedPlain) {
                whole.servePlain();
                whole.remove("redirect");
            }
            route.joins(whole);
        }

        /** Whether its entry points redirect all its requests to HTTPS. */
        private boolean isRedirected(MovedRoute route) {
            Group router = routers.get(route.name());
            if (router == null || TraefikRows.isTls(router.values)) {
                return false;
            }
            Collection<String> of = entryPoints(router);
            return !of.isEmpty() && of.stream().allMatch(arguments::isRedirected);
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
            boolean ofAll = route.hosts().isEmpty()
                    && route.get("path").isEmpty()
                    && route.get("allow").isEmpty();
            boolean known = !arguments.defaultEntryPoints().isEmpty();
            List<MovedRoute> redirected = to.routes().stream()
                    .filter(other -> ofAll
                            ? other.get("redirect").equals("https") || !known && !other.isPlain()
                            : covers(route, other))
                    .toList();
            redirected.forEach(other -> other.replace("redirect", "https"));
            Theirs rule = rule(route);
            if (ofAll && rule != null && (isProxy || redirected.isEmpty())) {
                redirectsOfAll.add(new RedirectOfAll(to, rule, isProxy));
            } else if (!redirected.isEmpty()) {
                route.joins(redirected.get(0));
            } else if (rule != null) {
                to.cannot(
                        rule.key(),
                        "no router here answers over HTTPS for these hosts: give millau.redirect=https to the service that does");
            }
        }
    }

    /** Whether a route gets all requests of another. */
    private static boolean covers(MovedRoute route, MovedRoute other) {
        String path = route.get("path").replaceFirst("/$", "") + "/";
        boolean hosts = route.hosts().isEmpty()
                || !other.hosts().isEmpty() && route.hosts().containsAll(other.hosts());
        boolean clients = route.get("allow").isEmpty() || route.get("allow").equals(other.get("allow"));
        return hosts && clients && (other.get("path") + "/").startsWith(path);
    }

    /** REDIRECT is for all services, and comes first: in Traefik a longer rule does. */
    private void redirectAll(RedirectOfAll redirect) {
        String plain = moved.stream()
                .flatMap(service -> service.routes().stream()
                        .filter(route -> !route.get("redirect").equals("https"))
                        .map(route -> Words.shown(route.name() + " of " + service.name())))
                .findFirst()
                .orElse("");
        if (!plain.isEmpty()) {
            redirect.to.cannot(
                    redirect.rule.key(),
                    "REDIRECT=https would redirect router " + plain
                            + " too, which serves plain HTTP: give millau.redirect=https to the services that redirect");
        } else if (redirect.isProxy) {
            redirect.to.move(
                    Row.of("", "", (label, environment) -> {
                        environment.setVariable("REDIRECT", "https");
                        return "for all services";
                    }),
                    redirect.rule,
                    redirect.to.environment());
        } else {
            redirect.to.note(
                    redirect.rule.key(), "set REDIRECT=https in Millau's environment, which is for all services");
        }
    }

    private Set<String> missing(String names) {
        Set<String> missing = new LinkedHashSet<>();
        chain(names, new LinkedHashSet<>(), missing);
        return missing;
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
}
