package io.millau.server.internal.moving;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The table for the arguments of Traefik 2 and 3: what they become in Millau's environment. Pure functions. */
final class TraefikArgumentRows {

    private static final String AT_TELEMETRY = "status page, health and metrics are at TELEMETRY, port 9100";
    private static final String PROVED = "names are proved by HTTP and TLS, unless ACME_DNS is set";
    private static final String OF_ACME = "keys, renewal and chains are chosen by Millau";
    private static final String OWN_LIMITS = "times and sizes are limited: see the reference, and millau.timeout";
    private static final String NO_SUCH_PROVIDER =
            "services come from Docker, and from the file that SERVICES names: write there what this one has";

    private static final Map<String, String> LEVELS = Map.of(
            "debug", "DEBUG", "trace", "DEBUG", "info", "INFO", "warn", "WARN", "warning", "WARN", "error", "ERROR",
            "fatal", "FATAL", "panic", "FATAL");

    static final Rows ROWS = new Rows(List.of(
            // entry points
            Row.of("entrypoints.address", "`HTTP` or `HTTPS`, unless it is the default", TraefikArgumentRows::address),
            Row.of("entrypoints.http.redirections.entrypoint.to", "`REDIRECT`", (argument, environment) -> {
                String to = argument.value().strip();
                if (to.matches(":[0-9]+") && !to.equals(":443")) {
                    environment.setVariable("HTTPS_PORT", to.substring(1));
                }
                environment.setVariable("REDIRECT", "https");
                return "for all services";
            }),
            Row.of(
                    "entrypoints.http.redirections.entrypoint.scheme",
                    "no variable if it is https",
                    (argument, environment) -> {
                        if (!argument.lowerCase().equals("https")) {
                            throw new IllegalArgumentException("expected https: nothing is redirected to plain HTTP");
                        }
                        return "a redirect leads to HTTPS";
                    }),
            Row.noVariable("entrypoints.http.redirections.entrypoint.permanent", "it is a 308"),
            Row.none(
                    "entrypoints.http.redirections.entrypoint.priority",
                    "REDIRECT comes before all services: leave it out, and give millau.redirect=https to those that redirect"),
            Row.of(
                    "entrypoints.http.middlewares",
                    "what each of them becomes, at each service with a router of the entry point",
                    (argument, environment) -> "each router of the entry point gets them"),
            Row.noVariable("entrypoints.http.tls", Row.BY_ACME),
            Row.noVariable("entrypoints.http.tls.certresolver", Row.BY_ACME),
            Row.noVariable("entrypoints.http.tls.domains.*", Row.BY_ACME + "; a wildcard needs ACME_DNS"),
            Row.none(
                    "entrypoints.http.tls.options",
                    "if clients need a certificate, that is millau.client-ca; versions and ciphers are fixed"),
            Row.none("entrypoints.http.*", "there is no such option"),
            Row.of(
                    "entrypoints.asdefault",
                    "no variable: routers without entry points are taken for those of these",
                    (argument, environment) -> {
                        Theirs.bool(argument.value());
                        return "routers without entry points are taken for those of these";
                    }),
            Row.variable("entrypoints.forwardedheaders.trustedips", "TRUSTED", TraefikRows::words),
            insecure(
                    "entrypoints.forwardedheaders.insecure",
                    "nobody is believed without being named: set TRUSTED to the proxies in front"),
            Row.noVariable("entrypoints.forwardedheaders.connection", "headers of the connection are not passed on"),
            Row.variable("entrypoints.proxyprotocol.trustedips", "PROXY_PROTOCOL", TraefikRows::words),
            insecure(
                    "entrypoints.proxyprotocol.insecure",
                    "nobody is believed without being named: set PROXY_PROTOCOL to the load balancers in front"),
            Row.noVariable("entrypoints.proxyprotocol", "it belongs to trustedIPs"),
            Row.noVariable("entrypoints.transport.*", OWN_LIMITS),
            Row.noVariable("entrypoints.http2.*", OWN_LIMITS),
            Row.noVariable("entrypoints.http3", "HTTP/1.1 and HTTP/2 are offered"),
            Row.noVariable("entrypoints.http3.*", "HTTP/1.1 and HTTP/2 are offered"),
            Row.noVariable("entrypoints.reuseport", "one process listens"),
            Row.noVariable("entrypoints.observability.*", "ACCESS_LOG and metrics are for all services"),
            Row.none("entrypoints.*", "there is no such option"),

            // certificates
            Row.variable("certificatesresolvers.acme.email", "ACME_EMAIL", value -> value),
            Row.of("certificatesresolvers.acme.caserver", "`ACME`", (argument, environment) -> {
                boolean forAll = argument.siblings().keySet().stream()
                        .filter(path -> path.matches("(?s)certificatesresolvers\\.[^.]+\\.acme\\.email"))
                        .allMatch(path -> argument.siblings().containsKey(path.replaceFirst("email$", "caserver")));
                if (!forAll) {
                    throw new IllegalArgumentException(
                            "another resolver has none, which is Let's Encrypt's, and ACME is for all hosts: choose one");
                }
                environment.setVariable("ACME", argument.value().strip());
                return "";
            }),
            Row.variable("certificatesresolvers.acme.cacertificates", "ACME_CA", value -> value),
            Row.variable("certificatesresolvers.acme.eab.kid", "ACME_EAB_KID", value -> value),
            Row.of("certificatesresolvers.acme.eab.hmacencoded", "`ACME_EAB_HMAC`", (argument, environment) -> {
                environment.setVariable("ACME_EAB_HMAC", argument.secret());
                return "put in the value as it is: it may be secret";
            }),
            Row.none(
                    "certificatesresolvers.acme.dnschallenge.provider",
                    "names are proved by HTTP and TLS; for wildcards, or where the authority reaches no port, set ACME_DNS to"
                            + " rfc2136://… or acme-dns://…: see docs/how-to/wildcards.md"),
            Row.noVariable("certificatesresolvers.acme.dnschallenge", "it belongs to its provider"),
            Row.noVariable("certificatesresolvers.acme.dnschallenge.*", "it belongs to its provider"),
            Row.noVariable("certificatesresolvers.acme.httpchallenge", PROVED),
            Row.noVariable("certificatesresolvers.acme.httpchallenge.*", PROVED),
            Row.noVariable("certificatesresolvers.acme.tlschallenge", PROVED),
            Row.noVariable("certificatesresolvers.acme.tlschallenge.*", PROVED),
            Row.noVariable("certificatesresolvers.acme.storage", "certificates are kept in DATA, a volume at /data"),
            Row.noVariable("certificatesresolvers.acme.*", OF_ACME),
            Row.none("certificatesresolvers.*", "certificates come by ACME, or from the folder of CERTS"),

            // services
            Row.noVariable("providers.docker", "services come from Docker in any case"),
            Row.noVariable("providers.swarm", "services come from Docker in any case"),
            provider("endpoint", "`DOCKER_HOST`, unless it is the default", (argument, environment) -> {
                if (argument.value().strip().equals("unix:///var/run/docker.sock")) {
                    return "that is the default";
                }
                environment.setVariable("DOCKER_HOST", argument.value().strip());
                return "";
            }),
            swarm("endpoint"),
            provider(
                    "exposedbydefault",
                    "no variable: only what has `millau.enabled` is served",
                    (argument, environment) -> {
                        Theirs.bool(argument.value());
                        return "only what has millau.enabled=true is served";
                    }),
            swarm("exposedbydefault"),
            provider(
                    "network",
                    "`millau.network` of each service without another",
                    (argument, environment) -> "each service gets it as millau.network"),
            swarm("network"),
            provider("constraints", "`DOCKER_LABEL` if it is one label", (argument, environment) -> {
                Map.Entry<String, String> label = TraefikArguments.labelOf(argument);
                if (label == null) {
                    throw new IllegalArgumentException("DOCKER_LABEL names one label that services need, proxy=public"
                            + " for instance: give those of this one such a label");
                }
                environment.setVariable("DOCKER_LABEL", label.getKey() + "=" + label.getValue());
                return "";
            }),
            swarm("constraints"),
            provider(
                    "defaultrule",
                    "none: each service says its `millau.hosts`",
                    Row.none("", "give each service without a rule millau.enabled=true and millau.hosts")
                            .action()),
            swarm("defaultrule"),
            provider(
                    "tls.*",
                    "none: DOCKER_TLS_VERIFY and DOCKER_CERT_PATH",
                    Row.none("", "set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH").action()),
            provider(
                    "usebindportip", "none: instances are reached in a network that they share with Millau", (a, e) -> {
                        if (Theirs.bool(a.value())) {
                            throw new IllegalArgumentException(
                                    "instances are reached in a network that they share with Millau");
                        }
                        return "instances are reached in a network that they share with Millau";
                    }),
            Row.noVariable("providers.docker.*", "the engine is watched, and asked again if it fails"),
            Row.noVariable("providers.swarm.*", "the engine is watched, and asked again if it fails"),
            Row.noVariable("providers.providersthrottleduration", "changes take effect at once"),
            Row.none("providers.*", NO_SUCH_PROVIDER),
            Row.none("configfile", "what is in that file is not read: see what it does"),

            // operation
            Row.of("accesslog", "`ACCESS_LOG`", TraefikArgumentRows::accessLog),
            Row.of("accesslog.format", "`ACCESS_LOG`", TraefikArgumentRows::accessLog),
            accessLog("filepath", "lines go to standard output, not to a file"),
            Row.of("accesslog.filters.*", "none: each request has a line", (argument, environment) -> {
                accessLog(argument, environment);
                throw new IllegalArgumentException("each request has a line");
            }),
            accessLog("*", "its lines have fixed fields"),
            Row.of("log.level", "`LOGGING`", (argument, environment) -> {
                String level = LEVELS.get(argument.lowerCase().strip());
                if (level == null) {
                    throw new IllegalArgumentException("expected DEBUG, INFO, WARN, ERROR or FATAL: that is LOGGING");
                }
                environment.setVariable("LOGGING", level);
                return "";
            }),
            Row.none("log.filepath", "the log goes to standard output"),
            Row.noVariable("log.*", "the log has one form"),
            Row.noVariable("log", "the log has one form"),
            Row.noVariable("api", AT_TELEMETRY),
            Row.noVariable("api.*", AT_TELEMETRY),
            Row.noVariable("ping", AT_TELEMETRY),
            Row.noVariable("ping.*", AT_TELEMETRY),
            Row.noVariable("metrics", AT_TELEMETRY),
            Row.noVariable("metrics.prometheus", AT_TELEMETRY),
            Row.noVariable("metrics.prometheus.*", AT_TELEMETRY),
            Row.none("metrics.*", "metrics are for Prometheus, at TELEMETRY, port 9100"),
            Row.none("tracing.*", "traces are made by millau-opentelemetry, in a program of one's own"),
            Row.none("tracing", "traces are made by millau-opentelemetry, in a program of one's own"),
            Row.noVariable("global.*", "Millau reports to nobody"),
            Row.noVariable("hostresolver.*", "hosts are compared as they are written"),
            insecure(
                    "serverstransport.insecureskipverify",
                    "an HTTPS service is verified: give its CA as millau.upstream-ca, and its name as millau.upstream-name"),
            Row.none("serverstransport.rootcas", "give the CA to each HTTPS service as millau.upstream-ca"),
            Row.noVariable("serverstransport.*", OWN_LIMITS),
            Row.none("experimental.*", "there are no plugins: a filter in code can do it"),
            Row.none("argument", "it is no argument that begins with --")));

