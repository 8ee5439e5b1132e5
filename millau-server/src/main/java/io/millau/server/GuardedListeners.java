package io.millau.server;

import io.millau.core.Endpoint;
import io.millau.core.Overview;
import io.millau.core.Request;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.internal.FirstFailures;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes events on to all traffic listeners. The first exception of each listener is logged; exceptions affect neither the
 * request nor the other listeners. The events of every request are passed on in plain loops, to allocate no object for each of
 * them. Safe for use by several threads.
 */
final class GuardedListeners implements TrafficListener {

    private static final Logger LOG = LoggerFactory.getLogger(GuardedListeners.class);

    private final TrafficListener[] listeners;
    private final FirstFailures failures = new FirstFailures(LOG);

    GuardedListeners(List<TrafficListener> listeners) {
        this.listeners = listeners.toArray(TrafficListener[]::new);
    }

    @Override
    public void started(Overview overview) {
        notifyAll(listener -> listener.started(overview));
    }

    @Override
    public void servicesReplaced(List<Service> services) {
        notifyAll(listener -> listener.servicesReplaced(services));
    }

    @Override
    public void connectionBusy(Ingress ingress) {
        for (TrafficListener listener : listeners) {
            try {
                listener.connectionBusy(ingress);
            } catch (RuntimeException | Error e) {
                failed(listener, e);
            }
        }
    }

    @Override
    public void connectionIdle(Ingress ingress) {
        for (TrafficListener listener : listeners) {
            try {
                listener.connectionIdle(ingress);
            } catch (RuntimeException | Error e) {
                failed(listener, e);
            }
        }
    }

    @Override
    public void requestBegan(Ingress ingress, Request request) {
        for (TrafficListener listener : listeners) {
            try {
                listener.requestBegan(ingress, request);
            } catch (RuntimeException | Error e) {
                failed(listener, e);
            }
        }
    }

    @Override
    public void attemptFailed(Failed attempt) {
        notifyAll(listener -> listener.attemptFailed(attempt));
    }

    @Override
    public void endpointEjected(Service service, Endpoint endpoint, String reason) {
        notifyAll(listener -> listener.endpointEjected(service, endpoint, reason));
    }

    @Override
    public void endpointReturned(Service service, Endpoint endpoint) {
        notifyAll(listener -> listener.endpointReturned(service, endpoint));
    }

    @Override
    public void retriesExhausted(Service service) {
        notifyAll(listener -> listener.retriesExhausted(service));
    }

    @Override
    public void malformed(Ingress ingress) {
        notifyAll(listener -> listener.malformed(ingress));
    }

    @Override
    public void requestEnded(Ended request) {
        for (TrafficListener listener : listeners) {
            try {
                listener.requestEnded(request);
            } catch (RuntimeException | Error e) {
                failed(listener, e);
            }
        }
    }

    /** Passes on an event that is rare enough to allocate for it. */
    private void notifyAll(Consumer<TrafficListener> event) {
        for (TrafficListener listener : listeners) {
            try {
                event.accept(listener);
            } catch (RuntimeException | Error e) {
                failed(listener, e);
            }
        }
    }

    private void failed(TrafficListener listener, Throwable failure) {
        failures.add(listener, failure, "requests go on");
    }
}
