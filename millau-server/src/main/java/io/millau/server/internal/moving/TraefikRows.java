package io.millau.server.internal.moving;

import io.millau.core.internal.Words;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The table for Traefik 2 and 3, and how values are converted. Pure functions. */
final class TraefikRows {

    private static final String OPEN_PORTS = "Millau has one port for HTTP and one for HTTPS";
    private static final String BY_DOCKER_LABEL =
            "DOCKER_LABEL in the environment of Millau names a label that its services need";
    private static final String TLS =
            "`millau.redirect`: such a router serves HTTPS alone; " + Row.BY_ACME + ", a wildcard with ACME_DNS";
    private static final String STICKY = "the cookie has its own name and attributes";
    private static final String CHECKED = "a health check is made every 5 s, and waits as long as millau.timeout";
    private static final String CLIENTS_BY_TRUSTED =
            "set TRUSTED, in Millau's environment, to the proxies in front: that says who the client is";

    /** A redirect of all of a host, with its path: from {@code www.} or another name. */
    private static final Pattern WHOLE_HOST = Pattern.compile(
            "\\^?https?\\??(?:\\(s\\)\\?)?:(?:/|\\\\/){2}(\\(\\?:www\\\\*\\.\\)\\?|www\\\\*\\.)?([A-Za-z0-9.\\\\_${}:?-]*)(?:/|\\\\/)?\\(\\.[*+]\\)\\$?");

    private static final Pattern TARGET = Pattern.compile(
            "https?://([A-Za-z0-9._-]*(?:\\$\\{[A-Z_a-z][^{}$\\s]*\\}|\\$[A-Z_a-z][A-Z_a-z0-9]*)?[A-Za-z0-9._-]*?)/?\\$(?:\\{1\\}|1)");

