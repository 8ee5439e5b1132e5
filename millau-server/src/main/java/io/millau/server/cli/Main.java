package io.millau.server.cli;

import io.millau.acme.AcmeCertificates;
import io.millau.core.CertificateSource;
import io.millau.core.ServiceSource;
import io.millau.core.Store;
import io.millau.core.internal.Labels;
import io.millau.docker.DockerSource;
import io.millau.docker.SwarmStore;
import io.millau.metrics.PrometheusMetrics;
import io.millau.server.AccessLog;
import io.millau.server.Millau;
import io.millau.server.internal.text.LineWriter;
import io.millau.server.internal.text.ListenAddress;
import io.millau.server.internal.text.Version;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Provider;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.conscrypt.OpenSSLProvider;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** The standalone server: reads the environment, wires the adapters and runs until SIGTERM. */
public final class Main {

    private static final Path LOCAL_ENGINE = Path.of(DockerSource.LOCAL.substring("unix://".length()));

    /** The exit status of a JVM that ends for want of memory. */
    private static final int OUT_OF_MEMORY = 3;

    // Made before memory is short.
    private static final PrintStream LAST_WORDS = new PrintStream(new FileOutputStream(FileDescriptor.err), true);
    private static final byte[] OUT_OF_MEMORY_LINE =
            "Out of memory: the process ends, to be started again; give it more (-Xmx)\n"
                    .getBytes(StandardCharsets.UTF_8);

    private static final String COMMAND = "java -jar millau-server.jar";

    private static final String HELP = """
            Millau puts services behind one address: a label on a service is a route.

              java -jar millau-server.jar          serve
              java -jar millau-server.jar demo     show it on port 8080 with two built-in services, without Docker
              java -jar millau-server.jar proxy --to URL... [--from ADDRESS]
                                                   all requests to :8080, or ADDRESS, go to these: localhost:9000,
                                                   https://shop.example, h2c://10.0.0.5:9000
              java -jar millau-server.jar explain [--all] [--services FILE] [--docker] URL
                                                   which service gets a request, and why the others don't: asks the
                                                   running proxy at TELEMETRY, or reads the sources that are named.
                                                   Exit status: 0 served, 1 not served, 2 unknown
              java -jar millau-server.jar check [--docker] [FILE...]
                                                   finds mistakes in services files (.properties), Compose and stack
                                                   files (.yml, .yaml) and the engine; without arguments, in SERVICES
                                                   and the engine. Exit status: 0 none, 1 some, 2 can't be read
              java -jar millau-server.jar wait SERVICE [--replicas N] [--timeout SECONDS]
                                                   waits until what was deployed last is in rotation at the running proxy,
                                                   and answers. Exit status: 0 all of it, 1 not in time (60 s), 2 unknown
              java -jar millau-server.jar check --from traefik|caddy|nginx-proxy FILE...
                                                   what the labels of another proxy in Compose and stack files become.
                                                   Exit status: 0 all carried over, 1 some can't be, 2 can't be read
              java -jar millau-server.jar --help | --version

            Labels, on a Swarm service (deploy.labels) or a container; with millau.ROUTE. in place of millau. they are those of a
            further route of the service:
            %s
            Environment:
              HTTP         listen address: 8080, :8080, 127.0.0.1:8080 or [::1]:8080 (default: :80)
              HTTPS        the same for HTTPS, or off (default: :443)
              REDIRECT     https: all requests over plain HTTP are redirected to HTTPS
              HTTPS_PORT   port in redirects to HTTPS, if it is published on another one than 443
              TRUSTED      proxies and load balancers in front whose X-Forwarded-For, -Proto, -Host and -Port are
                           believed: addresses or ranges, private, cloudflare (default: nobody's)
              PROXY_PROTOCOL
                           those whose connections begin with a PROXY protocol header (default: none)
              CERTS        folder of certificates, NAME.crt with NAME.key; changes apply
              ACME         directories that certificates are obtained from, tried in order, or off
                           (default: Let's Encrypt; you accept its terms of service)
              ACME_EMAIL, ACME_EAB_KID, ACME_EAB_HMAC
                           your account there, if the directory requires one
              ACME_DNS     how to prove names by DNS, and *.shop.example at all: acme-dns://SERVER, or
                           rfc2136://SERVER?key=NAME&algorithm=hmac-sha256&secret-file=FILE
              ACME_CA      PEM file: the CA of a private directory
              DATA         folder where certificates are kept (default: data; in the image /data)
              STORE        file: in DATA, on a volume that replicas share; swarm: in the Swarm (default: file)
              STORE_KEY_FILE, STORE_DOCKER_HOST
                           for STORE=swarm: a secret of 32 characters or more; the engine of a manager
              TELEMETRY    listen address of the status page (/status, /status.json), of health (/, /ready,
                           /live), metrics (/metrics) and /explain?url= (default: :9100)
              TELEMETRY_HOSTS
                           host names that the telemetry port is asked under, besides addresses and names without a dot
              DRAIN        seconds to go on listening after SIGTERM, down on the telemetry port (default: 0)
              ACCESS_LOG   off, json or combined: a line for each request on standard output (default: off)
              LOGGING      FATAL, ERROR, WARN, INFO or DEBUG (default: INFO)
              SERVICES     properties file of services that are not in Docker, or a folder of such files; saved changes
                           apply:
                             orders.endpoints = http://10.0.0.5:8080 http://10.0.0.6:8080
                             orders.hosts     = shop.example
              DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH
                           the Docker Engine (default: unix:///var/run/docker.sock)
              DOCKER_LABEL label that its services and containers need, such as proxy=public, for several proxies on one
                           engine (default: none)
              LICENSE      accepted and ignored: there is nothing to unlock
            """.formatted(Labels.ALL.help());

