package io.millau.server;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The requests of a random run by id, and the violations. A request is judged some time after it ended, so that a surplus
 * arrival would have shown, and is then forgotten. Thread-safe.
 */
final class RunRequests {

    private static final long A_WHILE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final long seed;
    private final Map<String, RunRequest> known = new ConcurrentHashMap<>();
    private final Deque<RunRequest> over = new ArrayDeque<>();
    private final List<String> violations = new ArrayList<>();
    private final Map<String, Integer> results = new TreeMap<>();

    RunRequests(long seed) {
        this.seed = seed;
    }

    RunRequest begin(RunRequest.Plan plan) {
        RunRequest request = new RunRequest(plan, seed);
        known.put(plan.id(), request);
        return request;
    }

    /** The request with this id; only recent requests are known. */
    RunRequest get(String id) throws IOException {
        RunRequest request = id == null ? null : known.get(id);
        if (request == null) {
            violated("A request arrived at an endpoint that nobody sends: " + id);
            throw new IOException("request " + id);
        }
        return request;
    }

    void end(RunRequest request, RunRequest.Seen seen) {
        request.end(seen);
        synchronized (over) {
            over.add(request);
        }
    }

    /** Judges the requests that ended some time ago, or all that ended. */
    void judge(RunRules rules, boolean all) {
        long recent = System.nanoTime() - A_WHILE_NANOS;
        for (RunRequest request = pollOver(all ? Long.MAX_VALUE : recent);
                request != null;
                request = pollOver(all ? Long.MAX_VALUE : recent)) {
            known.remove(request.plan.id());
            try {
                count(request.plan.poison() ? "poison" : request.plan.method());
                count(rules.judge(request));
            } catch (AssertionError e) {
                violated(e.getMessage() + ": " + request.trace());
            }
        }
    }

    private RunRequest pollOver(long until) {
        synchronized (over) {
            RunRequest first = over.peek();
            return first == null || first.ended() > until ? null : over.poll();
        }
    }

    private synchronized void count(String result) {
        results.merge(result, 1, Integer::sum);
    }

    /** The number of requests for each result, as text. */
    synchronized String results() {
        return results.toString();
    }

    synchronized void violated(String what) {
        violations.add(what);
    }

    synchronized List<String> violations() {
        return List.copyOf(violations);
    }

    /** Requests that have not ended. */
    List<RunRequest> open() {
        return known.values().stream().filter(request -> request.seen() == null).toList();
    }
}