    private TraefikArgumentRows() {}

    private static Row provider(String option, String ours, Row.Action action) {
        return Row.of("providers.docker." + option, ours, action);
    }

    /** The same, of the provider that Traefik 3 has for Swarm. */
    private static Row swarm(String option) {
        return Row.of(
                "providers.swarm." + option,
                "the same",
                (argument, environment) ->
                        ROWS.of("providers.docker." + option).action().apply(argument, environment));
    }

    /** One that is dangerous if it is true. */
    private static Row insecure(String theirs, String why) {
        return Row.of(theirs, "none: " + why, (argument, environment) -> {
            if (Theirs.bool(argument.value())) {
                throw new IllegalArgumentException(why);
            }
            return "it is off";
        });
    }

    private static String address(Theirs argument, MovedRoute environment) {
        String name = TraefikArguments.nameIn(argument);
        String address = argument.value().strip().toLowerCase(Locale.ROOT).replaceFirst("/tcp$", "");
        TraefikArguments itself = TraefikArguments.ofOne(argument);
        if (address.endsWith("/udp")) {
            throw new IllegalArgumentException("Millau proxies HTTP alone: publish the port of the service itself");
        }
        if (name.equals("traefik")) {
            return AT_TELEMETRY;
        }
        if (!itself.isPlain(name) && !itself.isSecure(name)) {
            throw new IllegalArgumentException("Millau has one port for HTTP and one for HTTPS");
        }
        boolean plain = itself.isPlain(name);
        if (address.equals(plain ? ":80" : ":443")) {
            return "that is the default";
        }
        environment.setVariable(plain ? "HTTP" : "HTTPS", address);
        return "publish this port";
    }

    /** One that turns the log on, as each of them does in Traefik. */
    private static Row accessLog(String option, String remark) {
        return Row.of("accesslog." + option, "`ACCESS_LOG`: " + remark, (argument, environment) -> {
            String off = accessLog(argument, environment);
            return off.isEmpty() ? remark : off;
        });
    }

    private static String accessLog(Theirs argument, MovedRoute environment) {
        boolean off = Theirs.isFalse(argument.sibling("accesslog"));
        if (off) {
            return "there is none";
        }
        boolean json = argument.sibling("accesslog.format").equalsIgnoreCase("json");
        environment.setVariable("ACCESS_LOG", json ? "json" : "combined");
        return "";
    }
}
