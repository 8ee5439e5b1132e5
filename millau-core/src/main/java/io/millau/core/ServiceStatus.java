package io.millau.core;

/**
 * A service as the router sees it now.
 *
 * @param service as its source describes it
 * @param endpointsInRotation how many of its endpoints are not ejected
 */
public record ServiceStatus(Service service, int endpointsInRotation) {

    /** Whether it has an endpoint in rotation. */
    public boolean up() {
        return endpointsInRotation > 0;
    }
}
