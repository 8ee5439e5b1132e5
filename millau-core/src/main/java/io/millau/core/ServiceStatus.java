package io.millau.core;

import java.util.List;

/**
 * The status of a service at one moment. Immutable.
 *
 * @param service the service
 * @param endpoints the status of its endpoints, in the service's order
 */
public record ServiceStatus(Service service, List<EndpointStatus> endpoints) {

    /** Copies the list. */
    public ServiceStatus {
        endpoints = List.copyOf(endpoints);
    }

    /** The number of its endpoints in rotation. */
    public int endpointsInRotation() {
        return (int) endpoints.stream().filter(EndpointStatus::inRotation).count();
    }

    /** Whether an endpoint is in rotation. */
    public boolean up() {
        return endpoints.stream().anyMatch(EndpointStatus::inRotation);
    }
}
