package io.millau.server;

import io.millau.core.LoadBalancer;
import io.millau.core.Service;
import java.time.Duration;
import java.util.List;

/** The services of a random run for one host, without endpoints. */
record RunRoute(String host, List<Service> services) {

    /** Its four endpoints stay and always respond, but break on a poison request. */
    static final RunRoute STEADY = new RunRoute(
            "steady.test",
            List.of(service("steady.test", "steady")
                    .retry(Duration.ofSeconds(2))
                    .build()));

    /** All routes of a run. The services of a route have the same retry settings. */
    static final List<RunRoute> ALL = List.of(
            STEADY,
            new RunRoute("plain.test", List.of(service("plain.test", "plain").build())),
            new RunRoute(
                    "colours.test",
                    List.of(
                            service("colours.test", "blue").weight(1).build(),
                            service("colours.test", "green").weight(9).build(),
                            service("colours.test", "standby").weight(0).build())),
            new RunRoute(
                    "unsafe.test",
                    List.of(service("unsafe.test", "unsafe").retryUnsafe(true).build())),
            new RunRoute(
                    "least.test",
                    List.of(service("least.test", "least")
                            .balancer(LoadBalancer.leastConnections())
                            .buffer(Payload.MOST)
                            .retry(Duration.ZERO)
                            .build())),
            new RunRoute(
                    "small.test",
                    List.of(service("small.test", "small")
                            .buffer(1024)
                            .timeout(Duration.ofSeconds(3))
                            .retry(Duration.ofMillis(50))
                            .build())));

    private static Service.Builder service(String host, String name) {
        return Service.named(name).hosts(host).timeout(Duration.ofSeconds(6)).retry(Duration.ofMillis(200));
    }

    boolean retryUnsafe() {
        return services.get(0).retryUnsafe();
    }

    /** How many bytes of a body are buffered for a retry. */
    int buffer() {
        return services.get(0).buffer();
    }
}