    /** Its reader may be slow, so only dedicated threads write to it. */
    private static final PrintStream STDOUT = System.out;

    private static final List<String> COMMANDS =
            List.of("demo", ProxyCommand.NAME, "explain", "check", "wait", "--help", "--version");

    private static final Set<String> CONSOLE_COMMANDS = Set.of("explain", "check", "wait");

    private Main() {}

    /**
     * Runs the server or a command.
     *
     * @param arguments none to serve, or a command with its arguments; see {@code --help}
     */
    public static void main(String[] arguments) {
        if (arguments.length > 0 && isConsoleCommand(arguments[0])) {
            Logging.setUp(Configuration.Level.FATAL);
        } else {
            OutputStream lines = new LineWriter(
                            STDOUT, "millau-log", lost -> "WARN Log dropped=" + lost + "\n", failure -> {})
                    .stream();
            System.setOut(new PrintStream(lines, false, StandardCharsets.UTF_8));
        }
        Thread.setDefaultUncaughtExceptionHandler(Main::threadDied);
        int status = run(List.of(arguments), System.getenv(), System.out, System.err);
        if (status >= 0) {
            System.out.close();
            System.exit(status);
        }
    }

    /** Without memory a thread may be lost that nobody can do without, so the process ends, to be started again. */
    private static void threadDied(Thread thread, Throwable cause) {
        if (cause instanceof OutOfMemoryError) {
            LAST_WORDS.write(OUT_OF_MEMORY_LINE, 0, OUT_OF_MEMORY_LINE.length);
            Runtime.getRuntime().halt(OUT_OF_MEMORY);
        }
        LoggerFactory.getLogger(Main.class).error("Internal error: thread {} ended", thread.getName(), cause);
    }

