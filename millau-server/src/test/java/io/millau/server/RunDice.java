package io.millau.server;

import io.millau.testing.Fault;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/** The random choices of a run: requests and what endpoints do with them, the same for the same seed. */
final class RunDice {

    /** Rare but correct behaviour. */
    private static final Set<Fault> CORRECT = EnumSet.of(
            Fault.LENGTH_TOO_SMALL,
            Fault.EARLY_RESPONSE,
            Fault.EARLY_RESPONSE_THEN_CLOSE,
            Fault.RESPONSE_AROUND_BODY,
            Fault.INTERIM_THEN_RESPONSE,
            Fault.RESPONSE_UNTIL_CLOSE);

    /** Responses that are cut after their head. */
    private static final Set<Fault> CUT = EnumSet.of(
            Fault.RESET_IN_RESPONSE,
            Fault.LENGTH_TOO_LARGE,
            Fault.BROKEN_FIRST_CHUNK,
            Fault.BROKEN_SECOND_CHUNK,
            Fault.NO_LAST_CHUNK);

    private static final Set<Fault> TIMES_OUT = EnumSet.of(Fault.HANG, Fault.SLOW_HEAD);

    private static final List<Fault> CORRECT_FAULTS = List.copyOf(CORRECT);
    private static final List<Fault> WRONG_FAULTS = Arrays.stream(Fault.values())
            .filter(fault -> fault.layer() == Fault.Layer.HTTP && fault != Fault.REFUSE && !CORRECT.contains(fault))
            .toList();

    /** What a poison request does to each endpoint: it closes without a response, or sends one that can't be read. */
    private static final List<Fault> POISONED = WRONG_FAULTS.stream()
            .filter(fault -> !CUT.contains(fault) && !TIMES_OUT.contains(fault))
            .toList();

    private static final List<String> METHODS =
            List.of("GET", "GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "PUT", "DELETE");
    private static final List<Integer> STATUSES = List.of(200, 200, 200, 201, 204, 404, 500, 503);
    private static final List<Integer> SHORT = List.of(0, 1, 100, 1000);
    private static final List<Integer> ANY_LENGTH = List.of(0, 1, 100, 100, 1000, 1000, 20_000, 300_000);

    private final SplittableRandom random;

    RunDice(SplittableRandom random) {
        this.random = random;
    }

    /** The dice of one arrival of a request, independent of the endpoint. */
    RunDice(long seed, String id, int arrival) {
        this(new SplittableRandom(seed + 31L * id.hashCode() + arrival));
    }

    RunRequest.Plan request(String id) {
        String method = any(METHODS);
        boolean uploads = method.equals("POST") || method.equals("PUT");
        boolean hasBody = uploads ? !oneIn(8) : oneIn(20);
        int length = hasBody ? length() : 0;
        boolean slow = oneIn(50);
        return new RunRequest.Plan(
                id,
                any(RunRoute.ALL),
                method,
                length,
                length > 0 && random.nextBoolean(),
                slow ? 8 : 1 + random.nextInt(3),
                slow,
                oneIn(40) ? any(List.of(RunRequest.Leaves.values())) : RunRequest.Leaves.NEVER,
                oneIn(40) ? 0.7 : 0.02);
    }

    /** A request on which every endpoint breaks, each in its own way. */
    RunRequest.Plan poison(String id) {
        return new RunRequest.Plan(
                id, RunRoute.STEADY, "GET", 0, false, 1, false, RunRequest.Leaves.NEVER, RunRequest.POISON);
    }

    /** Lengths around each limit, and in between. */
    private int length() {
        return switch (random.nextInt(16)) {
            case 0 -> 1;
            case 1 -> 1025;
            case 2 -> 64 * 1024;
            case 3 -> 64 * 1024 + 1;
            case 4 -> Payload.MOST;
            case 5 -> 1 + random.nextInt(Payload.MOST);
            case 6, 7, 8 -> 1 + random.nextInt(64 * 1024);
            default -> 1024;
        };
    }

    /** What an endpoint does after it has read a request's head. */
    Part part(RunRequest.Plan request) {
        boolean works = request.route() == RunRoute.STEADY && !request.poison();
        Fault fault = works ? null : request.poison() ? any(POISONED) : fault(request.wrong());
        if (request.method().equals("HEAD") && CUT.contains(fault)) {
            fault = null; // its response has no body to cut
        }
        int status = fault == null ? any(STATUSES) : 200;
        // Surplus bytes must not arrive later, when the proxy is done. And a socket that is closed with much unread
        // data discards what it has still to send.
        boolean atOnce = fault == Fault.LENGTH_TOO_SMALL || fault == Fault.EARLY_RESPONSE_THEN_CLOSE;
        int length = status == 204 ? 0 : any(atOnce ? SHORT : ANY_LENGTH);
        Ending ending = !works && oneIn(50) ? any(List.of(Ending.values())) : Ending.KEPT;
        return new Part(fault, status, length, random.nextBoolean(), ending);
    }

    private Fault fault(double wrong) {
        if (random.nextDouble() >= wrong) {
            return oneIn(10) ? any(CORRECT_FAULTS) : null;
        }
        Fault fault = any(WRONG_FAULTS);
        boolean takesTooLong = TIMES_OUT.contains(fault) && !oneIn(4);
        return takesTooLong ? Fault.CLOSE_INSTEAD_OF_RESPONSE : fault;
    }

    boolean oneIn(int times) {
        return random.nextInt(times) == 0;
    }

    <T> T any(List<T> among) {
        return among.get(random.nextInt(among.size()));
    }

    /** A number between two others; the second is excluded. */
    int between(int from, int to) {
        return random.nextInt(from, to);
    }

    /** What happens to a connection after a plain response. */
    enum Ending {
        KEPT,
        /** Closed, as announced by the response. */
        CLOSED,
        /** Closed without announcement, as an idle connection may be (RFC 9112, 9.5). */
        HUNG_UP
    }

    /**
     * What an endpoint does with a request.
     *
     * @param fault null for a plain response
     * @param status of the response
     * @param length of the response's body
     */
    record Part(Fault fault, int status, int length, boolean chunked, Ending ending) {

        /** Whether there is a response. */
        boolean responds() {
            return fault == null || CORRECT.contains(fault);
        }

        /** Whether the response is cut, if it has a body at all. */
        boolean cuts() {
            return CUT.contains(fault);
        }

        /** Whether the response may end before the request's body. */
        boolean respondsEarly() {
            return fault == Fault.EARLY_RESPONSE
                    || fault == Fault.EARLY_RESPONSE_THEN_CLOSE
                    || fault == Fault.RESPONSE_AROUND_BODY;
        }

        boolean timesOut() {
            return TIMES_OUT.contains(fault);
        }

        @Override
        public String toString() {
            return fault == null
                    ? "responds " + status + ", " + length + " bytes, connection " + ending
                    : fault.toString();
        }
    }
}
