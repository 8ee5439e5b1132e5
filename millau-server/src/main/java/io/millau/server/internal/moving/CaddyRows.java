package io.millau.server.internal.moving;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The table for caddy-docker-proxy, and how values are converted. Pure functions. */
final class CaddyRows {

    private static final String BY_DNS = "set ACME_DNS, in Millau's environment, for wildcards; others need none";
    private static final String RETRIED = "what is safe to repeat is retried at the next instance";
    private static final String OF_SERVICE = "the service has to do that itself, or another service with that path";
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
            Row.of("reverse_proxy.lb_policy", "`millau.balance`, `millau.sticky`", CaddyRows::balance),
            Row.free("reverse_proxy.lb_retries", RETRIED),
            Row.free("reverse_proxy.lb_try_duration", RETRIED),
            Row.free("reverse_proxy.lb_try_interval", RETRIED),
            Row.label("reverse_proxy.fail_duration", "retry", CaddyRows::seconds),
            Row.free("reverse_proxy.max_fails", "an instance is ejected by its first failure"),
            Row.free("reverse_proxy.flush_interval", Row.STREAMED),
            Row.free("reverse_proxy.trusted_proxies", "TRUSTED, in Millau's environment, says who is believed"),
            Row.of("reverse_proxy.header_up", "`millau.request-header.NAME`", CaddyRows::headerUp),
            Row.of("reverse_proxy.header_up.*", "`millau.request-header.NAME`", CaddyRows::headerUp),
            Row.of("reverse_proxy.header_down", "`millau.response-header.NAME`", CaddyRows::header),
            Row.of("reverse_proxy.header_down.*", "`millau.response-header.NAME`", CaddyRows::header),
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
            Row.label("reverse_proxy.transport.response_header_timeout", "timeout", CaddyRows::seconds),
            Row.label("reverse_proxy.transport.read_timeout", "timeout", CaddyRows::seconds),
            Row.free(
                    "reverse_proxy.transport.dial_timeout", "connecting may take 1 s, then the next instance is tried"),
            Row.free("reverse_proxy.transport.keepalive", "connections are reused"),
            Row.free("reverse_proxy.transport.versions", "it is HTTP/1.1, or HTTP/2 with millau.scheme=h2c"),
            Row.none("reverse_proxy.*", "there is no such option"),
            Row.of("basic_auth", "`millau.users`", CaddyRows::usersOfAll).protecting(),
            Row.of("basic_auth.*", "`millau.users`", CaddyRows::users).protecting(),
            Row.of("basicauth", "`millau.users`", CaddyRows::usersOfAll).protecting(),
            Row.of("basicauth.*", "`millau.users`", CaddyRows::users).protecting(),
            Row.of("forward_auth", "`millau.auth`", CaddyRows::auth).protecting(),
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
            Row.of("header", "`millau.response-header.NAME`", CaddyRows::header),
            Row.of("header.*", "`millau.response-header.NAME`, `millau.hsts`", CaddyRows::header),
            Row.label("request_body.max_size", "max-body", CaddyRows::size).protecting(),
            Row.of("request_body", "`millau.max-body`", (label, route) -> ""),
            Row.of("encode", "`millau.compress`: " + Row.GZIP, Row.COMPRESS),
            Row.of("encode.*", "`millau.compress`: " + Row.GZIP, Row.COMPRESS),
            Row.of("tls", "no label: " + Row.BY_ACME, CaddyRows::tls),
            Row.free("tls.dns", BY_DNS),
            Row.free("tls.issuer", "set ACME, in Millau's environment"),
            Row.free("tls.on_demand", Row.BY_ACME),
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

    private CaddyRows() {}

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
            return Row.BY_ACME + "; ACME_EMAIL, in Millau's environment, is the account's";
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