    /**
     * Runs a command.
     *
     * @return the exit status, or -1 if the server runs on in its own threads
     */
    static int run(List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
        String command = arguments.isEmpty() ? "" : arguments.get(0);
        if (isConsoleCommand(command)) {
            return runConsoleCommand(command, arguments.subList(1, arguments.size()), environment, out, err);
        }
        if (command.equals(ProxyCommand.NAME)) {
            return proxy(arguments.subList(1, arguments.size()), environment, err);
        }
        if (arguments.size() > 1) {
            command = String.join(" ", arguments);
        }
        switch (command) {
            case "--help", "-h", "help" -> {
                out.print(help(System.getProperty("millau.command", COMMAND)));
                return 0;
            }
            case "--version", "version" -> {
                out.println("Millau " + Version.VERSION);
                return 0;
            }
            case "", "demo" -> {
                try {
                    serve(command.equals("demo"), environment, out);
                    return -1;
                } catch (Configuration.WrongException e) {
                    err.println("FATAL " + e.getMessage());
                    return 1;
                }
            }
            default -> {
                err.println("FATAL " + command
                        + ": expected no argument, demo, proxy, explain, check, wait, --help or --version"
                        + Console.didYouMean(arguments.get(0), COMMANDS));
                return 1;
            }
        }
    }

    /** The help, with the name of the command that was given. */
    private static String help(String command) {
        int shorter = Math.max(0, COMMAND.length() - command.length());
        return HELP.replaceAll("(?m)^ {" + shorter + "}(?= {18})", "").replace(COMMAND, command);
    }

    private static int proxy(List<String> arguments, Map<String, String> environment, PrintStream err) {
        try {
            ProxyCommand command = new ProxyCommand(arguments);
            Configuration configuration = configure(command.environment(environment), Configuration.Addresses.USUAL);
            serve(configuration, List.of(command.source()));
            return -1;
        } catch (CommandException e) {
            err.println("FATAL " + Console.clean(String.valueOf(e.getMessage())));
            return 1;
        } catch (Configuration.WrongException e) {
            err.println("FATAL " + Console.clean(ProxyCommand.message(e)));
            return 1;
        }
    }

    /** Whether the command only prints to the console and logs nothing. */
    private static boolean isConsoleCommand(String command) {
        return CONSOLE_COMMANDS.contains(command);
    }

    private static int runConsoleCommand(
            String command, List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
        try {
            return switch (command) {
                case "check" -> new CheckCommand(arguments, environment, out, err).run();
                case "wait" -> new WaitCommand(arguments, environment, out, err).run();
                default -> new ExplainCommand(arguments, environment, out, err).run();
            };
        } catch (CommandException | Configuration.WrongException e) {
            err.println(Console.clean(String.valueOf(e.getMessage())));
            return 2;
        }
    }

    private static void serve(boolean demo, Map<String, String> environment, PrintStream out)
            throws Configuration.WrongException {
        Configuration configuration =
                configure(environment, demo ? Configuration.Addresses.DEMO : Configuration.Addresses.USUAL);
        if (demo) {
            serveDemo(configuration, out);
        } else {
            serve(configuration, sources(configuration));
        }
    }

    /** Logging comes first, since a variable may be read by a class that has a logger. */
    private static Configuration configure(Map<String, String> environment, Configuration.Addresses byDefault)
            throws Configuration.WrongException {
        Logging.setUp(Configuration.logging(environment));
        Configuration configuration = Configuration.read(environment, byDefault);
        configuration
                .misspelled()
                .forEach((name, meant) ->
                        LoggerFactory.getLogger(Main.class).warn("{}: unknown, did you mean {}?", name, meant));
        return configuration;
    }

    private static List<ServiceSource> sources(Configuration configuration) throws Configuration.WrongException {
        List<ServiceSource> sources = new ArrayList<>();
        Path services = configuration.services();
        if (services == null || configuration.dockerHost() != null || Files.exists(LOCAL_ENGINE)) {
            sources.add(docker(configuration));
        } else {
            LoggerFactory.getLogger(Main.class)
                    .info(
                            "No Docker Engine at {}: services come from SERVICES alone; set DOCKER_HOST for both",
                            LOCAL_ENGINE);
        }
        if (services != null) {
            sources.add(Files.isDirectory(services) ? ServiceSource.folder(services) : ServiceSource.file(services));
        }
        return sources;
    }

