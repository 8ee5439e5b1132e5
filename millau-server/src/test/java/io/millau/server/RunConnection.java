package io.millau.server;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;

/** A client's connection in a random run. */
interface RunConnection extends Closeable {

    /** How long a client is silent at a time that is slow: far below the services' timeouts. */
    Duration PAUSE = Duration.ofMillis(20);

    /** Sends a request and takes its answer: for one at a time, or for many where the protocol has streams. */
    RunRequest.Seen exchange(RunRequest request) throws IOException, InterruptedException;

    /** Whether it can take another request. */
    boolean usable();

    /** Takes a part of a body. */
    interface Sink {
        void send(byte[] part, boolean last) throws IOException;
    }

    /** Sends a body in its parts, or the half of it where the client leaves meanwhile. */
    static void sendBody(RunRequest.Plan plan, RunClock clock, Sink to) throws IOException {
        byte[] body = plan.body();
        boolean leaves = plan.leaves() == RunRequest.Leaves.IN_BODY;
        int end = leaves ? body.length / 2 : body.length;
        int step = Math.max(1, end / plan.parts());
        for (int sent = 0; sent < end; sent += step) {
            int next = Math.min(sent + step, end);
            to.send(Arrays.copyOfRange(body, sent, next), next == body.length);
            if (plan.slow()) {
                clock.pass(PAUSE);
            }
        }
    }
}
