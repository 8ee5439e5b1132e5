package io.millau.core.internal;

import static io.millau.core.internal.Label.Group.ACCESS;
import static io.millau.core.internal.Label.Group.CHANGES;
import static io.millau.core.internal.Label.Group.RESILIENCE;
import static io.millau.core.internal.Label.Group.ROUTING;
import static io.millau.core.internal.Label.Group.TLS;

import io.millau.core.Certificate;
import io.millau.core.Endpoint;
import io.millau.core.LoadBalancer;
import io.millau.core.Setting;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The definitions of all labels. To add one, add a constant here and to {@link #ALL}, and an accessor and a builder
 * method to {@link io.millau.core.Service}.
 */
public final class Labels {

    /** The URLs of endpoints in the services file. */
    public static final Label<String> ENDPOINTS = Label.named("endpoints", LabelTypes.TEXT)
            .meaning("URLs of its instances, separated by spaces")
            .onlyInFile()
            .notOfService()
            .build();

    /** {@code millau.enabled}. Services in Docker are disabled by default, those in code enabled. */
    public static final Label<Boolean> ENABLED = Label.named("enabled", LabelTypes.BOOLEAN)
            .group(ROUTING)
            .meaning("`true` puts the service behind the proxy")
            .byDefault(true, "not proxied")
            .protecting()
            .build();

    /** {@code millau.port}. */
    public static final Label<Integer> PORT = Label.named("port", LabelTypes.PORT)
            .group(ROUTING)
            .meaning("port the service listens on inside its container")
            .byDefault(null, "the only exposed port, when there is exactly one")
            .onlyInDocker()
            .notOfService()
            .build();

    /** {@code millau.hosts}. */
    public static final Label<List<String>> HOSTS = Label.named("hosts", LabelTypes.HOSTS)
            .group(ROUTING)
            .meaning(
                    "host names, separated by spaces; a name also matches its subdomains, `*.shop.example` matches these alone, `*`"
                            + " matches every host")
            .byDefault("*")
            .build();

    /** {@code millau.path}. */
    public static final Label<String> PATH = Label.named("path", LabelTypes.PATH)
            .group(ROUTING)
            .meaning("beginning of the URL path")
            .byDefault("/")
            .build();

    /** {@code millau.timeout}. */
    public static final Label<Duration> TIMEOUT = Label.named("timeout", LabelTypes.POSITIVE_SECONDS)
            .group(RESILIENCE)
            .meaning("seconds to wait for a response before failing over; also the longest pause in an upload (408)")
            .byDefault("30")
            .build();

    /** {@code millau.retry}. */
    public static final Label<Duration> RETRY = Label.named("retry", LabelTypes.SECONDS)
            .group(RESILIENCE)
            .meaning("seconds a failed instance stays out of rotation")
            .byDefault("60")
            .build();

    /** {@code millau.retry-unsafe}. */
    public static final Label<Boolean> RETRY_UNSAFE = Label.named("retry-unsafe", LabelTypes.BOOLEAN)
            .group(RESILIENCE)
            .meaning(
                    "`true`: requests that an instance may have begun to process are retried whatever their method, `POST` for"
                            + " instance")
            .byDefault("false")
            .build();

    /** {@code millau.weight}. */
    public static final Label<Integer> WEIGHT = Label.named("weight", LabelTypes.SHARE)
            .group(ROUTING)
            .meaning(
                    "share of the requests among services that match equally well, `0` to `1000`: `1` and `9` get one and"
                            + " nine of ten; a service with `0` is used only while no other is ready")
            .byDefault("1")
            .build();

    /** {@code millau.balance}. */
    public static final Label<LoadBalancer> BALANCE = Label.named("balance", LabelTypes.BALANCER)
            .group(ROUTING)
            .meaning("which instance gets a request: each in turn, `round-robin`; the one with the fewest requests in"
                    + " progress, `least-connections`; or one that also responds fast, `least-time`")
            .byDefault(null, "`round-robin`")
            .build();

    /** {@code millau.sticky}. */
    public static final Label<Boolean> STICKY = Label.named("sticky", LabelTypes.BOOLEAN)
            .group(ROUTING)
            .meaning(
                    "`true`: a cookie keeps a client at the instance that served it first, until that instance is gone or"
                            + " fails")
            .byDefault("false")
            .build();

    /** {@code millau.health}. */
    public static final Label<String> HEALTH = Label.named("health", LabelTypes.PATH_AND_QUERY)
            .group(RESILIENCE)
            .meaning("path of a health check, requested from each instance every 5 s: 2xx and 3xx are successes; two"
                    + " failures in a row eject the instance, one success returns it; a new instance gets requests after"
                    + " its first success, or if there is no other")
            .byDefault(null, "no health check")
            .build();

    /** Where the status goes in {@link #ERRORS}. */
    public static final String STATUS = "{status}";

    /** {@code millau.errors}. */
    public static final Label<String> ERRORS = Label.named("errors", LabelTypes.STATUS_PATH)
            .group(RESILIENCE)
            .meaning(
                    "path with `{status}` in it, such as `/errors/{status}.html`: this service gives the pages for what Millau itself"
                            + " responds with 400 to 599 to requests for the service's hosts. The status stays; without a page within"
                            + " 1 s, the response is a plain text")
            .byDefault(null, "plain texts")
            .explained(path -> "it gives the pages for Millau's own failures, at " + path)
            .build();

    /** {@code millau.drain}. */
    public static final Label<Duration> DRAIN = Label.named("drain", LabelTypes.SECONDS)
            .group(RESILIENCE)
            .meaning("seconds in which requests and WebSockets at a removed instance may finish")
            .byDefault("30")
            .build();

    /** {@code millau.buffer}. */
    public static final Label<Integer> BUFFER = Label.named("buffer", LabelTypes.SIZE)
            .group(RESILIENCE)
            .meaning("how much of a request's body is kept for a retry, such as `64k` or `1m`; at most `64m`")
            .byDefault("64k")
            .build();

    /** {@code millau.max-body}. */
    public static final Label<Long> MAX_BODY = Label.named("max-body", LabelTypes.LARGE_SIZE)
            .alsoCalled("maxbodysize", "bodylimit", "clientmaxbodysize", "maxrequestbodybytes")
            .group(ACCESS)
            .meaning("the longest body of a request, such as `512k`, `10m` or `1g`; a longer one gets `413`")
            .byDefault(Long.MAX_VALUE, "no limit")
            .protecting()
            .build();

    /** {@code millau.max-requests}. */
    public static final Label<Integer> MAX_REQUESTS = Label.named("max-requests", LabelTypes.LIMIT)
            .alsoCalled("maxconnections", "inflightreq", "maxinflight")
            .group(ACCESS)
            .meaning(
                    "how many requests, and WebSockets, may be in progress at one instance; others wait for a place, in order"
                            + " and `millau.timeout` at most, and no more than as many again; then `503`")
            .byDefault(Integer.MAX_VALUE, "no limit")
            .protecting()
            .build();

    /** {@code millau.allow}. */
    public static final Label<AddressRanges> ALLOW = Label.named("allow", LabelTypes.ADDRESSES)
            .alsoCalled(
                    "allowed",
                    "allowlist",
                    "allowfrom",
                    "allowip",
                    "allowips",
                    "allowedips",
                    "ipallow",
                    "ipallowlist",
                    "whitelist",
                    "ipwhitelist",
                    "networkaccess")
            .group(ACCESS)
            .meaning(
                    "addresses of clients, and ranges such as `10.0.0.0/8`, separated by spaces, or `private`; others get `403`")
            .byDefault(null, "all")
            .protecting()
            .filter((service, ranges) -> new AllowedClients(ranges))
            .build();

    /** {@code millau.limit}. */
    public static final Label<RequestLimit> LIMIT = Label.named("limit", LabelTypes.RATE)
            .alsoCalled("ratelimit", "requestlimit", "limitreq", "rps")
            .group(ACCESS)
            .meaning(
                    "how many requests a client's address (of IPv6 its /64) may make, such as `20/s`, `600/m` or `1000/h`, and as"
                            + " many at once; then `429`")
            .byDefault(null, "no limit")
            .protecting()
            .filter((service, limit) -> limit)
            .build();

    /** {@code millau.users}. */
    public static final Label<Users> USERS = Label.named("users", LabelTypes.USERS)
            .alsoCalled(
                    "basicauth",
                    "basicauthusers",
                    "authbasic",
                    "authusers",
                    "htpasswd",
                    "login",
                    "logins",
                    "password",
                    "passwords")
            .group(ACCESS)
            .meaning(
                    "`name:hash` of each user, separated by spaces, the hash by bcrypt (`htpasswd -nB NAME`); or all of that in"
                            + " Base64, since a Compose file needs `$$` for each `$`; others get `401`. Instances get"
                            + " `X-Forwarded-User`, and no `Authorization`")
            .byDefault(null, "no login")
            .protecting()
            .filter((service, users) -> PasswordLogin.of(service.name(), users))
            .build();

    /** {@code millau.auth-headers}. */
    public static final Label<List<String>> AUTH_HEADERS = Label.named("auth-headers", LabelTypes.HEADER_NAMES)
            .group(ACCESS)
            .meaning(
                    "names of header fields, separated by spaces, that instances get from the response to `millau.auth`; a client's"
                            + " own are removed")
            .byDefault(List.of(), "none")
            .protecting()
            .build();

    /** {@code millau.auth}. */
    public static final Label<AuthServer> AUTH = Label.named("auth", LabelTypes.AUTH_SERVER)
            .alsoCalled("forwardauth", "authurl", "authserver", "authrequest", "externalauth")
            .group(ACCESS)
            .meaning(
                    "URL that is asked about each request first, by `GET` with its header fields and `X-Forwarded-Method`, `-Proto`,"
                            + " `-Host`, `-Uri`, `-For`: `2xx` lets it pass, any other response is the client's; `503` if there is none in"
                            + " 5 s")
            .byDefault(null, "nobody is asked")
            .protecting()
            .filter((service, server) -> new ForwardAuth(server, service.authHeaders()))
            .build();

    /** {@code millau.canonical}. */
    public static final Label<String> CANONICAL = Label.named("canonical", LabelTypes.SERVER_NAME)
            .group(CHANGES)
            .meaning(
                    "the host to which requests for other hosts of the service are redirected (`308`); it is one of its hosts")
            .byDefault(null, "none")
            .filter((service, host) -> CanonicalHost.of(host))
            .build();

    /** {@code millau.strip}. */
    public static final Label<Boolean> STRIP = Label.named("strip", LabelTypes.BOOLEAN)
            .group(CHANGES)
            .meaning(
                    "`true`: `millau.path` is cut off the path that its instances get; `X-Forwarded-Prefix` tells them")
            .byDefault("false")
            .filter((service, strips) -> strips ? StrippedPath.of(service.path()) : null)
            .build();

    /** {@code millau.request-header.NAME}. */
    public static final Label<Map<String, String>> REQUEST_HEADER = Label.named(
                    "request-header", LabelTypes.REQUEST_HEADER)
            .alsoCalled("header", "headers")
            .group(CHANGES)
            .meaning(
                    "value of header `NAME` in requests to its instances, whatever clients send; empty: the header is removed. Not for"
                            + " `Host`, headers that frame a message or belong to a connection, and those that Millau sets itself,"
                            + " such as `X-Forwarded-For`")
            .byDefault(Map.of(), "as clients send it")
            .family(LabelTypes::bothHeaders)
            .filter((service, fields) -> fields.isEmpty() ? null : new RequestFields(fields))
            .build();

    /** {@code millau.response-header.NAME}. */
    public static final Label<Map<String, String>> RESPONSE_HEADER = Label.named(
                    "response-header", LabelTypes.RESPONSE_HEADER)
            .alsoCalled("header", "headers")
            .group(CHANGES)
            .meaning(
                    "value of header `NAME` in responses of its instances; empty: the header is removed. Responses of Millau itself,"
                            + " such as redirects and failures, stay as they are")
            .byDefault(Map.of(), "as its instances send it")
            .family(LabelTypes::bothHeaders)
            .filter((service, fields) -> fields.isEmpty() ? null : new ResponseFields(fields))
            .build();

    /** {@code millau.compress}. */
    public static final Label<Boolean> COMPRESS = Label.named("compress", LabelTypes.BOOLEAN)
            .group(CHANGES)
            .meaning(
                    "`true`: texts, JSON and the like of 1 KiB or more are compressed with gzip for clients that accept it, unless"
                            + " they are compressed already")
            .byDefault("false")
            .explained(compresses -> compresses ? "its responses are compressed with gzip" : null)
            .build();

    /** {@code millau.network}. */
    public static final Label<String> NETWORK = Label.named("network", LabelTypes.TEXT)
            .group(ROUTING)
            .meaning("network to reach the service on, if it shares several with the proxy")
            .byDefault(null, "the first by name")
            .onlyInDocker()
            .notOfService()
            .build();

    /** {@code millau.cert}; see {@link #CERTIFICATE}. */
    public static final Label<List<X509Certificate>> CERT = Label.named("cert", LabelTypes.CHAIN)
            .group(TLS)
            .meaning(
                    "certificate chain, PEM in Base64 (`base64 -w0 FILE`); used for every host that it is valid for, of other"
                            + " services too")
            .notOfService()
            .build();

    /** {@code millau.key}; see {@link #CERTIFICATE}. */
    public static final Label<PrivateKey> KEY = Label.named("key", LabelTypes.PRIVATE_KEY)
            .group(TLS)
            .meaning("private key of the certificate, PEM in Base64: RSA or EC, as PKCS#8, PKCS#1 or SEC 1")
            .notOfService()
            .build();

    /** The certificate of {@link #CERT} and {@link #KEY} together. */
    public static final Setting<Certificate> CERTIFICATE = new Setting<>() {
        @Override
        public String name() {
            return CERT.name();
        }

        @Override
        public @Nullable Certificate defaultValue() {
            return null;
        }
    };

    /** {@code millau.client-ca}. */
    public static final Label<Set<X509Certificate>> CLIENT_CA = Label.named("client-ca", LabelTypes.AUTHORITIES)
            .alsoCalled(
                    "mtls", "clientcert", "clientcerts", "clientauth", "clientcacert", "tlsclientca", "sslverifyclient")
            .group(TLS)
            .meaning(
                    "CA certificates, PEM in Base64: clients of this service's hosts need a certificate that one of them has"
                            + " issued (mTLS)")
            .byDefault(Set.of(), "clients need none")
            .protecting()
            .build();

    /** {@code millau.redirect}. */
    public static final Label<Boolean> REDIRECT = Label.named("redirect", LabelTypes.HTTPS_ONLY)
            .group(TLS)
            .meaning("`https`: requests over plain HTTP are redirected to HTTPS (`308`)")
            .byDefault(false, "they are served")
            .build();

    /** {@code millau.hsts}. */
    public static final Label<Duration> HSTS = Label.named("hsts", LabelTypes.MAX_AGE)
            .group(TLS)
            .meaning("seconds for which browsers are told to use HTTPS only")
            .build();

    /** {@code millau.scheme}. */
    public static final Label<String> SCHEME = Label.named("scheme", LabelTypes.SCHEME)
            .group(TLS)
            .meaning("protocol to its instances: `http`, `https` or `h2c` (HTTP/2 without TLS, for gRPC)")
            .byDefault(Endpoint.HTTP)
            .notOfService()
            .build();

    /** {@code millau.upstream-ca}. */
    public static final Label<Set<X509Certificate>> UPSTREAM_CA = Label.named("upstream-ca", LabelTypes.AUTHORITIES)
            .group(TLS)
            .meaning("CA certificates, PEM in Base64, that the certificates of its instances are verified against")
            .byDefault(Set.of(), "those that Java trusts")
            .notOfService()
            .build();

    /** {@code millau.upstream-name}. */
    public static final Label<String> UPSTREAM_NAME = Label.named("upstream-name", LabelTypes.SERVER_NAME)
            .group(TLS)
            .meaning("name that the certificates of its instances must have")
            .byDefault(null, "the service's name")
            .notOfService()
            .build();

    /**
     * All labels, in the order of messages, and of the filters that they make: first who may come in, then what changes. If two are
     * equally similar to an unknown name, the first is suggested.
     */
    public static final Vocabulary ALL = new Vocabulary(List.of(
            ENDPOINTS,
            ENABLED,
            PORT,
            HOSTS,
            PATH,
            TIMEOUT,
            RETRY,
            RETRY_UNSAFE,
            WEIGHT,
            BALANCE,
            STICKY,
            HEALTH,
            ERRORS,
            DRAIN,
            BUFFER,
            MAX_BODY,
            MAX_REQUESTS,
            ALLOW,
            LIMIT,
            USERS,
            AUTH,
            AUTH_HEADERS,
            CANONICAL,
            STRIP,
            REQUEST_HEADER,
            RESPONSE_HEADER,
            COMPRESS,
            NETWORK,
            CERT,
            KEY,
            CLIENT_CA,
            REDIRECT,
            HSTS,
            SCHEME,
            UPSTREAM_CA,
            UPSTREAM_NAME));

    private Labels() {}
}
