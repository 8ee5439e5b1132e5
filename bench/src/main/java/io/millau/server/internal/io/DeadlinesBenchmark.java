package io.millau.server.internal.io;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.xnio.XnioExecutor;

/** How long the ticks hold up an I/O thread on which many kept connections are idle for too long at once. */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 20)
@Measurement(iterations = 20)
@Fork(3)
@State(Scope.Thread)
public class DeadlinesBenchmark {

    private static final int EXPIRING = 20_000;

    /** Connections that were used later, so that their deadlines don't pass yet. */
    @Param({"0", "20000"})
    public int younger;

    private final LastTick thread = new LastTick();
    private long now;
    private int closed;

    @Setup(Level.Invocation)
    public void setDeadlines() {
        now = 0;
        Deadlines deadlines = new Deadlines(thread, () -> now, Duration.ofSeconds(1));
        set(deadlines, EXPIRING, 10);
        set(deadlines, younger, 20);
    }

    private void set(Deadlines deadlines, int count, long nanos) {
        for (int i = 0; i < count; i++) {
            deadlines.set(
                    new Deadlines.Deadline() {
                        @Override
                        public void passed() {
                            closed++;
                        }
                    },
                    nanos);
        }
    }

    /** A tick in which none passes. */
    @Benchmark
    public int baseline() {
        now = 9;
        thread.tick();
        return closed;
    }

    /** A tick in which 20,000 pass. */
    @Benchmark
    public int pass() {
        now = 10;
        thread.tick();
        return closed;
    }

    /** Stands for the I/O thread: keeps the next tick. */
    private static final class LastTick implements XnioExecutor {
        private @Nullable Runnable tick;

        void tick() {
            if (tick != null) {
                tick.run();
            }
        }

        @Override
        public void execute(Runnable task) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Key executeAfter(Runnable task, long time, TimeUnit unit) {
            tick = task;
            return () -> false;
        }

        @Override
        public Key executeAtInterval(Runnable task, long time, TimeUnit unit) {
            throw new UnsupportedOperationException();
        }
    }
}
