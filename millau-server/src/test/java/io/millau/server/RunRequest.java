package io.millau.server;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A request of a random run: its plan, and what client and endpoints saw of it. Thread-safe. */
final class RunRequest {

    /** The probability that an endpoint fails a poison request. */
    static final double POISON = 1;

    /** When the client goes away, if it does. */
    enum Leaves {
        NEVER,
        IN_BODY,
        BEFORE_RESPONSE,
        IN_RESPONSE
    }

    /**
     * The plan of a request.
     *
     * @param parts number of pieces in which the body is sent
     * @param slow whether the client pauses between them, and before it reads the response
     * @param wrong the probability that an endpoint fails it, from 0 to 1
     */
    record Plan(
            String id,
            RunRoute route,
            String method,
            int length,
            boolean chunked,
            int parts,
            boolean slow,
            Leaves leaves,
            double wrong) {

        /** Whether it may be retried after an endpoint has received it. */
        boolean retryable() {
            return !method.equals("POST") || route.retryUnsafe();
        }

        /** Whether it may be retried even after its whole body was sent. */
        boolean staysRetryable() {
            return retryable() && length <= route.buffer();
        }

        /** Whether every endpoint breaks on it. */
        boolean poison() {
            return wrong == POISON;
        }

        byte[] body() {
            return Payload.of(id, length);
        }

        @Override
        public String toString() {
            return method + " " + route.host() + ", body of " + length + " bytes"
                    + (chunked ? " in chunks" : "") + (slow ? ", slow client" : "")
                    + (leaves == Leaves.NEVER ? "" : ", client leaves " + leaves);
        }
    }

    /**
     * What the client saw.
     *
     * @param status of the final response; 0 if there was none
     * @param id the request's id that the response names; null for a local reply of Millau
     * @param arrival the number of the arrival that the response names
     * @param whole whether the response was complete
     * @param left whether the client left before the response ended
     */
    record Seen(int status, String id, int arrival, byte[] body, boolean whole, boolean left) {

        static final Seen LEFT = new Seen(0, null, 0, new byte[0], false, true);

        /** The id and the arrival may be null. */
        static Seen whole(int status, String id, String arrival, byte[] body) {
            return new Seen(status, id, arrival == null ? 0 : Integer.parseInt(arrival), body, true, false);
        }

        static Seen cut(int status) {
            return new Seen(status, null, 0, new byte[0], false, false);
        }

        /** Describes how the body differs from what was sent; empty if it doesn't. */
        String difference(Arrival arrival) {
            boolean head = arrival.request().plan.method.equals("HEAD");
            return Payload.difference(body, arrival.responseName(), head ? 0 : arrival.part.length());
        }

        @Override
        public String toString() {
            return left
                    ? "nothing: it left"
                    : (status == 0 ? "no response" : status + (whole ? "" : " cut") + ", " + body.length + " bytes")
                            + (id == null ? "" : " for " + id + ", arrival " + arrival);
        }
    }

    /** A request head that an endpoint read, and what the endpoint does with it. */
    final class Arrival {
        final int number;
        final RunEndpoint endpoint;
        final boolean connectionReused;
        final RunDice.Part part;
        private volatile String bodyError = "";
        private volatile boolean bodyCame;

        private Arrival(int number, RunEndpoint endpoint, boolean connectionReused) {
            this.number = number;
            this.endpoint = endpoint;
            this.connectionReused = connectionReused;
            this.part = new RunDice(seed, plan.id, number).part(plan);
        }

        RunRequest request() {
            return RunRequest.this;
        }

        /** The name from which the response's body is computed. */
        String responseName() {
            return plan.id + "/" + number;
        }

        void bodyCame(byte[] body) {
            bodyError = Payload.difference(body, plan.id, plan.length);
            bodyCame = true;
            step("has the body");
        }

        /** Whether it read all of the body. */
        boolean bodyCame() {
            return bodyCame;
        }

        /** What is wrong with the part of the body that was read; empty if nothing is. */
        String bodyError() {
            return bodyError;
        }

        void step(String what) {
            RunRequest.this.step(endpoint + ", arrival " + number + ": " + what);
        }
    }

    final Plan plan;
    private final long seed;
    private final long began = System.nanoTime();
    private final CountDownLatch over = new CountDownLatch(1);
    private final List<Arrival> arrivals = new ArrayList<>();
    private final List<String> steps = new ArrayList<>();
    private long ended;
    private Seen seen;
    private int ejections;
    private int out;

    RunRequest(Plan plan, long seed) {
        this.plan = plan;
        this.seed = seed;
        step("client: " + plan);
    }

    synchronized Arrival arrive(RunEndpoint endpoint, boolean connectionReused) {
        Arrival arrival = new Arrival(arrivals.size() + 1, endpoint, connectionReused);
        arrivals.add(arrival);
        arrival.step("has the head" + (connectionReused ? " over a used connection" : "") + ", " + arrival.part);
        return arrival;
    }

    synchronized void step(String what) {
        long micros = TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - began);
        steps.add(String.format("%,12d µs  %s", micros, what));
    }

    synchronized void end(Seen seen) {
        this.seen = seen;
        ended = System.nanoTime();
        step("client: sees " + seen);
        over.countDown();
    }

    /**
     * Records what a poison request did to its service.
     *
     * @param ejections the number of endpoints that it ejected
     * @param out the number of endpoints that are out of rotation after it
     */
    synchronized void harmed(int ejections, int out) {
        this.ejections = ejections;
        this.out = out;
        step("service: " + ejections + " more ejected, " + out + " out of rotation");
    }

    synchronized int ejections() {
        return ejections;
    }

    synchronized int out() {
        return out;
    }

    /** Returns when the request has ended for its client. */
    void awaitEnd() throws InterruptedException {
        over.await();
    }

    long began() {
        return began;
    }

    synchronized long ended() {
        return ended;
    }

    synchronized Seen seen() {
        return seen;
    }

    synchronized List<Arrival> arrivals() {
        return List.copyOf(arrivals);
    }

    /** Everything that happened, a line for each step. */
    synchronized String trace() {
        return "request " + plan.id + "\n" + String.join("\n", steps);
    }
}