    private static void serve(Configuration configuration, List<ServiceSource> sources)
            throws Configuration.WrongException {
        Millau.Builder builder = bind(configuration);
        PrometheusMetrics metrics = new PrometheusMetrics();
        builder.trusted(configuration.trust().forwarding().toString())
                .proxyProtocol(configuration.trust().proxyProtocol().toString())
                .grace(configuration.drain())
                .hostName(hostName())
                .listener(metrics)
                .metrics(metrics::page);
        addDebugHeaders(configuration, builder);
        AccessLog accessLog = accessLog(configuration);
        if (accessLog != null) {
            builder.accessLog(accessLog);
        }
        sources.forEach(builder::source);
        Banner.starting(Version.VERSION, sources);
        AcmeCertificates acme = configuration.https() == null ? null : serveHttps(configuration, builder);
        Millau millau = start(builder);
        endOnSignal(Stream.of(millau, acme, accessLog).filter(Objects::nonNull).toList());
        Banner.listening(millau, configuration.https() != null);
    }

    private static void addDebugHeaders(Configuration configuration, Millau.Builder builder) {
        if (configuration.logging() == Configuration.Level.DEBUG) {
            builder.debugHeaders();
        }
    }

    private static @Nullable AccessLog accessLog(Configuration configuration) {
        return switch (configuration.accessLog()) {
            case OFF -> null;
            case JSON -> AccessLog.json(STDOUT);
            case COMBINED -> AccessLog.combined(STDOUT);
        };
    }

    /**
     * Adds HTTPS and its certificate sources.
     *
     * @return the ACME client, which the caller has to close; null if it is off
     */
    private static @Nullable AcmeCertificates serveHttps(Configuration configuration, Millau.Builder builder)
            throws Configuration.WrongException {
        Provider provider = conscrypt();
        if (provider != null) {
            builder.tlsProvider(provider);
        }
        if (configuration.redirectToHttps()) {
            builder.redirectToHttps();
        }
        Integer httpsPort = configuration.httpsPort();
        if (httpsPort != null) {
            builder.publishedHttpsPort(httpsPort);
        }
        if (configuration.certificates() != null) {
            builder.certificates(CertificateSource.folder(configuration.certificates()));
        }
        Configuration.Acme settings = configuration.acme();
        if (settings == null) {
            return null;
        }
        AcmeCertificates certificates = acme(settings, store(configuration));
        builder.certificates(certificates);
        return certificates;
    }

    private static AcmeCertificates acme(Configuration.Acme settings, Store store) throws Configuration.WrongException {
        try {
            AcmeCertificates.Builder acme = AcmeCertificates.builder(store)
                    .directories(settings.directories())
                    .trusted(settings.ca());
            if (settings.email() != null) {
                acme.email(settings.email());
            }
            if (settings.keyId() != null && settings.hmac() != null) {
                acme.externalAccount(settings.keyId(), settings.hmac());
            }
            if (settings.dns() != null) {
                acme.dns(settings.dns());
            }
            return acme.start();
        } catch (IllegalArgumentException e) {
            String directories =
                    settings.directories().stream().map(URI::toString).collect(Collectors.joining(" "));
            throw new Configuration.WrongException("ACME", directories, e.getMessage());
        }
    }

    /**
     * Conscrypt's handshakes take a third of the time of the JDK's, but its native code isn't available on every
     * platform.
     */
    private static @Nullable Provider conscrypt() {
        try {
            return new OpenSSLProvider();
        } catch (LinkageError e) {
            LoggerFactory.getLogger(Main.class).info("HTTPS by the JDK alone, which is slower: {}", e.toString());
            return null;
        }
    }

