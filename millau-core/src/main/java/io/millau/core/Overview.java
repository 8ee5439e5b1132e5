package io.millau.core;

import java.util.List;

/**
 * The state of a running proxy at the time of each call, for metrics and status pages. Contains no secrets. Safe for
 * use by several threads, but not on I/O threads, since calls may take long.
 *
 * <pre>{@code
 * AtomicReference<Overview> state = new AtomicReference<>();
 * builder.listener(new TrafficListener() {
 *     @Override
 *     public void started(Overview overview) {
 *         state.set(overview);
 *     }
 * });
 * try (Millau millau = builder.start()) {
 *     boolean isUp = state.get().services().stream().allMatch(ServiceStatus::up);
 * }
 * }</pre>
 */
public interface Overview {

    /** The addresses that Millau listens on. */
    List<TrafficListener.Ingress> ingresses();

    /** The status of these addresses, in the same order. */
    List<IngressStatus> ingressStatus();

    /** The status of all enabled services. */
    List<ServiceStatus> services();

    /** The number of open connections to a service's endpoints, including idle ones. */
    int openConnections(Service service);

    /** The status of all sources of services. */
    List<SourceStatus> sources();

    /** The problems that the sources report. */
    List<Problem> problems();

    /** The certificates for HTTPS, including missing ones. */
    List<CertificateStatus> certificates();

    /** The number of access log lines that were dropped because the output was too slow. */
    long droppedLogLines();
}
