package io.millau.examples;

import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.LoadBalancer;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.TrafficListener;
import io.millau.examples.echo.Echo;
import io.millau.server.Millau;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * A gateway of one's own: Millau inside an application, with routes in code that change while it runs, a load balancer that
 * was chosen, and an access log that an own {@link TrafficListener} writes.
 *
 * <p>Try it, after {@code mvn -DskipTests package}:
 *
 * <pre>
 * java -cp "millau-examples/target/millau-examples.jar:millau-server/target/millau-server.jar:millau-server/target/lib/*" \
 *     io.millau.examples.CustomGateway
 * curl http://localhost:8080/api/
 * curl http://localhost:8080/
 * </pre>
 */
public final class CustomGateway implements AutoCloseable {

    private final InMemoryServices services = ServiceSource.of();
    private final Millau millau;

    /**
     * Starts it, as yet without a route.
     *
     * @param address where to listen; port 0 takes a free one
     * @param accessLog gets a line for each request
     */
    public CustomGateway(String address, Consumer<String> accessLog) throws IOException {
        millau = Millau.builder()
                .http(address)
                .source(services)
                .balancer(LoadBalancer.leastConnections())
                .listener(new AccessLog(accessLog))
                .start();
    }

    /** The port it listens on. */
    public int port() {
        return millau.port();
    }

    /** Sends {@code /api/} to the one group of servers and all else to the other, from now on. */
    public void route(InetSocketAddress[] api, InetSocketAddress[] website) {
        services.replace(
                Service.named("api")
                        .path("/api/")
                        .timeout(Duration.ofSeconds(5))
                        .endpoints(endpoints(api))
                        .build(),
                Service.named("website").endpoints(endpoints(website)).build());
    }

    private static Endpoint[] endpoints(InetSocketAddress... addresses) {
        Endpoint[] endpoints = new Endpoint[addresses.length];
        for (int i = 0; i < addresses.length; i++) {
            endpoints[i] = Endpoint.http(addresses[i]);
        }
        return endpoints;
    }

    /** Finishes what is in progress and ends. */
    @Override
    public void close() {
        millau.close();
    }

    /** A line for each request; called on I/O threads, so whatever takes it must not block. */
    private record AccessLog(Consumer<String> lines) implements TrafficListener {

        @Override
        public void attemptFailed(Failed attempt) {
            lines.accept(attempt.service().name() + " " + attempt.outcome()
                    + (attempt.retried() ? ", goes on to the next" : ""));
        }

        @Override
        public void requestEnded(Ended request) {
            Service service = request.service();
            lines.accept(request.method() + " " + (service == null ? "-" : service.name()) + " " + request.status());
        }
    }

    /** Runs it on port 8080 with two servers for {@code /api/} and one for the rest, until Ctrl-C. */
    public static void main(String[] args) throws IOException {
        InetSocketAddress[] api = {serve("blue"), serve("green")};
        CustomGateway gateway = new CustomGateway(":8080", System.out::println);
        gateway.route(api, new InetSocketAddress[] {serve("website")});
        Runtime.getRuntime().addShutdownHook(new Thread(gateway::close));
        System.out.println("http://localhost:" + gateway.port() + "/api/ and http://localhost:" + gateway.port() + "/");
    }

    private static InetSocketAddress serve(String name) throws IOException {
        Echo server = new Echo(name, 0, Duration.ZERO);
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port());
    }
}
