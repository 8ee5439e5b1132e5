package io.millau.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Is told what happens to requests: for metrics, access logs, status pages.
 *
 * <p>Called on I/O threads, by many requests at once, so it must not block. What it throws is logged once and hurts no
 * request. For one request the order is: {@link #requestBegan}, any number of {@link #attemptFailed}, {@link
 * #requestEnded}.
 */
public interface TrafficListener {

    /**
     * Millau listens.
     *
     * @param overview to be asked for the state of all at any time
     */
    default void started(Overview overview) {}

    /**
     * The services are these from now on; requests that are in progress go on with those of before. Called serially, before
     * Millau listens too.
     *
     * @param services the enabled ones
     */
    default void servicesReplaced(List<Service> services) {}

    /** A connection that had no request in progress has one. */
    default void connectionBusy(Ingress ingress) {}

    /** The last request in progress on a connection ended, or the connection that it had been upgraded to. */
    default void connectionIdle(Ingress ingress) {}

    /** The head of a request arrived. */
    default void requestBegan(Ingress ingress, String method) {}

    /** An attempt failed. If the request is retried another attempt follows. */
    default void attemptFailed(Service service, Endpoint endpoint, Outcome outcome, boolean retried) {}

    /** An endpoint that was in rotation is out of it, through a request or a check. */
    default void endpointEjected(Service service, Endpoint endpoint, String reason) {}

    /** An endpoint that was out of rotation is back. */
    default void endpointReturned(Service service, Endpoint endpoint) {}

    /** A request is not retried because its service has used up its retry budget. */
    default void retriesExhausted(Service service) {}

    /** A request came to its end. */
    default void requestEnded(Ended request) {}

    /**
     * An address that Millau listens on.
     *
     * @param port the bound one
     * @param protocol {@code http} or {@code https}
     */
    record Ingress(int port, String protocol) {}

    /** What a client sent, as a log shows it: texts are whatever a client may send. Valid during the call that it is part of. */
    interface Request {

        /** Its id: the client's own {@code X-Request-Id}, else a new one. */
        String id();

        /** The client's address, without a port. */
        String address();

        /** The Host field; empty if there is none. */
        String host();

        /** As the client wrote it, without the query. */
        String path();

        /** {@code HTTP/1.0}, {@code HTTP/1.1} or {@code HTTP/2.0}. */
        String protocol();

        /** The first value of a field of its head, anything that a client may send; null if there is none. */
        @Nullable
        String header(String name);

        /** The version of TLS that the client speaks, {@code TLSv1.3} for instance; null without TLS. */
        @Nullable
        String tlsVersion();
    }

    /** A request that came to its end; valid during the call. */
    interface Ended {

        /** Where it came in. */
        Ingress ingress();

        /** As in the request line. */
        String method();

        /** The service that answered, or the last that was tried; null if none fits. */
        @Nullable
        Service service();

        /** What it was found by; null if no service fits. */
        @Nullable
        Route route();

        /** The endpoint that answered, or the last that was tried; null if none was. */
        @Nullable
        Endpoint endpoint();

        /** How many times it was tried. */
        int attempts();

        /** From the beginning of the last attempt to the head of its response, in nanoseconds; 0 if there was no response. */
        long upstreamNanos();

        /** Whether a response of the service was passed on: completely, or until the client went away. */
        boolean delivered();

        /** Whether the client went away: before there was a response, or, if one was {@link #delivered}, before its end. */
        boolean clientGone();

        /** The status that the client saw. */
        int status();

        /** Bytes of the request's body that were read from the client. */
        long requestBytes();

        /** Bytes of the body of the service's response that were passed on; 0 for a local reply. */
        long responseBytes();

        /** From the request's head to the end, in nanoseconds. */
        long nanos();

        /** What the client sent. */
        Request request();
    }
}
