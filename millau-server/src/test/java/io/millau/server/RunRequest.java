package io.millau.server;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A request of a random run: what it is to be, and what became of it, seen from both sides. Safe for all threads. */
final class RunRequest {

    /** When the client goes away, if it does. */
    enum Leaves {
        NEVER,
        IN_BODY,
        BEFORE_ANSWER,
        IN_ANSWER
    }

    /**
     * What a request is to be.
     *
     * @param parts in how many pieces the body is sent
     * @param slow whether the client pauses between them, and before it reads the answer
     * @param wrong how likely an endpoint fails it, from 0 to 1
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

        /** Whether it may be retried although an endpoint has seen it. */
        boolean retryable() {
            return !method.equals("POST") || route.retryUnsafe();
        }

        /** Whether that is so however much of its body was sent. */
        boolean staysRetryable() {
            return retryable() && length <= route.buffer();
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
     * @param status of the final answer; 0 if none came
     * @param id of the request that the answer says it is for; null where Millau made the answer
     * @param arrival which of the request's arrivals the answer says it is for
     * @param whole whether it ended as HTTP says that an answer ends
     * @param left whether the client did not wait for that
     */
    record Seen(int status, String id, int arrival, byte[] body, boolean whole, boolean left) {

        static final Seen LEFT = new Seen(0, null, 0, new byte[0], false, true);

        /** What the answer says of itself may be missing. */
        static Seen whole(int status, String id, String arrival, byte[] body) {
            return new Seen(status, id, arrival == null ? 0 : Integer.parseInt(arrival), body, true, false);
        }

        static Seen cut(int status) {
            return new Seen(status, null, 0, new byte[0], false, false);
        }

        /** How the body differs from what was sent; empty if it doesn't. */
        String difference(Arrival arrival) {
            boolean head = arrival.request().plan.method.equals("HEAD");
            return Payload.difference(body, arrival.answer(), head ? 0 : arrival.part.length());
        }

        @Override
        public String toString() {
            return left
                    ? "nothing: it left"
                    : (status == 0 ? "no answer" : status + (whole ? "" : " cut") + ", " + body.length + " bytes")
                            + (id == null ? "" : " for " + id + ", arrival " + arrival);
        }
    }

    /** A head that an endpoint read, and what it does then. */
    final class Arrival {
        final int number;
        final RunEndpoint endpoint;
        final boolean connectionReused;
        final RunDice.Part part;
        private volatile String bodyFault = "";
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

        /** What its answer's body is made from. */
        String answer() {
            return plan.id + "/" + number;
        }

        void bodyCame(byte[] body) {
            bodyFault = Payload.difference(body, plan.id, plan.length);
            bodyCame = true;
            step("has the body");
        }

        /** Whether it read all of the body. */
        boolean bodyCame() {
            return bodyCame;
        }

        /** What is wrong with the body, as far as it was read; empty if nothing is. */
        String bodyFault() {
            return bodyFault;
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

    /** Returns when the client has its answer. */
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

    /** All that happened, a line for each step. */
    synchronized String trace() {
        return "request " + plan.id + "\n" + String.join("\n", steps);
    }
}
