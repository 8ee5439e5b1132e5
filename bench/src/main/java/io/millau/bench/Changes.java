package io.millau.bench;

import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.metrics.PrometheusMetrics;
import io.millau.server.Millau;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Millau with 1,000 services, of which another one changes every so often: each time that is a new snapshot. */
public final class Changes {

    private static final int SERVICES = 1_000;

    private Changes() {}

    /** Arguments: the port to listen on, the backend's port, and milliseconds from change to change, 0 for none. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Endpoint backend = Endpoint.http(
                new InetSocketAddress(InetAddress.getByName("127.0.0.1"), Integer.parseInt(arguments[1])));
        int millis = Integer.parseInt(arguments[2]);
        List<Service> services = new ArrayList<>();
        services.add(Service.named("app").endpoints(backend).build());
        for (int i = 1; i < SERVICES; i++) {
            services.add(other(i, "/", backend));
        }
        InMemoryServices source = ServiceSource.of();
        source.replace(List.copyOf(services));
        PrometheusMetrics metrics = new PrometheusMetrics();
        try (Millau millau = Millau.builder()
                .http("127.0.0.1:" + arguments[0])
                .source(source)
                .listener(metrics)
                .start()) {
            for (int change = 0; ; change++) {
                TimeUnit.MILLISECONDS.sleep(millis == 0 ? 1_000 : millis);
                if (millis > 0 && millau.up()) {
                    int i = 1 + change % (SERVICES - 1);
                    services.set(i, other(i, "/" + change + "/", backend));
                    source.replace(List.copyOf(services));
                }
            }
        }
    }

    private static Service other(int number, String path, Endpoint backend) {
        return Service.named("other-" + number)
                .hosts("other-" + number + ".example")
                .path(path)
                .endpoints(backend)
                .build();
    }
}
