package io.millau.server.internal.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.xnio.XnioIoThread;
import org.xnio.channels.StreamSinkChannel;

/**
 * Turns of an I/O thread, each of which looks at all its sockets, does what is ready, and runs its tasks. A task that adds a task is
 * no turn: the thread runs that before it looks at its sockets. So this has a pipe among them, which is always ready. For that thread
 * alone.
 */
final class FullTurns {

    private final StreamSinkChannel ready;
    private final List<Wait> waits = new ArrayList<>();

    private static final class Wait {
        private final Runnable then;
        private int left;

        Wait(int turns, Runnable then) {
            this.left = turns;
            this.then = then;
        }
    }

    FullTurns(XnioIoThread thread) {
        try {
            ready = thread.createHalfDuplexPipe().getRightSide();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        ready.getWriteSetter().set(channel -> turned());
    }

    /** Runs an action after so many turns from now. */
    void take(int turns, Runnable action) {
        waits.add(new Wait(turns, action));
        ready.resumeWrites();
    }

    private void turned() {
        List<Wait> over = new ArrayList<>();
        for (Wait wait : waits) {
            wait.left--;
            if (wait.left == 0) {
                over.add(wait);
            }
        }
        waits.removeAll(over);
        if (waits.isEmpty()) {
            ready.suspendWrites();
        }
        over.forEach(wait -> wait.then.run()); // it may begin another wait
    }
}
