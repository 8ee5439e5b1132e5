package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.core.Endpoint;
import io.millau.core.Request;
import io.millau.core.Route;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.server.internal.frontend.Downstream;
import org.jspecify.annotations.Nullable;

/** The report to traffic listeners on a request that was forwarded to a service. For the request's I/O thread alone. */
final class RequestReport implements TrafficListener.Ended {

    private final Downstream downstream;
    private final TrafficListener.Ingress ingress;
    private final long began;

    Delivery delivery;

    @Nullable
    RequestBody body;

    @Nullable
    ResponseBody response;

    /** The endpoint of the last attempt. */
    @Nullable
    Endpoint lastEndpoint;

    /** The time from the beginning of the last attempt to the head of its response, in nanoseconds. */
    long upstreamNanos;

    /** Whether the endpoint responded; false again if the response broke off. */
    boolean delivered;

    boolean clientGone;

    TrafficListener.@Nullable LocalReason localReason;

    private long nanos;

    /** @param began the time when the request began, on the clock of the event loop, in nanoseconds */
    RequestReport(Downstream downstream, TrafficListener.Ingress ingress, Delivery delivery, long began) {
        this.downstream = downstream;
        this.ingress = ingress;
        this.delivery = delivery;
        this.began = began;
    }

    long began() {
        return began;
    }

    void end(long now) {
        nanos = now - began;
    }

    @Override
    public TrafficListener.Ingress ingress() {
        return ingress;
    }

    @Override
    public String method() {
        return downstream.exchange.getRequestMethod().toString();
    }

    @Override
    public Service service() {
        return delivery.service();
    }

    @Override
    public Request request() {
        return downstream;
    }

    @Override
    public Route route() {
        return delivery.route();
    }

    @Override
    public @Nullable Endpoint endpoint() {
        return lastEndpoint;
    }

    @Override
    public int attempts() {
        return delivery.attempts();
    }

    @Override
    public long upstreamNanos() {
        return upstreamNanos;
    }

    @Override
    public boolean delivered() {
        return delivered;
    }

    @Override
    public boolean clientGone() {
        return clientGone;
    }

    @Override
    public int status() {
        return downstream.exchange.getStatusCode();
    }

    @Override
    public TrafficListener.@Nullable LocalReason localReason() {
        return localReason;
    }

    @Override
    public long requestBytes() {
        return body == null ? 0 : body.bytes();
    }

    @Override
    public long responseBytes() {
        return response == null ? 0 : response.bytes();
    }

    @Override
    public long nanos() {
        return nanos;
    }
}
