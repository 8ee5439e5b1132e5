package io.millau.server;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * What must hold for every request despite all faults, judged from what the endpoints and the client saw, not from the
 * proxy's own records.
 */
final class RunRules {

    /** The longest time between the close of a connection and a request for which the proxy still regarded it as idle. */
    private static final long HUNG_UP_BEFORE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final RunFleet fleet;

    RunRules(RunFleet fleet) {
        this.fleet = fleet;
    }

    /**
     * Describes the result of a request.
     *
     * @throws AssertionError if it broke a rule
     */
    String judge(RunRequest request) {
        judgeArrivals(request);
        judgeHarm(request);
        RunRequest.Seen seen = request.seen();
        if (seen.left()) {
            return "client left";
        } else if (!seen.whole()) {
            judgeCut(request);
            return "cut";
        } else if (seen.id() != null) {
            judgeResponse(request, seen);
            return "responded";
        } else {
            return judgeFailure(request, seen);
        }
    }

    private static void judgeArrivals(RunRequest request) {
        Map<RunEndpoint, RunRequest.Arrival> firsts = new HashMap<>();
        Set<RunEndpoint> twice = new HashSet<>();
        for (RunRequest.Arrival arrival : request.arrivals()) {
            must(request.plan.retryable() || arrival.number == 1, "What may not be retried arrived twice");
            must(arrival.endpoint.serves(request.plan.route()), "It arrived at an endpoint of another route");
            must(arrival.bodyError().isEmpty(), "A request's body was wrong: " + arrival.bodyError());
            RunRequest.Arrival first = firsts.putIfAbsent(arrival.endpoint, arrival);
            must(
                    first == null || first.connectionReused && twice.add(arrival.endpoint),
                    "It arrived at an endpoint again that had not closed an idle connection on it");
        }
    }

    /** A poison request must not take its service away, neither at once nor together with those before. */
    private static void judgeHarm(RunRequest request) {
        must(request.ejections() <= 1, "One request ejected " + request.ejections() + " endpoints");
        must(
                request.out() <= RunFleet.STEADY / 2,
                "Poison requests took " + request.out() + " of " + RunFleet.STEADY + " endpoints out of rotation");
        boolean ordinary = request.plan.route() == RunRoute.STEADY && !request.plan.poison();
        must(
                !ordinary || request.seen().left() || request.seen().id() != null,
                "An ordinary request to the steady service was not answered");
    }

    private static void judgeResponse(RunRequest request, RunRequest.Seen seen) {
        must(seen.id().equals(request.plan.id()), "The response is to another request");
        must(seen.arrival() == request.arrivals().size(), "The response is not that of the last arrival");
        RunRequest.Arrival arrival = request.arrivals().get(seen.arrival() - 1);
        must(seen.status() == arrival.part.status(), "The status is not the one that was sent");
        String fault = seen.difference(arrival);
        must(fault.isEmpty(), "The response's body is wrong: " + fault);
        must(arrival.bodyCame() || arrival.part.respondsEarly(), "The endpoint responded without having read the body");
    }

    /** The connection or stream ended within the response, or before its head was sent. */
    private static void judgeCut(RunRequest request) {
        must(
                request.arrivals().stream()
                        .anyMatch(arrival -> arrival.part.cuts() || arrival.endpoint.goneAt(request.ended())),
                "No endpoint cut its response");
    }

    private String judgeFailure(RunRequest request, RunRequest.Seen seen) {
        must(seen.status() == 502 || seen.status() == 504, "Millau rejected it");
        Set<RunEndpoint> failed = new HashSet<>();
        request.arrivals().stream()
                .filter(arrival -> !arrival.part.responds())
                .forEach(arrival -> failed.add(arrival.endpoint));
        Predicate<RunEndpoint> couldNot = endpoint -> failed.contains(endpoint) || endpoint.goneAt(request.ended());
        var pools = fleet.pools(request);
        if (pools.stream().anyMatch(pool -> pool.stream().allMatch(couldNot))) {
            return "failed by every endpoint";
        }
        if (request.arrivals().stream()
                        .filter(arrival -> arrival.part.timesOut())
                        .count()
                >= 3) {
            return "failed by three timeouts";
        }
        must(!request.plan.staysRetryable(), "An endpoint could have responded");
        long since = request.began() - HUNG_UP_BEFORE_NANOS;
        must(
                pools.stream()
                        .anyMatch(pool -> pool.stream().anyMatch(couldNot.or(endpoint -> endpoint.hungUpSince(since)))),
                "No endpoint failed it");
        return "not retryable";
    }

    private static void must(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
