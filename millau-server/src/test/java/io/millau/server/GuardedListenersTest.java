package io.millau.server;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.doThrow;
import static org.mockito.Mockito.inOrder;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.times;
import static org.mockito.Mockito.verify;

import io.millau.core.Request;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.TrafficListener.Ingress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.mockito.InOrder;

/** A listener that throws disturbs neither requests nor other listeners. */
class GuardedListenersTest {

    private static final Ingress INGRESS = new Ingress(8080, "http");

    private final TrafficListener broken = mock(TrafficListener.class);
    private final TrafficListener good = mock(TrafficListener.class);
    private final GuardedListeners listeners = new GuardedListeners(List.of(broken, good));

    @Test
    void listenersAreCalledInOrder() {
        Request request = mock(Request.class);
        listeners.requestBegan(INGRESS, request);

        InOrder order = inOrder(broken, good);
        order.verify(broken).requestBegan(INGRESS, request);
        order.verify(good).requestBegan(INGRESS, request);
    }

    @Test
    void aListenerThatThrowsIsCalledAgainAndSoAreTheOthers() {
        doThrow(new IllegalStateException("on purpose")).when(broken).requestEnded(any());
        doThrow(new LinkageError("on purpose")).when(broken).servicesReplaced(any());
        TrafficListener.Ended request = mock(TrafficListener.Ended.class);
        List<Service> services = List.of();

        assertThatCode(() -> {
                    listeners.servicesReplaced(services);
                    listeners.requestEnded(request);
                    listeners.requestEnded(request);
                })
                .doesNotThrowAnyException();

        verify(broken, times(2)).requestEnded(request);
        verify(good, times(2)).requestEnded(request);
        verify(good).servicesReplaced(services);
    }
}
