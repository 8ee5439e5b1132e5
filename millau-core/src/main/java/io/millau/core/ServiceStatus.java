package io.millau.core;

import java.util.List;

/**
 * The status of a service at one moment. Immutable.
 *
 * <pre>{@code
 * List<String> alerts = new ArrayList<>();
 * for (ServiceStatus service : overview.services()) {
 *     if (!service.up() || service.waiting() > 0) {
 *         alerts.add(service.service().name() + ": " + service.endpointsInRotation() + " instances");
 *     }
 * }
 * }</pre>
 */
public interface ServiceStatus {

    /** The service. */
    Service service();

    /** The status of its endpoints, in the service's order. */
    List<EndpointStatus> endpoints();

    /** The number of requests that wait for a place, see {@link Service#maxRequests}. */
    int waiting();

    /** The number of its endpoints in rotation. */
    default int endpointsInRotation() {
        return (int) endpoints().stream().filter(EndpointStatus::inRotation).count();
    }

    /** Whether an endpoint is in rotation. */
    default boolean up() {
        return endpoints().stream().anyMatch(EndpointStatus::inRotation);
    }
}
