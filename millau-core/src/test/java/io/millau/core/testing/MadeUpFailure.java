package io.millau.core.testing;

import io.millau.core.Endpoint;
import io.millau.core.Outcome;
import io.millau.core.Request;
import io.millau.core.Service;
import io.millau.core.TrafficListener;

/** An attempt that nobody made, and that broke. */
public record MadeUpFailure(Service service, Endpoint endpoint, boolean retried) implements TrafficListener.Failed {

    @Override
    public Request request() {
        return new MadeUpRequest("GET");
    }

    @Override
    public int number() {
        return 1;
    }

    @Override
    public Outcome outcome() {
        return Outcome.BROKEN;
    }

    @Override
    public int status() {
        return 0;
    }

    @Override
    public String reason() {
        return "broken";
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
    public long nanos() {
        return 1;
    }
}
