package io.millau.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.millau.server.internal.http2.Http2;
import io.millau.testing.ScriptedEndpoint;
import io.millau.testing.internal.Http2Conversation;
import io.millau.testing.internal.Http2Peer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;

/** Plays the part of an endpoint that speaks h2c in one request, after its head was read: {@link RunPart} in terms of HTTP/2. */
final class RunHttp2Part {

    private final RunRequest.Arrival arrival;
    private final RunDice.Part part;
    private final Http2Conversation peer;
    private final ScriptedEndpoint.Connection connection;
    private final boolean bodyless;
    private final String body;
    private boolean connectionGoesOn = true;

    RunHttp2Part(RunRequest.Arrival arrival, Http2Conversation peer, ScriptedEndpoint.Connection connection) {
        this.arrival = arrival;
        this.part = arrival.part;
        this.peer = peer;
        this.connection = connection;
        this.bodyless = arrival.request().plan.method().equals("HEAD") || part.status() == 204;
        this.body = bodyless ? "" : new String(Payload.of(arrival.responseName(), part.length()), ISO_8859_1);
    }

    /** Whether the connection is kept for the next request. */
    boolean play() throws IOException {
        try {
            if (part.fault() == null) {
                respondPlainly();
            } else {
                playFault();
            }
            arrival.step("done");
        } catch (Http2Conversation.StreamEndedException e) {
            arrival.step("reset by the proxy");
        } catch (IOException e) {
            arrival.step("ended by " + e.getMessage());
            throw e;
        }
        return connectionGoesOn;
    }

    private void respondPlainly() throws IOException {
        readBody();
        switch (part.ending()) {
            case KEPT -> respond();
            case CLOSED -> {
                peer.frames.goAway(peer.stream(), Http2.NO_ERROR);
                respond();
                hang();
            }
            case HUNG_UP -> respondAndHangUp();
        }
    }

    private void playFault() throws IOException {
        switch (part.fault()) {
            case REFUSE -> throw new AssertionError("an endpoint that refuses connections gets no request");
            case HANG, SLOW_HEAD -> awaitEnd();
            case RESET_BEFORE_READING, RESET_AFTER_HEAD -> reset();
            case RESET_IN_BODY -> {
                peer.readBody(arrival.request().plan.length() / 2);
                reset();
            }
            case IDLE_CLOSE -> connectionGoesOn = false;
            case EARLY_RESPONSE -> {
                respond();
                readBody();
            }
            case EARLY_RESPONSE_THEN_CLOSE -> respondAndHangUp();
            case RESPONSE_AROUND_BODY -> {
                head(false, false);
                readBody();
                peer.send(body, true);
            }
            default -> {
                readBody();
                playFaultAfterBody();
            }
        }
    }

    private void playFaultAfterBody() throws IOException {
        String half = body.substring(0, body.length() / 2);
        switch (part.fault()) {
            case RESET_AFTER_BODY -> peer.frames.reset(peer.stream(), Http2.INTERNAL_ERROR);
            case CLOSE_INSTEAD_OF_RESPONSE -> connectionGoesOn = false;
            case HALF_A_HEAD -> {
                connectionGoesOn = false;
                peer.frames.send(Http2.HEADERS, 0, peer.stream(), Http2Peer.block(":status", "200"));
            }
            case GARBAGE -> {
                connection.send("SSH-2.0-OpenSSH_9.2\r\n");
                hang();
            }
            case HEAD_TOO_LARGE -> {
                byte[] field = Http2Peer.block("x", "x".repeat(16_000));
                peer.frames.send(Http2.HEADERS, 0, peer.stream(), Http2Peer.block(":status", "200"));
                for (int i = 0; i < 6; i++) {
                    peer.frames.send(Http2.CONTINUATION, 0, peer.stream(), field);
                }
                hang();
            }
            case RESET_IN_RESPONSE -> {
                head(true, false, 1);
                peer.send(half, false);
                peer.frames.reset(peer.stream(), Http2.INTERNAL_ERROR);
            }
            case LENGTH_TOO_LARGE -> {
                head(true, false, 1);
                peer.send(half, true);
            }
            case BROKEN_FIRST_CHUNK, BROKEN_SECOND_CHUNK -> {
                head(false, false);
                peer.send(half, false);
                peer.frames.send(Http2.WINDOW_UPDATE, 0, 0, new byte[3]);
                hang();
            }
            case NO_LAST_CHUNK -> {
                head(false, false);
                peer.send(half, false);
                connectionGoesOn = false;
            }
            case LENGTH_TOO_SMALL -> respond(); // over h2c it is no response
            case RESPONSE_UNTIL_CLOSE -> respondAndHangUp();
            case INTERIM_THEN_RESPONSE -> {
                interim();
                respond();
            }
            case INTERIM_THEN_RESET -> {
                interim();
                reset();
            }
            default -> throw new AssertionError("not implemented: " + part.fault());
        }
    }

    private void reset() throws IOException {
        connectionGoesOn = false;
        connection.reset();
    }

    private void hang() throws IOException {
        connectionGoesOn = false;
        connection.hang();
    }

    /** Closes a connection that the proxy may already have chosen for its next request. */
    private void respondAndHangUp() throws IOException {
        arrival.endpoint.hangUp();
        respond();
        connectionGoesOn = false;
    }

    private void respond() throws IOException {
        head(!part.chunked(), bodyless);
        if (!bodyless) {
            peer.send(body, true);
        }
    }

    private void interim() throws IOException {
        peer.frames.headers(peer.stream(), false, ":status", "103", "link", "</style.css>; rel=preload");
    }

    private void head(boolean hasLength, boolean end) throws IOException {
        head(hasLength, end, 0);
    }

    private void head(boolean hasLength, boolean end, int tooLong) throws IOException {
        List<String> fields = new ArrayList<>(List.of(":status", String.valueOf(part.status())));
        fields.addAll(List.of("x-request", arrival.request().plan.id(), "x-arrival", String.valueOf(arrival.number)));
        if (hasLength && part.status() != 204) {
            fields.addAll(List.of("content-length", String.valueOf(body.length() + tooLong)));
        }
        peer.frames.headers(peer.stream(), end, fields.toArray(String[]::new));
    }

    private void readBody() throws IOException {
        arrival.bodyCame(peer.readBody().getBytes(ISO_8859_1));
    }

    /** Waits until the request has ended for its client. */
    private void awaitEnd() throws IOException {
        try {
            arrival.request().awaitEnd();
        } catch (InterruptedException e) {
            throw new InterruptedIOException();
        }
    }
}
