package io.millau.server.internal.proxy;

import io.millau.core.Endpoint;
import io.millau.core.Outcome;
import io.millau.core.Request;
import io.millau.core.Service;
import io.millau.core.TrafficListener;

/** The report to traffic listeners on an attempt that failed. Immutable, but for its request. */
record AttemptReport(
        Request request,
        Service service,
        Endpoint endpoint,
        int number,
        Outcome outcome,
        int status,
        String reason,
        boolean retried,
        long queueNanos,
        long connectNanos,
        long firstByteNanos,
        long nanos)
        implements TrafficListener.Failed {}
