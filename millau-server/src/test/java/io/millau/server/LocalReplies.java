package io.millau.server;

import io.millau.core.TrafficListener;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Keeps the status and local reason of each request that has ended, and {@code malformed} for what ended without a response. */
final class LocalReplies implements TrafficListener {

    final List<String> told = new CopyOnWriteArrayList<>();

    @Override
    public void requestEnded(Ended request) {
        told.add(request.status() + " " + request.localReason());
    }

    @Override
    public void malformed(Ingress ingress) {
        told.add("malformed");
    }
}
