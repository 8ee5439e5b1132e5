package io.millau.examples.documents;

import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.examples.echo.Echo;
import io.millau.metrics.PrometheusMetrics;
import io.millau.server.Millau;
import io.millau.server.internal.compose.ComposeFile;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.yaml.snakeyaml.Yaml;

/**
 * What a page's stacks and Compose files would be in an engine, without one: a proxy with their routes, and the echo service behind each.
 * For one thread.
 */
final class StandIn implements AutoCloseable {

    /** For files that need variables: a CA's certificate would be needed for its proxy to start, but not to read its labels. */
    static final Map<String, String> VARIABLES = Map.of("CLIENT_CA", Certificates.CA, "DOCKER_GROUP", "106");

    private final Map<String, String> variables = new HashMap<>(VARIABLES);
    private final InMemoryServices services = ServiceSource.of();
    private final Map<String, Map<String, Object>> files = new LinkedHashMap<>();
    private final Map<String, Echo> echoes = new HashMap<>();
    private final Set<String> stopped = new HashSet<>();
    private final PrometheusMetrics metrics = new PrometheusMetrics();
    private final Millau millau;

    StandIn() throws IOException {
        millau = Millau.builder()
                .http("127.0.0.1:0")
                .https("127.0.0.1:0")
                .telemetry("127.0.0.1:0")
                .source(services)
                .listener(metrics)
                .metrics(metrics::page)
                .start();
    }

    /** What has {@code curl} ask this proxy for every host's ports 80, 443 and 9100. */
    List<String> connectTo() {
        List<InetSocketAddress> addresses = millau.addresses();
        return List.of(
                "--connect-to",
                ":80:127.0.0.1:" + addresses.get(0).getPort(),
                "--connect-to",
                ":443:127.0.0.1:" + addresses.get(1).getPort(),
                "--connect-to",
                ":9100:127.0.0.1:" + millau.telemetryPort());
    }

    void set(String variable, String value) {
        variables.put(variable, value);
    }

    /** Deploys a stack, or starts the services of a Compose file; then {@code stack} is its path. */
    void deploy(Path file, String stack) throws Exception {
        Map<String, Object> content = new Yaml().load(Document.read(file));
        files.put(stack, content);
        apply();
    }

    void stop(String stack, String service) throws Exception {
        if (!services(stack).containsKey(service)) {
            throw new AssertionError(service + " is not in " + services(stack).keySet());
        }
        stopped.add(stack + "_" + service);
        apply();
    }

    /** Changes a label of a Swarm's service. */
    @SuppressWarnings("unchecked")
    void label(String stack, String service, String label) throws Exception {
        Map<String, Object> deploy =
                (Map<String, Object>) services(stack).get(service).get("deploy");
        List<String> labels = new ArrayList<>((List<String>) deploy.get("labels"));
        String name = label.substring(0, label.indexOf('='));
        labels.removeIf(old -> old.startsWith(name + "="));
        labels.add(label);
        deploy.put("labels", labels);
        apply();
    }

    @SuppressWarnings("unchecked")
    private Map<String, Map<String, Object>> services(String stack) {
        return (Map<String, Map<String, Object>>) files.get(stack).get("services");
    }

    private void apply() throws Exception {
        List<Service> all = new ArrayList<>();
        for (Map.Entry<String, Map<String, Object>> file : files.entrySet()) {
            String stack = file.getKey();
            ComposeFile read = ComposeFile.check(stack, new Yaml().dump(file.getValue()), variables::get);
            if (read.findings().problems() > 0) {
                throw new AssertionError(read.findings().lines(stack));
            }
            for (Service service : read.routed()) {
                String name = service.name().replaceFirst("/.*", "");
                List<Endpoint> endpoints =
                        stopped.contains(stack + "_" + name) ? List.of() : List.of(endpoint(stack, name));
                // As in an engine: a stack's name is put before its services', but not a project's.
                all.add(service.toBuilder(stack.endsWith(".yml") ? service.name() : stack + "_" + service.name())
                        .id(stack + "_" + service.name())
                        .endpoints(endpoints)
                        .build());
            }
        }
        services.replace(all);
    }

    private Endpoint endpoint(String stack, String service) throws IOException {
        Echo echo = echoes.get(stack + "_" + service);
        if (echo == null) {
            Map<?, ?> environment =
                    services(stack).get(service).get("environment") instanceof Map<?, ?> given ? given : Map.of();
            String name = environment.get("NAME") instanceof String given ? given : service;
            int delay = environment.get("DELAY") instanceof Integer given ? given : 0;
            echo = new Echo(name, 0, Duration.ofMillis(delay));
            echoes.put(stack + "_" + service, echo);
        }
        return Endpoint.http(new InetSocketAddress(InetAddress.getLoopbackAddress(), echo.port()));
    }

    @Override
    public void close() {
        millau.close();
        echoes.values().forEach(Echo::close);
    }
}