    static final Rows ROWS = new Rows(List.of(
            Row.label("enable", "enabled", value -> String.valueOf(Theirs.bool(value)))
                    .protecting(),
            Row.label("docker.network", "network"),
            Row.label("swarm.network", "network"),
            Row.free("docker.lbswarm", "requests go to the tasks themselves"),
            Row.free("swarm.lbswarm", "requests go to the tasks themselves"),
            Row.of(
                    "constraint-label",
                    "itself, if Traefik's `constraints` name it, and then DOCKER_LABEL; else none",
                    Row.none("", BY_DOCKER_LABEL).action()),
            Row.none("tags", BY_DOCKER_LABEL),
            Row.none("tcp.*", "Millau proxies HTTP alone"),
            Row.none("udp.*", "Millau proxies HTTP alone"),
            Row.none("frontend.*", "this is a label of Traefik 1: give the service millau.hosts and millau.path")
                    .protecting(),
            Row.none("port", "this is a label of Traefik 1: it is millau.port"),
            Row.none("backend", "this is a label of Traefik 1"),

            // routers
            Row.of("routers.rule", "`millau.hosts`, `millau.path`, `millau.allow`", (label, route) -> ""),
            Row.of(
                            "routers.entrypoints",
                            "`millau.redirect` if none of them is for plain HTTP",
                            (label, route) -> "") // FromTraefik knows Traefik's arguments
                    .protecting(),
            Row.of("routers.tls", TLS, TraefikRows::tls),
            Row.of("routers.tls.certresolver", TLS, TraefikRows::tls),
            Row.of("routers.tls.domains.*", TLS, TraefikRows::tls),
            Row.none(
                            "routers.tls.options",
                            "if clients need a certificate, that is millau.client-ca; versions and ciphers are fixed")
                    .protecting(),
            Row.of(
                    "routers.middlewares",
                    "what each of them becomes",
                    (label, route) -> "its middlewares are carried over"),
            Row.of("routers.service", "a route with `millau.port`", (label, route) -> "it says which port is meant"),
            Row.of(
                    "routers.priority",
                    "no label: the best host wins, then the longest path; where that is another router, none",
                    (label, route) -> "the best host wins, then the longest path"),
            Row.free("routers.rulesyntax", "both are read"),
            Row.free("routers.observability.*", "ACCESS_LOG and metrics are for all services"),

            // services
            Row.label("services.loadbalancer.server.port", "port"),
            Row.label("services.loadbalancer.server.scheme", "scheme"),
            Row.none(
                    "services.loadbalancer.server.url",
                    "an address that is no container belongs into the file that SERVICES names"),
            Row.of(
                    "services.loadbalancer.passhostheader",
                    "no label if it is true: the host is passed",
                    (label, route) -> {
                        if (!Theirs.bool(label.value())) {
                            throw new IllegalArgumentException(
                                    "the service always gets the host that the client asked for");
                        }
                        return "the host is passed";
                    }),
            Row.label("services.loadbalancer.healthcheck.path", "health"),
            Row.free("services.loadbalancer.healthcheck.interval", CHECKED),
            Row.free("services.loadbalancer.healthcheck.timeout", CHECKED),
            Row.free("services.loadbalancer.healthcheck.unhealthyinterval", CHECKED),
            Row.none(
                    "services.loadbalancer.healthcheck.*",
                    "a health check is a GET of a path at the service's own port"),
            Row.of("services.loadbalancer.sticky", "`millau.sticky`", TraefikRows::sticky),
            Row.of("services.loadbalancer.sticky.cookie", "`millau.sticky`", TraefikRows::sticky),
            Row.of("services.loadbalancer.sticky.cookie.*", "`millau.sticky`: " + STICKY, (label, route) -> {
                route.set("sticky", "true");
                return STICKY;
            }),
            Row.free("services.loadbalancer.responseforwarding.*", Row.STREAMED),
            Row.none(
                    "services.loadbalancer.serverstransport",
                    "an HTTPS service is verified: give its CA as millau.upstream-ca, and its name as millau.upstream-name"),

            // middlewares
            Row.of("middlewares.redirectscheme.scheme", "`millau.redirect`", (label, route) -> {
                if (!label.lowerCase().equals("https")) {
                    throw new IllegalArgumentException("expected https: nothing is redirected to plain HTTP");
                }
                route.set("redirect", "https");
                return "";
            }),
            Row.free("middlewares.redirectscheme.permanent", "it is a 308"),
            Row.of("middlewares.redirectscheme.port", "no label if it is 443", (label, route) -> {
                if (!label.value().strip().equals("443")) {
                    throw new IllegalArgumentException("redirects go to the default port of HTTPS, or to HTTPS_PORT");
                }
                return "that is the default port of HTTPS";
            }),
            Row.of(
                    "middlewares.redirectregex.regex",
                    "`millau.canonical` if it sends other hosts to one, with their path",
                    TraefikRows::canonical),
            Row.free("middlewares.redirectregex.replacement", "it belongs to regex"),
            Row.free("middlewares.redirectregex.permanent", "it is a 308"),
            Row.of("middlewares.basicauth.users", "`millau.users`", TraefikRows::users)
                    .protecting(),
            Row.of("middlewares.basicauth.usersfile", "`millau.users`, by `base64 -w0 FILE`", (label, route) -> {
                        route.set("users", Words.PLACEHOLDER + "base64_-w0_FILE");
                        return "put in what base64 -w0 FILE prints; hashes have to be bcrypt";
                    })
                    .protecting(),
            Row.free("middlewares.basicauth.realm", "the realm is the service's name"),
            Row.free("middlewares.basicauth.removeheader", "the service gets no Authorization"),
            Row.none("middlewares.basicauth.headerfield", "the service gets the name as X-Forwarded-User"),
            Row.none(
                            "middlewares.digestauth.*",
                            "there is no digest authentication: give bcrypt hashes as millau.users")
                    .protecting(),
            Row.of("middlewares.forwardauth.address", "`millau.auth`", (label, route) -> {
                        route.set(
                                "auth",
                                label.value().contains("?")
                                        ? label.secret()
                                        : label.value().strip());
                        return label.value().contains("?") ? "put in the value as it is: its query may be secret" : "";
                    })
                    .protecting(),
            Row.label("middlewares.forwardauth.authresponseheaders", "auth-headers", TraefikRows::words),
            Row.free("middlewares.forwardauth.authrequestheaders", "all headers are sent but those of the connection"),
            Row.free("middlewares.forwardauth.trustforwardheader", "TRUSTED says who is believed"),
            Row.free("middlewares.forwardauth.maxresponsebodysize", "it has a limit of its own"),
            Row.none(
                    "middlewares.forwardauth.tls.*",
                    "a server of millau.auth is verified against the CAs that Java trusts"),
            Row.none("middlewares.forwardauth.*", "millau.auth has no such option"),
            Row.label("middlewares.ipallowlist.sourcerange", "allow", TraefikRows::words)
                    .protecting(),
            Row.none("middlewares.ipallowlist.ipstrategy.*", CLIENTS_BY_TRUSTED).protecting(),
            Row.free("middlewares.ipallowlist.rejectstatuscode", "others get 403"),
            Row.label("middlewares.ipwhitelist.sourcerange", "allow", TraefikRows::words)
                    .protecting(),
            Row.none("middlewares.ipwhitelist.ipstrategy.*", CLIENTS_BY_TRUSTED).protecting(),
            Row.of(
                            "middlewares.ratelimit.average",
                            "`millau.limit`, of the shortest period, which is the tightest; a longer one lets more come at once",
                            TraefikRows::limit)
                    .protecting(),
            Row.free("middlewares.ratelimit.period", "it belongs to average"),
            Row.free("middlewares.ratelimit.burst", "as many requests may come at once as millau.limit counts"),
            Row.none(
                    "middlewares.ratelimit.sourcecriterion.*",
                    CLIENTS_BY_TRUSTED + "; requests are counted by its address"),
            Row.of("middlewares.inflightreq.amount", "`millau.max-requests`", (label, route) -> {
                route.set("max-requests", label.value().strip());
                return "it is counted for each instance, and others wait for a place";
            }),
            Row.none("middlewares.inflightreq.sourcecriterion.*", "requests in progress are counted for each instance"),
            Row.label("middlewares.buffering.maxrequestbodybytes", "max-body").protecting(),
            Row.free("middlewares.buffering.*", Row.STREAMED),
            Row.of(
                    "middlewares.stripprefix.prefixes",
                    "`millau.strip`, if it is the router's path",
                    TraefikRows::strip),
            Row.free("middlewares.stripprefix.forceslash", "the path begins with a slash in any case"),
            Row.none("middlewares.stripprefixregex.*", "millau.strip cuts off millau.path"),
            Row.none("middlewares.addprefix.*", "no label changes a path but millau.strip: a filter in code can"),
            Row.none("middlewares.replacepath.*", "no label changes a path but millau.strip: a filter in code can"),
            Row.none(
                    "middlewares.replacepathregex.*", "no label changes a path but millau.strip: a filter in code can"),
            Row.of(
                    "middlewares.headers.customrequestheaders.*",
                    "`millau.request-header.NAME`",
                    TraefikRows::requestHeader),
            Row.of("middlewares.headers.customresponseheaders.*", "`millau.response-header.NAME`", (label, route) -> {
                route.set("response-header." + label.name(), label.value());
                return "";
            }),
            Row.of(
                    "middlewares.headers.stsseconds",
                    "`millau.hsts`; with `stsIncludeSubdomains` or `stsPreload` `millau.response-header.Strict-Transport-Security`",
                    TraefikRows::hsts),
            Row.free("middlewares.headers.stsincludesubdomains", "it belongs to stsSeconds"),
            Row.free("middlewares.headers.stspreload", "it belongs to stsSeconds"),
            Row.free("middlewares.headers.forcestsheader", "it is sent over HTTPS, where browsers read it"),
            flag("framedeny", "X-Frame-Options", "DENY"),
            flag("contenttypenosniff", "X-Content-Type-Options", "nosniff"),
            flag("browserxssfilter", "X-XSS-Protection", "1; mode=block"),
            Row.header("middlewares.headers.customframeoptionsvalue", "X-Frame-Options", value -> value),
            Row.header("middlewares.headers.custombrowserxssvalue", "X-XSS-Protection", value -> value),
            Row.header("middlewares.headers.contentsecuritypolicy", "Content-Security-Policy", value -> value),
            Row.header("middlewares.headers.referrerpolicy", "Referrer-Policy", value -> value),
            Row.header("middlewares.headers.permissionspolicy", "Permissions-Policy", value -> value),
            Row.header("middlewares.headers.featurepolicy", "Feature-Policy", value -> value),
            Row.of("middlewares.headers.sslredirect", "`millau.redirect`", (label, route) -> {
                if (Theirs.bool(label.value())) {
                    route.set("redirect", "https");
                }
                return "";
            }),
            Row.free("middlewares.headers.sslproxyheaders.*", "TRUSTED says who is believed"),
            Row.free("middlewares.headers.isdevelopment", "there is no such mode"),
            Row.none("middlewares.headers.*", "the service has to do that itself, CORS for instance"),
            Row.free("middlewares.retry.*", "what is safe to repeat is retried at the next instance"),
            Row.free("middlewares.circuitbreaker.*", "an instance that fails is ejected for millau.retry seconds"),
            Row.of("middlewares.compress.*", "`millau.compress`: " + Row.GZIP, Row.COMPRESS),
            Row.of("middlewares.compress", "`millau.compress`", Row.COMPRESS),
            Row.none(
                    "middlewares.errors.*",
                    "responses of services are passed on as they are; for Millau's own failures, give the service with the pages millau.errors"),
            Row.of(
                    "middlewares.chain.middlewares",
                    "what each of them becomes",
                    (label, route) -> "its middlewares are carried over"),
            Row.free("middlewares.contenttype.*", "headers of responses are passed on as they are"),
            Row.none(
                    "middlewares.passtlsclientcert.*",
                    "with millau.client-ca the service gets the certificate as Client-Cert"),
            Row.none("middlewares.plugin.*", "there are no plugins: a filter in code can do it")
                    .protecting()));

