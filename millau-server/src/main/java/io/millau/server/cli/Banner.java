package io.millau.server.cli;

import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.server.Millau;
import io.millau.server.internal.text.ListenAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs the start of the standalone server. */
final class Banner {

    private static final Logger LOG = LoggerFactory.getLogger(Main.class);

    private Banner() {}

    static void starting(String version, List<ServiceSource> sources) {
        LOG.info(
                "Millau {}, services from {}",
                version,
                sources.stream().map(Object::toString).collect(Collectors.joining(" and ")));
    }

    /** @param https whether the last address is for HTTPS */
    static void listening(Millau millau, boolean https) {
        List<InetSocketAddress> addresses = millau.addresses();
        List<String> shown = new ArrayList<>();
        for (int i = 0; i < addresses.size(); i++) {
            boolean secure = https && i == addresses.size() - 1;
            shown.add(ListenAddress.show(addresses.get(i)) + (secure ? " (HTTPS)" : " (HTTP)"));
        }
        LOG.info(
                "Listens on {} and :{} (status page, health and metrics)",
                String.join(", ", shown),
                millau.telemetryPort());
        List<Service> services =
                millau.snapshot().services().stream().filter(Service::enabled).toList();
        if (services.isEmpty()) {
            boolean isKnownWhy = !millau.snapshot().problems().isEmpty();
            LOG.info(
                    "No services yet: every request gets 502 until {}",
                    isKnownWhy
                            ? "the problems above are solved, or one has the labels millau.enabled=true and millau.port=PORT"
                            : "one has the labels millau.enabled=true and millau.port=PORT, or stands in the SERVICES file");
        } else {
            LOG.info(
                    "{} {}: {}",
                    services.size(),
                    services.size() == 1 ? "service" : "services",
                    services.stream().limit(20).map(Service::name).collect(Collectors.joining(", ")));
        }
    }
}
