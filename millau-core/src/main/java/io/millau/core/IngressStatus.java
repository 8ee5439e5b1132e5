package io.millau.core;

/** The status of an address that Millau listens on. Immutable. */
public interface IngressStatus {

    /** The address. */
    TrafficListener.Ingress ingress();

    /** The connections of clients that are open, idle ones too. */
    int connections();

    /** How many there may be; while there are so many, no more are accepted. */
    int maxConnections();

    /** How many were closed at once since the start, because their client had too many. */
    long refusedConnections();
}
