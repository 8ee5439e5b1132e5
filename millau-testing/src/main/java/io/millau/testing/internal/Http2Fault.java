package io.millau.testing.internal;

import io.millau.server.internal.http2.Http2;
import io.millau.testing.Fault;
import io.millau.testing.Fault.Stage;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.EOFException;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The ways in which an endpoint that speaks h2c fails, and rare but correct behaviour. What has the name of a {@link Fault} is
 * the same in the terms of HTTP/2.
 */
public enum Http2Fault {
    /** Refuses the connection. */
    REFUSE(Stage.END, null),

    /** Accepts the connection, but neither reads nor sends its settings. */
    HANG(Stage.END, ScriptedEndpoint.Connection::stall),

    /** Resets the connection before it has read or sent anything. */
    RESET_BEFORE_READING(Stage.HEAD, connection -> {
        connection.awaitRequest();
        connection.reset();
    }),

    RESET_AFTER_HEAD(Stage.HEAD, playing(peer -> {
        peer.readHead();
        peer.connection.reset();
    })),

    RESET_IN_BODY(Stage.BODY, playing(peer -> {
        peer.readHead();
        peer.readHalf();
        peer.connection.reset();
    })),

    RESET_AFTER_BODY(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.connection.reset();
    })),

    CLOSE_INSTEAD_OF_RESPONSE(Stage.END, playing(Peer::readRequest)),

    /** Closes the connection in the middle of the response's head, which takes two frames. */
    HALF_A_HEAD(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.frames.send(Http2.HEADERS, 0, peer.stream, Http2Peer.block(":status", "200"));
    })),

    GARBAGE(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.connection.send("SSH-2.0-OpenSSH_9.2\r\n");
        peer.connection.hang();
    })),

    HEAD_TOO_LARGE(Stage.END, playing(peer -> {
        peer.readRequest();
        byte[] part = Http2Peer.block("x", "x".repeat(16_000));
        peer.frames.send(Http2.HEADERS, 0, peer.stream, Http2Peer.block(":status", "200"));
        for (int i = 0; i < 6; i++) {
            peer.frames.send(Http2.CONTINUATION, 0, peer.stream, part);
        }
        peer.connection.hang();
    })),

    /** Responds with a head that arrives byte by byte and takes a minute. */
    SLOW_HEAD(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.connection.sendSlowly("\0\13\270\1\5\0\0\0" + (char) peer.stream + "x".repeat(3000), 20);
    })),

    RESET_IN_RESPONSE(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.halfAResponse();
        peer.connection.reset();
    })),

    /** Closes the connection in the middle of a body whose length it did not say. */
    CLOSE_IN_RESPONSE(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.frames.headers(peer.stream, false, ":status", "200");
        peer.half();
    })),

    /** Ends the stream before it has sent as many bytes as the response's Content-Length. */
    LENGTH_TOO_LARGE(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.halfAResponse();
        peer.frames.data(peer.stream, true, "");
        peer.connection.hang();
    })),

    /** Sends more bytes than the response's Content-Length. */
    LENGTH_TOO_SMALL(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.frames.headers(peer.stream, false, ":status", "200", "content-length", String.valueOf(Peer.HALF + 1));
        peer.half();
        peer.frames.data(peer.stream, true, " and more");
        peer.connection.hang();
    })),

    IDLE_CLOSE(Stage.HEAD, playing(peer -> {
        peer.readRequest();
        peer.respond(Fault.BODY);
        peer.readHead();
    })),

    EARLY_RESPONSE(Stage.HEAD, playing(peer -> {
        while (true) {
            peer.readHead();
            peer.respond(Fault.BODY);
            peer.readBody();
        }
    })),

    EARLY_RESPONSE_THEN_CLOSE(Stage.HEAD, playing(peer -> {
        peer.readHead();
        peer.respond(Fault.BODY);
    })),

    /** Responds before it reads the request's body, and resets the stream without an error (RFC 9113, 8.1). */
    EARLY_RESPONSE_THEN_STREAM_RESET(Stage.HEAD, playing(peer -> {
        while (true) {
            peer.readHead();
            peer.respond(Fault.BODY);
            peer.frames.reset(peer.stream, Http2.NO_ERROR);
        }
    })),

    RESPONSE_AROUND_BODY(Stage.HEAD, playing(peer -> {
        while (true) {
            peer.readHead();
            peer.frames.headers(peer.stream, false, ":status", "200");
            peer.frames.data(peer.stream, false, peer.isHead() ? "" : Fault.BODY.substring(0, 1));
            peer.readBody();
            peer.frames.data(peer.stream, true, peer.isHead() ? "" : Fault.BODY.substring(1));
        }
    })),

    INTERIM_THEN_RESPONSE(Stage.END, playing(peer -> {
        while (true) {
            peer.readRequest();
            peer.interim();
            peer.respond(Fault.BODY);
        }
    })),

    INTERIM_THEN_RESET(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.interim();
        peer.connection.reset();
    })),

    /** Reads the request and does not respond. */
    SILENCE(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.connection.hang();
    })),

    /** Lets nothing of a request's body come. */
    NO_WINDOW(
            Stage.END,
            playing(
                    peer -> {
                        peer.readRequest();
                        peer.respond(Fault.BODY);
                    },
                    Http2.INITIAL_WINDOW_SIZE,
                    0)),

    /** Takes no requests, as its settings say. */
    NO_STREAMS(Stage.END, playing(Peer::readRequest, Http2.MAX_CONCURRENT_STREAMS, 0)),

    /** Takes one request at a time, as its settings say. */
    ONE_STREAM(
            Stage.END,
            playing(
                    peer -> {
                        while (true) {
                            peer.readRequest();
                            peer.respond(Fault.BODY);
                        }
                    },
                    Http2.INITIAL_WINDOW_SIZE,
                    Peer.WINDOW,
                    Http2.MAX_CONCURRENT_STREAMS,
                    1)),

    /** Says together with its settings that it takes no requests. */
    GO_AWAY_AT_ONCE(Stage.HEAD, connection -> {
        connection.send("\0\0\0\4\0\0\0\0\0" + "\0\0\10\7\0\0\0\0\0" + "\0".repeat(8));
        connection.hang();
    }),

    /** Says that it did not process the request, and will process no other. */
    GO_AWAY_BEFORE_REQUEST(Stage.HEAD, playing(peer -> {
        peer.readHead();
        peer.frames.goAway(peer.stream - 1, Http2.NO_ERROR);
        peer.connection.hang();
    })),

    /** Says that the request is its last one, and responds. */
    GO_AWAY_WITH_REQUEST(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.frames.goAway(peer.stream, Http2.NO_ERROR);
        peer.respond(Fault.BODY);
        peer.connection.hang();
    })),

    /** Announces that it will name its last request later, as servers do that end in order, and responds. */
    GO_AWAY_AFTER_REQUEST(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.frames.goAway(Integer.MAX_VALUE, Http2.NO_ERROR);
        peer.respond(Fault.BODY);
        peer.connection.hang();
    })),

    /** Says that the request is its last one, and closes the connection without a response. */
    GO_AWAY_WITH_REQUEST_THEN_CLOSE(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.frames.goAway(peer.stream, Http2.INTERNAL_ERROR);
    })),

    /** Says that it did not process the request. */
    STREAM_REFUSED(Stage.HEAD, resettingHeads(Http2.REFUSED_STREAM)),

    /** Resets the stream after the request's head. */
    STREAM_RESET_AFTER_HEAD(Stage.HEAD, resettingHeads(Http2.INTERNAL_ERROR)),

    /** Resets the stream after the whole request. */
    STREAM_RESET(Stage.END, resetting(Http2.INTERNAL_ERROR)),

    /** Resets the stream without an error, and without a response. */
    STREAM_RESET_WITHOUT_ERROR(Stage.END, resetting(Http2.NO_ERROR)),

    /** Resets the stream in the middle of the response's body. */
    STREAM_RESET_IN_RESPONSE(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.halfAResponse();
        peer.frames.reset(peer.stream, Http2.INTERNAL_ERROR);
        peer.connection.hang();
    })),

    /** Sends a frame that is too short for its type. */
    MALFORMED_FRAME(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.frames.send(Http2.WINDOW_UPDATE, 0, 0, new byte[3]);
        peer.connection.hang();
    })),

    /** Sends such a frame in the middle of the response's body. */
    MALFORMED_FRAME_IN_RESPONSE(Stage.END, playing(peer -> {
        peer.readRequest();
        peer.halfAResponse();
        peer.frames.send(Http2.WINDOW_UPDATE, 0, 0, new byte[3]);
        peer.connection.hang();
    }));

    private final Stage stage;
    private final ScriptedEndpoint.@Nullable Script script;

    /** @param script null to refuse connections */
    Http2Fault(Stage stage, ScriptedEndpoint.@Nullable Script script) {
        this.stage = stage;
        this.script = script;
    }

    /** When it happens; the endpoint does not need the rest of the request for it. */
    public Stage stage() {
        return stage;
    }

    /** An endpoint that has this fault. */
    public ScriptedEndpoint endpoint() {
        return script == null ? ScriptedEndpoint.thatRefuses() : ScriptedEndpoint.that(script);
    }

    /** What an endpoint does that responds to each request with 200 and this body. */
    public static ScriptedEndpoint.Script saying(String body) {
        return playing(peer -> {
            while (true) {
                peer.readRequest();
                peer.respond(body);
            }
        });
    }

    private static ScriptedEndpoint.Script resettingHeads(int code) {
        return playing(peer -> {
            while (true) {
                peer.readHead();
                peer.frames.reset(peer.stream, code);
            }
        });
    }

    private static ScriptedEndpoint.Script resetting(int code) {
        return playing(peer -> {
            while (true) {
                peer.readRequest();
                peer.frames.reset(peer.stream, code);
            }
        });
    }

    /**
     * Plays it for one request, whose head was read, and its body if it happens at the end.
     *
     * @return whether the connection can be used for the next request
     */
    public boolean play(ScriptedEndpoint.Connection connection, Http2Conversation during, List<String> fields)
            throws IOException {
        if (!(script instanceof Playing playing) || playing.needsItsOwnSettings()) {
            throw new IllegalArgumentException(this + ": expected a fault that can happen to one request");
        }
        try {
            playing.play.play(new Peer(connection, during, fields));
            return false;
        } catch (NextRequestException e) {
            return true;
        }
    }

    private interface Play {
        void play(Peer peer) throws IOException;
    }

    /** Thrown where a fault that plays for one request goes on to the next. */
    private static final class NextRequestException extends IOException {
        private static final long serialVersionUID = 1;
    }

    private record Playing(Play play, int... settings) implements ScriptedEndpoint.Script {
        @Override
        public void play(ScriptedEndpoint.Connection connection) throws IOException {
            play.play(new Peer(connection, settings));
        }

        boolean needsItsOwnSettings() {
            return settings.length > 2 || settings[1] != Peer.WINDOW;
        }
    }

    private static ScriptedEndpoint.Script playing(Play play) {
        return playing(play, Http2.INITIAL_WINDOW_SIZE, Peer.WINDOW);
    }

    private static ScriptedEndpoint.Script playing(Play play, int... settings) {
        return new Playing(play, settings);
    }

    /** The endpoint's side, with one request after the other. */
    private static final class Peer {
        static final int WINDOW = 4 * 1024 * 1024;

        /** What is sent of an incomplete body: nearly what the window allows. */
        private static final int HALF = 60_000;

        final ScriptedEndpoint.Connection connection;
        final Http2Peer frames;
        private Http2Peer.Frame last = Http2Peer.Frame.NONE;
        private List<String> fields = List.of();
        private final StringBuilder body = new StringBuilder();
        private boolean forOneRequest;
        private boolean headIsRead;
        int stream;

        /** Goes on in the middle of a request. */
        Peer(ScriptedEndpoint.Connection connection, Http2Conversation during, List<String> fields) {
            this.connection = connection;
            this.frames = during.frames;
            this.last = during.head();
            this.fields = fields;
            this.stream = during.stream();
            this.forOneRequest = true;
            this.headIsRead = true;
        }

        Peer(ScriptedEndpoint.Connection connection, int... settings) throws IOException {
            this.connection = connection;
            this.frames = new Http2Peer(connection, settings);
            frames.windowUpdate(0, WINDOW);
        }

        void readHead() throws IOException {
            if (headIsRead) {
                headIsRead = false;
                return;
            }
            if (forOneRequest) {
                throw new NextRequestException();
            }
            last = frames.request();
            fields = frames.fields(last);
            stream = last.stream();
            body.setLength(0);
            connection.requestBegan();
        }

        void readBody() throws IOException {
            while (!last.ends()) {
                readPart();
            }
            connection.requestRead(new Message(fields.get(0), fields, body.toString()));
        }

        void readHalf() throws IOException {
            while (!last.ends() && body.length() < 256 * 1024) {
                readPart();
            }
        }

        private void readPart() throws IOException {
            last = frames.nextOfStream();
            if (last.type() == Http2.RST_STREAM) {
                throw new EOFException("the stream was reset");
            }
            body.append(last.payload());
        }

        void readRequest() throws IOException {
            readHead();
            readBody();
        }

        boolean isHead() {
            return fields.contains(":method: HEAD");
        }

        void respond(String text) throws IOException {
            frames.headers(stream, isHead(), ":status", "200");
            if (!isHead()) {
                frames.data(stream, true, text);
            }
        }

        void interim() throws IOException {
            frames.headers(stream, false, ":status", "103", "link", "</style.css>; rel=preload");
        }

        void halfAResponse() throws IOException {
            frames.headers(stream, false, ":status", "200", "content-length", String.valueOf(2 * HALF));
            half();
        }

        void half() throws IOException {
            for (int i = 0; i < 5; i++) {
                frames.data(stream, false, "half".repeat(HALF / 20));
            }
        }
    }

    /** As words: {@code stream refused}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
