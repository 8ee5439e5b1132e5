package io.millau.server;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;

/** A client's connection in a random run. */
interface RunConnection extends Closeable {

    /** The pause of a slow client: far below the services' timeouts. */
    Duration PAUSE = Duration.ofMillis(20);

    /** Sends a request and reads its response. Concurrent calls are allowed if the protocol has streams. */
    RunRequest.Seen exchange(RunRequest request) throws IOException, InterruptedException;

    /** Whether another request can be sent. */
    boolean usable();

    /** Sends a part of a body. */
    interface Sink {
        void send(byte[] part, boolean last) throws IOException;
    }

    /** Sends a body in parts, or only half of it if the client is to leave meanwhile. */
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