    private TraefikRows() {}

    static String words(String list) {
        return Arrays.stream(list.split(","))
                .map(String::strip)
                .filter(word -> !word.isEmpty())
                .collect(Collectors.joining(" "));
    }

    private static Row flag(String option, String header, String value) {
        return Row.of(
                "middlewares.headers." + option,
                "`millau.response-header." + header + "=" + value + "`",
                (label, route) -> {
                    if (Theirs.bool(label.value())) {
                        route.set("response-header." + header, value);
                    }
                    return "";
                });
    }

    /** Whether a router with these options serves HTTPS alone. */
    static boolean isTls(Map<String, String> options) {
        return options.entrySet().stream()
                .anyMatch(option -> option.getKey().startsWith("tls.")
                        || option.getKey().equals("tls") && !Theirs.isFalse(option.getValue()));
    }

    /**
     * Whether one of these entry points serves plain HTTP.
     *
     * @throws IllegalArgumentException if it is not known what one of them is for
     */
    static boolean servesPlain(Collection<String> entryPoints, TraefikArguments arguments) {
        if (!entryPoints.stream().allMatch(arguments::hasPort)) {
            throw new IllegalArgumentException(OPEN_PORTS + ": expected web, websecure, http or https");
        }
        return entryPoints.stream().anyMatch(arguments::servesPlain);
    }

