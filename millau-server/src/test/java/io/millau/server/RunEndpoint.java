package io.millau.server;

import io.millau.core.Endpoint;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import io.millau.testing.internal.Http2Conversation;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/** An endpoint of a random run: plays the drawn part for each request that arrives, until it is stopped. */
final class RunEndpoint implements Closeable {

    private final String name;
    private final RunRoute route;
    private final FaultUpstream kind;
    private final RunRequests requests;
    private final boolean refuses;
    private final ScriptedEndpoint socket;
    private volatile long stoppedAt = Long.MAX_VALUE;
    private volatile long hungUpAt = Long.MIN_VALUE;

    /** @param refuses whether it refuses connections */
    RunEndpoint(String name, RunRoute route, FaultUpstream kind, RunRequests requests, boolean refuses) {
        this.name = name;
        this.route = route;
        this.kind = kind;
        this.requests = requests;
        this.refuses = refuses;
        this.socket = refuses ? ScriptedEndpoint.thatRefuses() : kind.playing(this::play);
    }

    private void play(ScriptedEndpoint.Connection connection) throws IOException {
        if (kind == FaultUpstream.H2C) {
            playHttp2(connection);
        } else {
            playHttp1(connection);
        }
    }

    private void playHttp2(ScriptedEndpoint.Connection connection) throws IOException {
        Http2Conversation peer = new Http2Conversation(connection);
        boolean reused = false;
        while (true) {
            RunRequest request = requests.get(id(peer.nextRequest()));
            if (!new RunHttp2Part(request.arrive(this, reused), peer, connection).play()) {
                return;
            }
            reused = true;
        }
    }

    private static String id(List<String> fields) {
        return fields.stream()
                .filter(field -> field.startsWith("x-request: "))
                .map(field -> field.substring("x-request: ".length()))
                .findAny()
                .orElseThrow();
    }

    private void playHttp1(ScriptedEndpoint.Connection connection) throws IOException {
        boolean reused = false;
        for (Message head = connection.readHead(); head != null; head = connection.readHead()) {
            RunRequest request = requests.get(head.field("X-Request"));
            if (!new RunPart(request.arrive(this, reused), connection, head).play()) {
                return;
            }
            reused = true;
        }
    }

    Endpoint address() {
        return kind.endpoint(name, socket.endpoint());
    }

    boolean usesTls() {
        return kind == FaultUpstream.HTTPS;
    }

    boolean serves(RunRoute requested) {
        return route.equals(requested);
    }

    boolean refuses() {
        return refuses;
    }

    /** Whether it was stopped at that time, or refuses all connections. */
    boolean goneAt(long nanoTime) {
        return refuses || stoppedAt <= nanoTime;
    }

    /** Records that it is about to close a connection without announcement. */
    void hangUp() {
        hungUpAt = System.nanoTime();
    }

    /** Whether it has since closed a connection that the proxy may have regarded as idle. */
    boolean hungUpSince(long nanoTime) {
        return hungUpAt >= nanoTime;
    }

    int openConnections() {
        return socket.openConnections();
    }

    /** Stops it at once, also in the middle of a request. */
    @Override
    public void close() throws IOException {
        stoppedAt = Math.min(stoppedAt, System.nanoTime());
        socket.close();
    }

    @Override
    public String toString() {
        return name + " over " + kind;
    }
}