    private static Store store(Configuration configuration) throws Configuration.WrongException {
        Configuration.StorePlace place = configuration.store();
        if (place.key() == null) {
            return Store.files(place.data());
        }
        String host = place.dockerHost() == null ? configuration.dockerHost() : place.dockerHost();
        try {
            SwarmStore store = SwarmStore.at(host, place.key());
            boolean sameEngine = place.dockerHost() == null;
            return sameEngine && configuration.dockerCertificates() != null
                    ? store.withTls(configuration.dockerCertificates())
                    : store;
        } catch (IllegalArgumentException e) {
            throw new Configuration.WrongException("STORE", "swarm", e.getMessage());
        }
    }

    private static void serveDemo(Configuration configuration, PrintStream out) throws Configuration.WrongException {
        Millau.Builder builder = bind(configuration);
        Demo demo = Demo.start();
        builder.hostName(hostName()).source(demo.services());
        addDebugHeaders(configuration, builder);
        Millau millau = start(builder);
        endOnSignal(List.of(millau, demo));
        out.print(demo.introduction(millau.port(), millau.telemetryPort()));
    }

    static DockerSource docker(Configuration configuration) throws Configuration.WrongException {
        String host = configuration.dockerHost();
        try {
            DockerSource engine = host == null ? DockerSource.local() : DockerSource.at(host);
            return withLabel(
                    configuration,
                    configuration.dockerCertificates() == null
                            ? engine
                            : engine.withTls(configuration.dockerCertificates()));
        } catch (IllegalArgumentException e) {
            throw new Configuration.WrongException("DOCKER_HOST", String.valueOf(host), e.getMessage());
        }
    }

    private static DockerSource withLabel(Configuration configuration, DockerSource engine)
            throws Configuration.WrongException {
        String label = configuration.dockerLabel();
        try {
            return label == null ? engine : engine.withLabel(label);
        } catch (IllegalArgumentException e) {
            throw new Configuration.WrongException("DOCKER_LABEL", String.valueOf(label), e.getMessage());
        }
    }

    /** First of all, since Docker's own proxy accepts connections as soon as the container has started. */
    private static Millau.Builder bind(Configuration configuration) throws Configuration.WrongException {
        Millau.Builder builder = Millau.builder()
                .http(configuration.http())
                .telemetry(configuration.telemetry())
                .telemetryHosts(configuration.telemetryHosts().toArray(String[]::new));
        if (configuration.https() != null) {
            builder.https(configuration.https());
        }
        try {
            return builder.bind();
        } catch (Millau.BindFailedException e) {
            InetSocketAddress address = e.address();
            String variable = address.equals(configuration.telemetry())
                    ? "TELEMETRY"
                    : address.equals(configuration.https()) ? "HTTPS" : "HTTP";
            throw new Configuration.WrongException(
                    variable,
                    ListenAddress.show(address),
                    "expected an address that is free and that this process may listen on (" + reason(e) + ")");
        }
    }

    private static Millau start(Millau.Builder bound) {
        try {
            return bound.start();
        } catch (Millau.BindFailedException e) {
            throw new IllegalStateException("the addresses are bound already", e);
        }
    }

    private static String reason(Exception e) {
        return String.valueOf(
                e.getCause() == null ? e.getMessage() : e.getCause().getMessage());
    }

    /** On SIGTERM and Ctrl-C, finishes requests in progress, then exits with 0 instead of the signal's number. */
    private static void endOnSignal(List<AutoCloseable> parts) {
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            for (AutoCloseable part : parts) {
                                try {
                                    part.close();
                                } catch (Exception e) {
                                    System.err.println("ERROR while stopping: " + e);
                                }
                            }
                            System.out.close(); // writes pending log lines
                            Runtime.getRuntime().halt(0);
                        },
                        "millau-stop"));
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "millau"; // the machine can't resolve its own name
        }
    }
}
