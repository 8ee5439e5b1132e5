package io.millau.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Receives events of requests, for metrics, access logs and status pages.
 *
 * <p>Called on I/O threads, by many requests at once, so it must not block. An exception is logged, once for each place in the listener's code, and
 * does no harm to the request. The order for one request is: {@link #requestBegan}, any number of {@link #attemptFailed},
 * {@link #requestEnded}.
 *
 * <p>For a span of each attempt, as in tracing, take those that failed from {@link #attemptFailed}, and the one that
 * succeeded from {@link #requestEnded}, if {@link Ended#delivered}. A span began so many nanoseconds before the call as
 * {@link Failed#nanos} or {@link Ended#attemptNanos} says.
 *
 * <pre>{@code
 * LongAdder failures = new LongAdder();
 * TrafficListener listener = new TrafficListener() {
 *     @Override
 *     public void requestEnded(Ended request) {
 *         if (request.status() >= 500) {
 *             failures.increment();
 *         }
 *     }
 * };
 * builder.listener(listener);
 * }</pre>
 */
public interface TrafficListener {

    /**
     * Millau has started to listen. Called once.
     *
     * @param overview gives the state of the proxy at any time
     */
    default void started(Overview overview) {}

    /**
     * The services were replaced. Requests in progress continue with the previous ones. Calls are serial; the first may
     * come before {@link #started}. Services can't be replaced within a call: sources that try get an {@link IllegalStateException}.
     *
     * @param services the enabled ones
     */
    default void servicesReplaced(List<Service> services) {}

    /** An idle connection got a request. */
    default void connectionBusy(Ingress ingress) {}

    /** The last request in progress on a connection ended, or the connection's upgraded protocol did. */
    default void connectionIdle(Ingress ingress) {}

    /**
     * The head of a request was received.
     *
     * @param request valid only during the call
     */
    default void requestBegan(Ingress ingress, Request request) {}

    /** An attempt failed. If the request is retried, another attempt follows. */
    default void attemptFailed(Failed attempt) {}

    /** An endpoint was taken out of rotation, after a failed request or health check. */
    default void endpointEjected(Service service, Endpoint endpoint, String reason) {}

    /** An endpoint returned to rotation. */
    default void endpointReturned(Service service, Endpoint endpoint) {}

    /** A request isn't retried because the retry budget of its service is exhausted. */
    default void retriesExhausted(Service service) {}

    /**
     * What a client sent was malformed, and its HTTP/2 stream or its connection was ended without a response. There is no other
     * event for it.
     */
    default void malformed(Ingress ingress) {}

    /** A request ended. */
    default void requestEnded(Ended request) {}

    /** Why Millau itself responded to a request, or ended its response. */
    enum LocalReason {
        /** The request is malformed or ambiguous. */
        BAD_REQUEST,
        /** Its head, with its trailers, or its target is too large. */
        HEAD_TOO_LARGE,
        /** Its body is longer than its service allows. */
        BODY_TOO_LARGE,
        /** Its head or its body did not arrive in time. */
        REQUEST_TIMEOUT,
        /** Its method is CONNECT. */
        CONNECT,
        /** It has to use HTTPS, or the service's canonical host. */
        REDIRECT,
        /** It has to use another connection, with a client certificate or without. */
        MISDIRECTED,
        /** It is for the challenge of a certificate authority. */
        CHALLENGE,
        /** A label that protects its service has a mistake. */
        CLOSED,
        /** Its client's address may not use the service: {@code millau.allow}. */
        DENIED,
        /** Its client has made too many requests to the service: {@code millau.limit}. */
        RATE_LIMITED,
        /** Its client has not given the name and the password of a user: {@code millau.users}. */
        NOT_LOGGED_IN,
        /** The server that decides who may use its service did not let it pass, or not answer: {@code millau.auth}. */
        AUTH,
        /** A {@link RequestFilter} responded to it. */
        FILTER,
        /** A {@link RequestFilter} failed. */
        FILTER_FAILED,
        /** An application of the embedding program responded to it: {@code Millau.Builder.wrap}. */
        APPLICATION,
        /** No service matches it. */
        NO_SERVICE,
        /** Its service has no running endpoint. */
        NO_ENDPOINT,
        /** All endpoints of its service have as many requests in progress as allowed, and it could not wait any longer. */
        TOO_MANY_REQUESTS,
        /** No endpoint could answer. */
        UPSTREAM_FAILED,
        /** No endpoint answered in time. */
        UPSTREAM_TIMEOUT,
        /** Its client took nothing of the response, or sent nothing more of its body, for so long that the response was ended. */
        CLIENT_STALLED,
        /** Millau has no room for it: it has too many files and connections open, or too little memory. */
        OVERLOADED
    }

    /**
     * An address that Millau listens on. A value to count by; what else is known of it is in {@link IngressStatus}.
     *
     * @param port the bound port
     * @param protocol {@code http} or {@code https}
     */
    record Ingress(int port, String protocol) {}

    /** An attempt that failed. Valid only during the call. Times are in nanoseconds. */
    interface Failed {

        /** The request, as the client sent it. */
        Request request();

        /** The service of the endpoint. */
        Service service();

        /** The endpoint that was tried. */
        Endpoint endpoint();

        /** The number of the attempt, from 1. */
        int number();

        /** How it ended. */
        Outcome outcome();

        /** The status of the response, if its head was read; otherwise 0. */
        int status();

        /** A short text for people that says why it failed. */
        String reason();

        /** Whether the request is retried. */
        boolean retried();

        /** See {@link Ended#queueNanos}. */
        long queueNanos();

        /** See {@link Ended#connectNanos}. */
        long connectNanos();

        /** See {@link Ended#firstByteNanos}. */
        long firstByteNanos();

        /** The time from its start until it failed. */
        long nanos();
    }

    /** A request that ended. Valid only during the call. */
    interface Ended {

        /** The address that received it. */
        Ingress ingress();

        /** The method as in the request line. */
        String method();

        /** The service that responded, or the last one tried; null if none matches. */
        @Nullable
        Service service();

        /** The route that it matched; null if no service matches. */
        @Nullable
        Route route();

        /** The endpoint that responded, or the last one tried; null if none was tried. */
        @Nullable
        Endpoint endpoint();

        /** The number of attempts. */
        int attempts();

        /**
         * The time from the start of the last attempt to the head of its response, in nanoseconds; 0 if there was no
         * response.
         */
        long upstreamNanos();

        /**
         * How long the last attempt waited: for a place at an endpoint ({@link Service#maxRequests}), before its start, and for
         * its turn to connect. In nanoseconds, as the following ones.
         */
        long queueNanos();

        /** How long it took to open the connection of the last attempt; 0 over a connection that was open already. */
        long connectNanos();

        /** The time from then to the head of its response; 0 if there was no response. */
        long firstByteNanos();

        /** The time from the start of the last attempt to the end of the request; 0 if there was none. */
        long attemptNanos();

        /** Whether a response of the service was relayed: completely, or until the client went away. */
        boolean delivered();

        /**
         * Whether the client went away: before a response, or, if {@link #delivered}, before the end of the response.
         */
        boolean clientGone();

        /**
         * Whether the service failed: no complete response could be had from it, and that was neither the client's doing nor is
         * what the request asks for refused.
         */
        default boolean failed() {
            LocalReason local = localReason();
            boolean refused = local == LocalReason.CLIENT_STALLED || local != null && status() < 500;
            return service() != null && !delivered() && !clientGone() && !refused;
        }

        /** The status of the response to the client; 0 if the client went away before a response. */
        int status();

        /** Why Millau responded itself, or ended the response; null if it did not. */
        @Nullable
        LocalReason localReason();

        /** The number of bytes of the request's body that were received. */
        long requestBytes();

        /** The number of bytes of the service's response body that were relayed; 0 for a local reply. */
        long responseBytes();

        /** The time from the request's head to its end, in nanoseconds. */
        long nanos();

        /** The data that the client sent. */
        Request request();
    }
}
