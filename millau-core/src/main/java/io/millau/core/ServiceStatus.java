package io.millau.core;

import java.util.List;

/**
 * The status of a service at one moment. Immutable.
 *
 * @param service the service
 * @param endpoints the status of its endpoints, in the service's order
 * @param waiting the number of requests that wait for a place, see {@link Service#maxRequests}
 */
public record ServiceStatus(Service service, List<EndpointStatus> endpoints, int waiting) {

    /** The status of a service for which no request waits. */
    public ServiceStatus(Service service, List<EndpointStatus> endpoints) {
        this(service, endpoints, 0);
    }

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