    /**
     * The same for a router that names none.
     *
     * @throws IllegalArgumentException if it is not known what one of them is for
     */
    static boolean servesPlainByDefault(Collection<String> entryPoints, TraefikArguments arguments) {
        List<String> others =
                entryPoints.stream().filter(name -> !arguments.hasPort(name)).toList();
        if (!others.isEmpty()) {
            throw new IllegalArgumentException("its router names no entry points, so Traefik serves it at "
                    + Words.shown(String.join(", ", others)) + ", too, and " + OPEN_PORTS
                    + ": name those that it needs, web or websecure for instance, in its entrypoints, and check again");
        }
        return servesPlain(entryPoints, arguments);
    }

    static String entryPoints(Theirs label, MovedRoute route, TraefikArguments arguments) {
        boolean plain = servesPlain(TraefikArguments.names(label.value()), arguments);
        if (!plain || isTls(label.siblings())) {
            route.set("redirect", "https");
            return "Millau would serve plain HTTP, too";
        }
        if (route.get("redirect").isEmpty()) {
            route.servePlain();
        }
        return "plain HTTP is served, too";
    }

    private static String tls(Theirs label, MovedRoute route) {
        if (!isTls(label.siblings())) {
            return "it is off";
        }
        boolean known = route.get("redirect").equals("https");
        route.set("redirect", "https");
        return known ? Row.BY_ACME : "Millau would serve plain HTTP, too";
    }

