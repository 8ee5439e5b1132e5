package io.millau.core;

import java.util.List;

/**
 * The state of a running proxy, for metrics and status pages. May be called by any thread
 * but an I/O thread at any time, and says how things are at that moment. Nothing in it is secret.
 */
public interface Overview {

    /** Where Millau listens. */
    List<TrafficListener.Ingress> ingresses();

    /** All enabled services. */
    List<ServiceStatus> services();

    /** How many connections to endpoints of a service are open, idle ones too. */
    int openConnections(Service service);

    /** Where services come from. */
    List<SourceStatus> sources();

    /** What is wrong with what they deliver. */
    List<Problem> problems();

    /** The certificates of HTTPS, those that are missing too. */
    List<CertificateStatus> certificates();

    /** How many lines of the access log were dropped because they were not read fast enough. */
    long droppedLogLines();
}
