package io.millau.server;

import io.millau.core.ServiceSource;
import io.millau.docker.DockerSource;
import io.millau.metrics.PrometheusMetrics;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The standalone server: reads the environment, wires the adapters, runs until SIGTERM. */
public final class Main {

    private static final String HELP = """
            Millau puts services behind one address: a label on a service is a route.

              java -jar millau-server.jar          serve
              java -jar millau-server.jar demo     show it on port 8080 with two built-in services, without Docker
              java -jar millau-server.jar --help | --version

            Labels, on a Swarm service (deploy.labels) or a container:
              millau.enabled       true puts it behind the proxy
              millau.port          port it listens on inside its container (default: the only exposed one)
              millau.hosts         host names, separated by spaces (default: *, all)
              millau.path          beginning of the URL path (default: /)
              millau.timeout       seconds to wait for an answer before failing over (default: 30)
              millau.retry         seconds a failed instance stays out of rotation (default: 60)
              millau.retry-unsafe  true: repeat POST and PATCH too, though they may have been processed
              millau.buffer        how much of a body is kept to be sent again: 64k, 1m (default: 64k)
              millau.health        path asked every 5 s: 2xx or 3xx is well, two failures take an instance out
              millau.drain         seconds that connections to a removed instance may finish (default: 30)
              millau.weight        share among services that fit equally well, 0 to 1000 (default: 1)
              millau.balance       round-robin or least-connections (default: round-robin)
              millau.sticky        true: a client stays with its instance, by a cookie (default: false)
              millau.network       network to reach it on, where it shares several with the proxy

            Environment:
              HTTP         listen address: 8080, :8080, 127.0.0.1:8080 or [::1]:8080 (default: :80)
              TELEMETRY    listen address of health (/) and metrics (/metrics) (default: :9100)
              DRAIN        seconds it goes on to listen after SIGTERM, down on the telemetry port (default: 0)
              LOGGING      FATAL, ERROR, WARN, INFO or DEBUG (default: INFO)
              SERVICES     properties file of services that are not in Docker; saved changes apply:
                             orders.endpoints = http://10.0.0.5:8080 http://10.0.0.6:8080
                             orders.hosts     = shop.example
              DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH
                           the Docker Engine (default: unix:///var/run/docker.sock)
              LICENSE      accepted and ignored: there is nothing to unlock

            This version serves no HTTPS: HTTPS, ACME and DATA have no effect yet.
            """;

    private Main() {}

    /** Runs the server. */
    public static void main(String[] arguments) {
        int status = run(List.of(arguments), System.getenv(), System.out, System.err);
        if (status >= 0) {
            System.exit(status);
        }
    }

    /** Runs what the arguments say; the exit status, or -1 if it goes on in threads of its own. */
    static int run(List<String> arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
        String command = arguments.isEmpty() ? "" : arguments.get(0);
        if (arguments.size() > 1) {
            command = String.join(" ", arguments);
        }
        switch (command) {
            case "--help", "-h", "help" -> {
                out.print(HELP);
                return 0;
            }
            case "--version", "version" -> {
                out.println("Millau " + version());
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
                err.println("FATAL " + command + ": expected no argument, demo, --help or --version");
                return 1;
            }
        }
    }

    private static void serve(boolean demo, Map<String, String> environment, PrintStream out)
            throws Configuration.WrongException {
        Configuration configuration = Configuration.read(environment, demo ? ":8080" : ":80");
        Logging.setUp(configuration.logging());
        if (demo) {
            serveDemo(configuration, out);
        } else {
            serve(configuration);
        }
    }

    private static void serve(Configuration configuration) throws Configuration.WrongException {
        List<ServiceSource> sources = new ArrayList<>();
        sources.add(docker(configuration));
        if (configuration.services() != null) {
            sources.add(ServiceSource.file(configuration.services()));
        }
        PrometheusMetrics metrics = new PrometheusMetrics();
        Millau.Builder builder = Millau.builder()
                .http(configuration.http())
                .telemetry(configuration.telemetry())
                .grace(configuration.drain())
                .hostName(hostName())
                .listener(metrics)
                .metrics(metrics::page);
        sources.forEach(builder::source);
        Banner.starting(version(), sources);
        configuration.withoutEffect().forEach(Banner::withoutEffect);
        Millau millau = start(builder, configuration);
        endOnSignal(millau);
        Banner.listening(millau);
    }

    private static void serveDemo(Configuration configuration, PrintStream out) throws Configuration.WrongException {
        Demo demo = Demo.start();
        Millau millau;
        try {
            millau = start(Millau.builder().http(configuration.http()).source(demo.services()), configuration);
        } catch (Configuration.WrongException e) {
            demo.close();
            throw e;
        }
        endOnSignal(millau, demo);
        out.print(demo.introduction(millau.port()));
    }

    private static ServiceSource docker(Configuration configuration) throws Configuration.WrongException {
        String host = configuration.dockerHost();
        try {
            DockerSource engine = host == null ? DockerSource.local() : DockerSource.at(host);
            return configuration.dockerCertificates() == null
                    ? engine
                    : engine.withTls(configuration.dockerCertificates());
        } catch (IllegalArgumentException e) {
            throw new Configuration.WrongException("DOCKER_HOST", String.valueOf(host), e.getMessage());
        }
    }

    private static Millau start(Millau.Builder builder, Configuration configuration)
            throws Configuration.WrongException {
        try {
            return builder.start();
        } catch (Millau.BindFailedException e) {
            InetSocketAddress address = e.address();
            String variable = address.equals(configuration.telemetry()) ? "TELEMETRY" : "HTTP";
            throw new Configuration.WrongException(
                    variable,
                    ListenAddress.show(address),
                    "expected an address that is free and that this process may listen on (" + reason(e) + ")");
        }
    }

    private static String reason(Exception e) {
        return String.valueOf(
                e.getCause() == null ? e.getMessage() : e.getCause().getMessage());
    }

    /** SIGTERM and Ctrl-C: finish what is in progress, then exit 0 rather than with the signal's number. */
    private static void endOnSignal(AutoCloseable... parts) {
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
                            Runtime.getRuntime().halt(0);
                        },
                        "millau-stop"));
    }

    static String version() {
        String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "(not packaged)" : version;
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "millau"; // a machine that can't resolve its own name
        }
    }
}