    private static String sticky(Theirs label, MovedRoute route) {
        if (!Theirs.isFalse(label.value())) {
            route.set("sticky", "true");
        }
        return "";
    }

    private static String canonical(Theirs label, MovedRoute route) {
        IllegalArgumentException none = new IllegalArgumentException(
                "no label redirects by a pattern: millau.canonical=HOST redirects a service's other hosts to one, and the"
                        + " service can redirect paths");
        Matcher from = WHOLE_HOST.matcher(label.value().strip().replace("$$", "$"));
        Matcher to = TARGET.matcher(
                label.sibling("redirectregex.replacement").strip().replace("$$", "$"));
        if (!from.matches() || !to.matches()) {
            throw none;
        }
        String rest = from.group(2).replace("\\", "");
        String host = to.group(1);
        List<String> hosts = List.copyOf(route.hosts());
        if (rest.isEmpty() && (host.isEmpty() || host.equals("www."))) { // any host, without or with www.
            List<String> bare = hosts.stream()
                    .filter(name -> !name.startsWith("www."))
                    .distinct()
                    .toList();
            List<String> of = bare.isEmpty()
                    ? hosts.stream()
                            .map(name -> name.replaceFirst("^www\\.", ""))
                            .toList()
                    : bare;
            if (of.size() != 1) {
                throw none;
            }
            host += of.get(0);
        } else if (rest.isEmpty() || host.isEmpty()) {
            throw none;
        }
        String source = from.group(1) != null && from.group(1).startsWith("www") ? "www." + rest : rest;
        boolean ofRoute = rest.isEmpty() || hosts.contains(source) || hosts.contains(host);
        if (!ofRoute && hosts.stream().anyMatch(name -> name.contains("$"))) {
            throw new IllegalArgumentException("the router's hosts are variables, so it is not known whether " + host
                    + " is one of them: if so, set millau.canonical=" + host);
        }
        if (!ofRoute) {
            throw none;
        }
        route.set("canonical", host);
        return "";
    }

    private static String users(Theirs label, MovedRoute route) {
        String value = label.value().strip().replace("$$", "$");
        for (String user : value.split(",")) {
            boolean hash = user.matches("[^:]*:\\$2[aby]\\$.*")
                    || !label.secret().startsWith(Words.PLACEHOLDER)
                    || user.contains("${");
            if (!hash) {
                route.set("users", label.secret());
                throw new IllegalArgumentException(
                        "expected bcrypt hashes, as htpasswd -nB NAME makes them: make such for millau.users");
            }
        }
        route.set("users", label.secret());
        return "put in the value as it is, with a space between users"
                + (value.contains(",") ? " in place of the comma" : "");
    }

