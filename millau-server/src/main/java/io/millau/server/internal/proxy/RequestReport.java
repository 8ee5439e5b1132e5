package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.core.Endpoint;
import io.millau.core.Outcome;
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

    /** The time from the beginning of the last attempt to the head of its response, in nanoseconds; 0 until that came. */
    private long upstreamNanos;

    private long attemptBegan;

    /** When the body ended; 0 if it has not. */
    private long bodyEnded;

    /** How long the last attempt waited for a place at an endpoint, before it began. */
    private long placeNanos;

    /** How long it waited for its turn to connect. */
    private long turnNanos;

    /** The time from its beginning until it was connected, or could not be; 0 over a kept connection. */
    private long connectedNanos;

    private long attemptNanos;

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
        this.attemptBegan = began;
    }

    long began() {
        return began;
    }

    /**
     * An attempt begins.
     *
     * @param waited how long it waited for a place at an endpoint before
     */
    void attemptBegins(long now, long waited) {
        attemptBegan = now;
        placeNanos = waited;
        turnNanos = 0;
        connectedNanos = 0;
        upstreamNanos = 0;
    }

    /** The attempt begins only now: filters come first, and may decide later. */
    void filtered(long now) {
        attemptBegan = now;
    }

    long attemptBegan() {
        return attemptBegan;
    }

    /**
     * The attempt has a connection, or can't have one.
     *
     * @param waited how long it waited for its turn to connect
     */
    void connectEnded(long now, long waited) {
        turnNanos = waited;
        connectedNanos = now - attemptBegan;
    }

    /** The client has sent all of its body. */
    void bodyEnded(long now) {
        bodyEnded = now;
    }

    /** The head of a response was read. */
    void responded(int status, long now) {
        upstreamNanos = now - attemptBegan;
        if (body == null) {
            delivery.responded(status, upstreamNanos);
        } else if (bodyEnded != 0) { // while the client sends, the endpoint may wait for it
            delivery.responded(status, Math.min(upstreamNanos, now - bodyEnded));
        }
    }

    void end(long now) {
        nanos = now - began;
        attemptNanos = now - attemptBegan;
    }

    /** A report on the last attempt, which failed. */
    AttemptReport attemptFailed(Endpoint tried, Outcome outcome, int status, String reason, boolean retried, long now) {
        return new AttemptReport(
                downstream,
                delivery.service(),
                tried,
                delivery.attempts(),
                outcome,
                status,
                reason,
                retried,
                queueNanos(),
                connectNanos(),
                firstByteNanos(),
                now - attemptBegan);
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
    public long queueNanos() {
        return placeNanos + turnNanos;
    }

    @Override
    public long connectNanos() {
        return connectedNanos - turnNanos;
    }

    @Override
    public long firstByteNanos() {
        return upstreamNanos == 0 ? 0 : upstreamNanos - connectedNanos;
    }

    @Override
    public long attemptNanos() {
        return delivery.attempts() == 0 ? 0 : attemptNanos;
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
        return clientGone && !delivered ? 0 : downstream.exchange.getStatusCode();
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
