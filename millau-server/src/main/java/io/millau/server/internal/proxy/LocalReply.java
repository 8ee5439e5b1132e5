package io.millau.server.internal.proxy;

import io.millau.core.Endpoint;
import io.millau.core.Route;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.server.internal.frontend.Downstream;
import org.jspecify.annotations.Nullable;

/**
 * A request that no service gets, as listeners are told of it.
 *
 * @param began when, in nanoseconds
 */
record LocalReply(Downstream request, TrafficListener.Ingress ingress, long began) implements TrafficListener.Ended {

    @Override
    public String method() {
        return request.exchange.getRequestMethod().toString();
    }

    @Override
    public @Nullable Service service() {
        return null;
    }

    @Override
    public @Nullable Route route() {
        return null;
    }

    @Override
    public @Nullable Endpoint endpoint() {
        return null;
    }

    @Override
    public int attempts() {
        return 0;
    }

    @Override
    public long upstreamNanos() {
        return 0;
    }

    @Override
    public boolean delivered() {
        return false;
    }

    @Override
    public boolean clientGone() {
        return false;
    }

    @Override
    public int status() {
        return request.exchange.getStatusCode();
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
    public long nanos() {
        return System.nanoTime() - began;
    }
}
