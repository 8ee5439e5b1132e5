package io.millau.server.internal.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.ArgumentMatchers.eq;
import static org.mockito.Mockito.atLeastOnce;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.verifyNoMoreInteractions;
import static org.mockito.Mockito.when;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.mockito.ArgumentCaptor;
import org.xnio.XnioIoThread;

/** With a controlled clock and a mocked I/O thread, since only XNIO can create a real one. */
class DeadlinesTest {

    private static final Duration TICK = Duration.ofMillis(20);

    private final XnioIoThread thread = mock(XnioIoThread.class);
    private final List<String> passed = new ArrayList<>();
    private long now;
    private long machineNow;
    private final Deadlines deadlines = new Deadlines(thread, () -> now, () -> machineNow, TICK);

    private Deadlines.Deadline named(String name) {
        return new Deadlines.Deadline() {
            @Override
            public void passed() {
                passed.add(name);
            }
        };
    }

    /** Advances the clock, and then runs the scheduled ticks. */
    private void advance(long nanos) {
        ArgumentCaptor<Runnable> tick = ArgumentCaptor.forClass(Runnable.class);
        verify(thread, atLeastOnce()).executeAfter(tick.capture(), eq(TICK.toMillis()), any());
        now += nanos;
        tick.getValue().run();
    }

    /** Lets two pass that have 500 ns left. */
    private void passEarly() {
        deadlines.passEarly(2, 500);
    }

    /** A client was closed as idle whose request waited in its socket, since the thread had much to do. */
    @Test
    void whoHasSentSomethingDoesNotPassEarly() {
        Deadlines.Deadline heard = new Deadlines.Deadline() {
            @Override
            protected boolean mayPassEarly() {
                return true;
            }

            @Override
            protected void listen() {
                deadlines.set(this, 1000); // its request was read
            }

            @Override
            public void passed() {
                passed.add("heard");
            }
        };
        deadlines.set(heard, 400);

        passEarly();

        assertThat(passed).isEmpty();
    }

    @Test
    void thereAreNoTicksWithoutDeadlines() {
        verify(thread, never()).executeAfter(any(), anyLong(), any());

        deadlines.set(named("one"), 10);
        advance(10);

        assertThat(passed).containsExactly("one");
        verify(thread).executeAfter(any(), anyLong(), any());
        verifyNoMoreInteractions(thread);
    }

    /** A test that has moved the time does not wait for the tick; there is still only one to come. */
    @Test
    void aCheckDoesNotWaitForATick() {
        deadlines.set(named("one"), 10);
        deadlines.set(named("two"), 20);

        now += 10;
        deadlines.check();

        assertThat(passed).containsExactly("one");
        verify(thread).executeAfter(any(), anyLong(), any());
        advance(10);
        assertThat(passed).containsExactly("one", "two");
    }

    /** A machine that was suspended seemed to have been waiting for its endpoints, and ejected them. */
    @Test
    void afterAStandstillTheThreadReadsWhatArrivedFirst() {
        deadlines.set(named("one"), 10);
        machineNow += TimeUnit.SECONDS.toNanos(5);
        advance(TimeUnit.SECONDS.toNanos(5));
        assertThat(passed).isEmpty();

        machineNow += TICK.toNanos();
        advance(TICK.toNanos());
        assertThat(passed).containsExactly("one");
    }

    /** Under overload every tick is late: each time, what arrived in the turn before was read. */
    @Test
    void deadlinesPassWhileTheThreadIsAlwaysLate() {
        deadlines.set(named("one"), 10);
        advanceLate(1_000);
        deadlines.set(named("two"), 10);
        assertThat(passed).isEmpty();

        advanceLate(1_000);
        assertThat(passed).containsExactly("one");

        advanceLate(1_000);
        assertThat(passed).containsExactly("one", "two");
    }

    private void advanceLate(int millis) {
        machineNow += TimeUnit.MILLISECONDS.toNanos(millis);
        advance(TimeUnit.MILLISECONDS.toNanos(millis));
    }