    private static String limit(Theirs label, MovedRoute route) {
        String average = label.value().strip();
        String period = label.sibling("ratelimit.period").strip();
        Matcher time = Pattern.compile("([0-9]{1,4})(s|m|h|)").matcher(period.isEmpty() ? "1s" : period);
        if (!average.matches("[0-9]{1,7}") || !time.matches()) {
            throw new IllegalArgumentException(
                    "expected numbers of requests and seconds: write millau.limit, 600/m for instance");
        }
        if (Integer.parseInt(average) == 0) {
            return "0 is no limit";
        }
        long seconds = Long.parseLong(time.group(1))
                * (time.group(2).equals("h") ? 3600 : time.group(2).equals("m") ? 60 : 1);
        if (seconds == 0) {
            throw new IllegalArgumentException("expected a period of more than 0");
        }
        long requests = Long.parseLong(average);
        String burst = label.sibling("ratelimit.burst").strip();
        long atOnce = burst.matches("[0-9]{1,9}") ? Long.parseLong(burst) : burst.isEmpty() ? 1 : Long.MAX_VALUE;
        List<Limit> limits = limits(requests, seconds);
        if (limits.isEmpty() || atOnce == Long.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "expected a number for each second, minute or hour: write millau.limit, 600/m for instance");
        }
        Limit tightest = limits.get(0);
        Limit forBurst = limits.stream()
                .filter(limit -> limit.number >= atOnce)
                .findFirst()
                .orElse(limits.get(limits.size() - 1));
        route.set("limit", tightest.toString());
        return tightest.number + " may come at once, in Traefik " + atOnce
                + (forBurst.equals(tightest) ? "" : "; " + forBurst + " would let " + forBurst.number);
    }

    /** A value of {@code millau.limit}; as many requests may come at once. */
    private record Limit(long number, String unit) {
        @Override
        public String toString() {
            return number + "/" + unit;
        }
    }

    /** The forms of a limit with whole numbers, the shortest period first. */
    private static List<Limit> limits(long requests, long seconds) {
        List<Limit> limits = new ArrayList<>();
        for (Map.Entry<String, Integer> unit : List.of(Map.entry("s", 1), Map.entry("m", 60), Map.entry("h", 3600))) {
            long number = requests * unit.getValue() / seconds;
            if (requests * unit.getValue() % seconds == 0 && number < 10_000_000) {
                limits.add(new Limit(number, unit.getKey()));
            }
        }
        return limits;
    }

    private static String strip(Theirs label, MovedRoute route) {
        String path = route.get("path");
        for (String prefix : words(label.value()).split(" ")) {
            if (!path.isEmpty() && prefix.replaceFirst("/$", "").equals(path.replaceFirst("/$", ""))) {
                route.set("strip", "true");
                return "";
            }
        }
        throw new IllegalArgumentException("millau.strip cuts off millau.path, which "
                + (path.isEmpty() ? "this route has not" : "is another here"));
    }

    private static String requestHeader(Theirs label, MovedRoute route) {
        if (label.name().toLowerCase(Locale.ROOT).matches("x-forwarded-.*|x-real-ip|forwarded")) {
            return "Millau sets it; TRUSTED says which proxies in front are believed";
        }
        route.set("request-header." + label.name(), label.value().isEmpty() ? "" : label.secret());
        return label.value().isEmpty() ? "" : "put in the value as it is: it may be secret";
    }

    private static String hsts(Theirs label, MovedRoute route) {
        String seconds = label.value().strip();
        boolean subdomains = Theirs.isTrue(label.sibling("headers.stsincludesubdomains"));
        boolean preload = Theirs.isTrue(label.sibling("headers.stspreload"));
        if (!subdomains && !preload) {
            route.set("hsts", seconds);
        } else if (seconds.matches("[0-9]{1,9}")) {
            route.set(
                    "response-header.Strict-Transport-Security",
                    "max-age=" + seconds + (subdomains ? "; includeSubDomains" : "") + (preload ? "; preload" : ""));
        } else {
            throw new IllegalArgumentException("expected whole seconds");
        }
        return "";
    }
}
