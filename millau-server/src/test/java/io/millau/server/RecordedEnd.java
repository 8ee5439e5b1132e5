package io.millau.server;

import io.millau.core.Endpoint;
import io.millau.core.Request;
import io.millau.core.Route;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The end of a made-up request. */
public record RecordedEnd(
        TrafficListener.Ingress ingress,
        @Nullable Service service,
        @Nullable Route route,
        @Nullable Endpoint endpoint,
        boolean delivered,
        boolean clientGone,
        int status,
        long nanos,
        @Nullable Request sent)
        implements TrafficListener.Ended {

    public RecordedEnd(
            TrafficListener.Ingress ingress,
            @Nullable Service service,
            @Nullable Route route,
            @Nullable Endpoint endpoint,
            boolean delivered,
            boolean clientGone,
            int status,
            long nanos) {
        this(ingress, service, route, endpoint, delivered, clientGone, status, nanos, null);
    }

    @Override
    public String method() {
        return "GET";
    }

    @Override
    public TrafficListener.@Nullable LocalReason localReason() {
        return null;
    }

    @Override
    public int attempts() {
        return 1;
    }

    @Override
    public long upstreamNanos() {
        return nanos;
    }

    @Override
    public long queueNanos() {
        return 0;
    }

    @Override
    public long connectNanos() {
        return 0;
    }

    @Override
    public long firstByteNanos() {
        return 0;
    }

    @Override
    public long attemptNanos() {
        return 0;
    }

    @Override
    public long requestBytes() {
        return 0;
    }

    @Override
    public long responseBytes() {
        return 0;
    }

    @Override
    public Request request() {
        return Objects.requireNonNull(sent);
    }
}