    @Test
    void someDeadlinesPassEarlyToMakeRoom() {
        deadlines.set(early("third"), 300);
        deadlines.set(early("first"), 100);
        deadlines.set(named("never early"), 50);
        deadlines.set(early("too far away"), 900);
        deadlines.set(early("second"), 200);

        passEarly();
        assertThat(passed).containsExactly("first", "second");

        passEarly();
        assertThat(passed).containsExactly("first", "second", "third");
    }

    private Deadlines.Deadline early(String name) {
        return new Deadlines.Deadline() {
            @Override
            protected boolean mayPassEarly() {
                return true;
            }

            @Override
            public void passed() {
                passed.add(name);
            }
        };
    }

    @Test
    void aMovedDeadlinePassesLater() {
        Deadlines.Deadline one = named("one");
        deadlines.set(one, 10);
        deadlines.set(one, 30);
        advance(20);
        assertThat(passed).isEmpty();

        advance(10);
        assertThat(passed).containsExactly("one");
    }

    @Test
    void aCancelledDeadlineNeverPasses() {
        Deadlines.Deadline first = named("first");
        Deadlines.Deadline second = named("second");
        Deadlines.Deadline third = named("third");
        deadlines.set(first, 10);
        deadlines.set(second, 10);
        deadlines.set(third, 10);
        deadlines.cancel(second);
        deadlines.cancel(second);
        advance(10);

        assertThat(passed).containsExactlyInAnyOrder("first", "third");
    }

    @Test
    void aPassingDeadlineMayCancelAnotherThatIsDue() {
        Deadlines.Deadline victim = named("victim");
        deadlines.set(victim, 10);
        deadlines.set(
                new Deadlines.Deadline() {
                    @Override
                    public void passed() {
                        passed.add("first");
                        deadlines.cancel(victim);
                    }
                },
                10);
        advance(10);

        assertThat(passed).containsExactly("first");
    }

    @Test
    void aDeadlineThatThrowsDoesNotStopTheOthers() {
        deadlines.set(named("good"), 10);
        deadlines.set(
                new Deadlines.Deadline() {
                    @Override
                    public void passed() {
                        throw new IllegalStateException("on purpose");
                    }
                },
                10);
        advance(10);

        assertThat(passed).containsExactly("good");
    }

    @Test
    void aPassingDeadlineMayCancelTheOneThatIsCheckedNext() {
        Deadlines.Deadline last = named("last");
        Deadlines.Deadline victim = named("victim");
        deadlines.set(last, 10);
        deadlines.set(victim, 10);
        deadlines.set(
                new Deadlines.Deadline() {
                    @Override
                    public void passed() {
                        passed.add("first");
                        deadlines.cancel(victim);
                        deadlines.set(victim, 30);
                    }
                },
                10);
        advance(10);
        assertThat(passed).containsExactly("first", "last");

        advance(30);
        assertThat(passed).containsExactly("first", "last", "victim");
    }

    /** With 20,000 kept connections that were idle for too long the I/O thread stood still for 0.6 s. */
    @Test
    void eachDeadlineIsCheckedOnceInATickHoweverManyPassAndAreSetAgain() {
        int clients = 2_000;
        AtomicLong checks = new AtomicLong();
        AtomicLong passes = new AtomicLong();
        for (int i = 0; i < clients; i++) {
            Deadlines.Deadline idle = new Deadlines.Deadline() {
                @Override
                boolean isPast(long now) {
                    checks.incrementAndGet();
                    return super.isPast(now);
                }

                @Override
                public void passed() {
                    passes.incrementAndGet();
                    deadlines.set(this, 10);
                }
            };
            deadlines.set(idle, 10);
        }
        advance(10);

        assertThat(passes).hasValue(clients);
        assertThat(checks).hasValue(clients);
    }

    /** A worker that shuts down rejects tasks while requests still end. */
    @Test
    void aThreadThatShutsDownMayRejectTicks() {
        when(thread.executeAfter(any(), anyLong(), any(TimeUnit.class))).thenThrow(new RejectedExecutionException());

        deadlines.set(named("one"), 10);

        assertThat(passed).isEmpty();
    }
}
