package io.millau.core;

import java.util.List;

/**
 * A service as the router sees it now.
 *
 * @param service as its source describes it
 * @param endpoints in the service's order
 */
public record ServiceStatus(Service service, List<EndpointStatus> endpoints) {

    /** Copies the list. */
    public ServiceStatus {
        endpoints = List.copyOf(endpoints);
    }

    /** How many of its endpoints are in rotation. */
    public int endpointsInRotation() {
        return (int) endpoints.stream().filter(EndpointStatus::inRotation).count();
    }

    /** Whether it has an endpoint in rotation. */
    public boolean up() {
        return endpoints.stream().anyMatch(EndpointStatus::inRotation);
    }
}
