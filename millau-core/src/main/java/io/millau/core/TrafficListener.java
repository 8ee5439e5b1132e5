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
     * @param addresses where
     * @param router to be asked for the state of services at any time
     */
    default void started(List<Ingress> addresses, Router router) {}

    /** A connection that had no request in progress has one. */
    default void connectionBusy(Ingress ingress) {}

    /** The last request in progress on a connection ended, or the connection that it had been upgraded to. */
    default void connectionIdle(Ingress ingress) {}

    /** The head of a request arrived. */
    default void requestBegan(Ingress ingress, String method) {}

    /** An attempt failed. If the request is repeated another attempt follows. */
    default void attemptFailed(Service service, Endpoint endpoint, Outcome outcome, boolean repeated) {}

    /** A request came to its end. */
    default void requestEnded(Ended request) {}

    /**
     * An address that Millau listens on.
     *
     * @param port the bound one
     * @param protocol {@code http} or {@code https}
     */
    record Ingress(int port, String protocol) {}

    /** A request that came to its end; valid during the call. */
    interface Ended {

        /** Where it came in. */
        Ingress ingress();

        /** As in the request line. */
        String method();

        /** The service that answered, or the last that was tried; null if none fits. */
        @Nullable
        Service service();

        /** Whether an answer of the service was passed on, from its head to its end or to the client's. */
        boolean delivered();

        /** Whether the client went away before there was an answer. */
        boolean clientGone();

        /** The status that the client saw. */
        int status();

        /** Bytes of the request's body that were read from the client. */
        long requestBytes();

        /** Bytes of the service's answer's body that were passed on; 0 for an answer that Millau made itself. */
        long responseBytes();

        /** From the request's head to the end, in nanoseconds. */
        long nanos();
    }
}
