package io.millau.server;

import io.millau.core.Request;
import io.millau.core.TrafficListener;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;

/** Records the calls of a traffic listener, one line for each. */
final class RecordedTraffic implements TrafficListener {

    final List<String> events = new CopyOnWriteArrayList<>();

    @Override
    public void connectionBusy(Ingress ingress) {
        events.add("busy");
    }

    @Override
    public void connectionIdle(Ingress ingress) {
        events.add("idle");
    }

    @Override
    public void requestBegan(Ingress ingress, Request request) {
        events.add("began " + request.method());
    }

    @Override
    public void attemptFailed(Failed attempt) {
        events.add(
                "failed " + attempt.service().name() + " " + attempt.outcome() + (attempt.retried() ? " retried" : ""));
    }

    @Override
    public void requestEnded(Ended request) {
        events.add("ended " + request.method() + " "
                + (request.service() == null ? "-" : request.service().name())
                + (request.delivered() ? " delivered " : " ")
                + (request.clientGone() ? "client gone " : "")
                + request.status() + " " + request.requestBytes() + " " + request.responseBytes());
    }

    List<String> await(int number) {
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> events.size() >= number);
        return events;
    }
}
