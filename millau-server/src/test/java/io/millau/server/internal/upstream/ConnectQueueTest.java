package io.millau.server.internal.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.ArgumentMatchers.eq;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.times;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import io.millau.core.Endpoint;
import io.millau.server.internal.io.Deadlines;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mockito.ArgumentCaptor;
import org.xnio.StreamConnection;

/** With a mocked pool, whose attempts to connect end when the test says so. */
class ConnectQueueTest {

    private static final Endpoint ENDPOINT = Endpoint.http("app", InetAddress.getLoopbackAddress(), 80);

    private final UpstreamPool pool = mock(UpstreamPool.class);
    private final Deadlines deadlines = mock(Deadlines.class);
    private final List<UpstreamPool.OpenListener> attempts = new ArrayList<>();
    private final List<Runnable> tasks = new ArrayList<>();
    private final List<String> told = new ArrayList<>();
    private final ConnectQueue queue = new ConnectQueue(ENDPOINT, pool, deadlines, tasks::add);

    @BeforeEach
    void recordAttempts() {
        when(pool.open(eq(ENDPOINT), any())).thenAnswer(call -> {
            attempts.add(call.getArgument(1));
            return mock(UpstreamPool.Connecting.class);
        });
        when(pool.opened(eq(ENDPOINT), any())).thenAnswer(call -> mock(UpstreamConnection.class));
    }

    private UpstreamPool.Connecting add(String name, boolean needsNew) {
        return queue.add(needsNew, true, new UpstreamPool.ConnectListener() {
            @Override
            public void connected(UpstreamConnection connection) {
                told.add(name);
            }

            @Override
            public void notConnected(IOException failure) {
                told.add(name + " failed: " + failure.getMessage());
            }
        });
    }

    private void fill() {
        for (int i = 0; i < ConnectQueue.MAX_CONNECTING; i++) {
            add("early", false);
        }
    }

    @Test
    void othersWaitForTheirTurnToConnect() {
        fill();
        add("first", false);
        add("second", true);
        assertThat(attempts).hasSize(ConnectQueue.MAX_CONNECTING);
        assertThat(queue.isWaiting()).isTrue();

        attempts.get(0).open(mock(StreamConnection.class));
        attempts.get(1).open(mock(StreamConnection.class));
        assertThat(attempts).hasSize(ConnectQueue.MAX_CONNECTING + 2);
        assertThat(queue.isWaiting()).isFalse();

        attempts.get(ConnectQueue.MAX_CONNECTING).open(mock(StreamConnection.class));
        assertThat(told).containsExactly("early", "early", "first");
    }

    @Test
    void theyTakeConnectionsThatBecomeIdle() {
        fill();
        add("needs a new one", true);
        add("first", false);
        add("second", false);
        when(pool.takeIdle(ENDPOINT, true))
                .thenReturn(mock(UpstreamConnection.class))
                .thenReturn(null);

        queue.connectionIsIdle();
        queue.connectionIsIdle();
        assertThat(told).isEmpty();
        assertThat(tasks).hasSize(1);

        tasks.get(0).run();
        assertThat(told).containsExactly("first");
    }

    @Test
    void allFailWithTheFirstThatCannotConnect() {
        fill();
        add("waits", false);
        attempts.get(0).notOpen(new IOException("refused"));

        assertThat(told).containsExactly("early failed: refused", "waits failed: refused");
        assertThat(queue.isWaiting()).isFalse();
        assertThat(attempts).hasSize(ConnectQueue.MAX_CONNECTING);
    }

    @Test
    void oneThatIsCancelledLeavesItsPlace() {
        fill();
        UpstreamPool.Connecting connecting = add("cancelled", false);
        UpstreamPool.Connecting second = add("second", false);
        connecting.cancel();
        attempts.get(0).open(mock(StreamConnection.class));
        assertThat(attempts).hasSize(ConnectQueue.MAX_CONNECTING + 1);

        second.cancel();
        second.cancel();
        add("third", false);
        add("waits", false);
        assertThat(attempts).hasSize(ConnectQueue.MAX_CONNECTING + 2);
        assertThat(queue.isWaiting()).isTrue();
    }

    @Test
    void waitingEndsWithoutBlameForTheEndpoint() {
        fill();
        add("waits", false);
        ArgumentCaptor<Deadlines.Deadline> deadline = ArgumentCaptor.forClass(Deadlines.Deadline.class);
        verify(deadlines).set(deadline.capture(), anyLong());

        deadline.getValue().passed();
        assertThat(told).hasSize(1);
        assertThat(told.get(0)).startsWith("waits failed: no connection to http://127.0.0.1:80 after 5 s");
        assertThat(queue.isWaiting()).isFalse();
    }

    @Test
    void itIsForgottenWhenNobodyConnects() {
        add("one", false);
        add("two", false);
        attempts.get(0).open(mock(StreamConnection.class));
        verify(pool, times(0)).forget(ENDPOINT, queue);

        attempts.get(1).open(mock(StreamConnection.class));
        verify(pool).forget(ENDPOINT, queue);
    }
}
