package io.millau.testing;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The ways in which an upstream fails, and rare but correct behaviour. See {@link ScriptedUpstream#fails}, which says what can be
 * combined, and {@link ScriptedEndpoint#that(Fault)}. What an upstream that speaks HTTP/2 does is the same in the terms of HTTP/2.
 *
 * <pre>{@code
 * try (TestGateway millau = TestGateway.start()) {
 *     ScriptedUpstream orders = millau.upstream("orders");
 *     for (Fault fault : List.of(Fault.REFUSE, Fault.RESET_AFTER_HEAD, Fault.GARBAGE)) {
 *         orders.fails(fault);
 *         assert millau.get("/orders/7").statusCode() == 502 : fault;
 *     }
 * }
 * }</pre>
 */
public enum Fault {
    /** Refuses the connection. */
    REFUSE(Stage.END, null),

    /** Accepts the connection, but does not respond. Of a request, it reads at most the head. */
    HANG(Stage.END, ScriptedEndpoint.Connection::stall),

    /** Resets the connection before it has read anything. */
    RESET_BEFORE_READING(Stage.HEAD, connection -> {
        connection.awaitRequest();
        connection.reset();
    }),

    /** Resets the connection after the request's head. */
    RESET_AFTER_HEAD(Stage.HEAD, connection -> {
        connection.readHead();
        connection.reset();
    }),

    /** Resets the connection in the middle of the request's body. */
    RESET_IN_BODY(Stage.BODY, connection -> {
        Message head = connection.readHead();
        if (head != null) {
            connection.wire().readExactly(bytesOfHalf(head));
        }
        connection.reset();
    }),

    /** Resets the connection after the whole request. */
    RESET_AFTER_BODY(Stage.END, connection -> {
        connection.readRequest();
        connection.reset();
    }),

    /** Closes the connection after the whole request, without a response. */
    CLOSE_INSTEAD_OF_RESPONSE(Stage.END, connection -> {
        connection.readRequest();
    }),

    /** Closes the connection in the middle of the response's head. */
    HALF_A_HEAD(Stage.END, connection -> {
        connection.readRequest();
        connection.send("HTTP/1.1 200 OK\r\nContent-Le");
    }),

    /** Responds with something other than HTTP. */
    GARBAGE(Stage.END, connection -> {
        connection.readRequest();
        connection.send("SSH-2.0-OpenSSH_9.2\r\n");
        connection.hang();
    }),

    /** Responds with a head of more than 64 KiB. */
    HEAD_TOO_LARGE(Stage.END, connection -> {
        connection.readRequest();
        connection.send("HTTP/1.1 200 OK\r\n" + ("X: " + "x".repeat(1000) + "\r\n").repeat(100));
        connection.hang();
    }),

    /** Responds with a head that arrives byte by byte and takes a minute. */
    SLOW_HEAD(Stage.END, connection -> {
        connection.readRequest();
        connection.sendSlowly("HTTP/1.1 200 OK\r\nX: " + "x".repeat(3000), 20);
    }),

    /** Resets the connection in the middle of the response's body. */
    RESET_IN_RESPONSE(Stage.END, connection -> {
        connection.readRequest();
        connection.send(halfAResponse());
        connection.reset();
    }),

    /** Closes the connection before it has sent as many bytes as the response's Content-Length. */
    LENGTH_TOO_LARGE(Stage.END, connection -> {
        connection.readRequest();
        connection.send(halfAResponse());
    }),

    /** Sends more bytes than the response's Content-Length. */
    LENGTH_TOO_SMALL(Stage.END, connection -> {
        connection.readRequest();
        connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: " + Fault.BODY.length() + "\r\n\r\n" + Fault.BODY + " and more");
        connection.hang();
    }),

    /** Responds with a body whose first chunk is invalid. */
    BROKEN_FIRST_CHUNK(Stage.END, connection -> {
        connection.readRequest();
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
        connection.hang();
    }),

    /** Responds with a body whose second chunk is invalid. */
    BROKEN_SECOND_CHUNK(Stage.END, connection -> {
        connection.readRequest();
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(half()) + "xyz\r\n");
        connection.hang();
    }),

    /** Closes the connection before the last chunk. */
    NO_LAST_CHUNK(Stage.END, connection -> {
        connection.readRequest();
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(half()));
    }),

    /** Responds to one request, and closes the idle connection when the next request arrives. */
    IDLE_CLOSE(Stage.HEAD, connection -> {
        Message request = connection.readRequest();
        if (request != null) {
            connection.respond(request, Fault.BODY);
            connection.awaitRequest();
        }
    }),

    /** Responds before it reads the request's body, and reads the body afterwards. */
    EARLY_RESPONSE(Stage.HEAD, connection -> {
        for (Message head = connection.readHead(); head != null; head = connection.readHead()) {
            connection.respond(head, Fault.BODY);
            connection.readBody(head);
        }
    }),

    /** Responds before it reads the request's body, and closes the connection. */
    EARLY_RESPONSE_THEN_CLOSE(Stage.HEAD, connection -> {
        Message head = connection.readHead();
        if (head != null) {
            connection.respond(head, Fault.BODY);
        }
    }),

    /** Begins its response before it reads the request's body, and ends it afterwards. */
    RESPONSE_AROUND_BODY(Stage.HEAD, connection -> {
        for (Message head = connection.readHead(); head != null; head = connection.readHead()) {
            boolean hasBody = !head.startLine().startsWith("HEAD ");
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            connection.send(hasBody ? chunk(Fault.BODY.substring(0, 1)) : "");
            connection.readBody(head);
            connection.send(hasBody ? chunk(Fault.BODY.substring(1)) + "0\r\n\r\n" : "");
        }
    }),

    /** Sends an interim response, and then the final one. */
    INTERIM_THEN_RESPONSE(Stage.END, connection -> {
        for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
            connection.send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n");
            connection.respond(request, Fault.BODY);
        }
    }),

    /** Sends an interim response, and resets the connection. */
    INTERIM_THEN_RESET(Stage.END, connection -> {
        connection.readRequest();
        connection.send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n");
        connection.reset();
    }),

    /** Responds with a body that has neither a length nor chunks, and that the connection ends. */
    RESPONSE_UNTIL_CLOSE(Stage.END, connection -> {
        Message request = connection.readRequest();
        boolean hasBody = request != null && !request.startLine().startsWith("HEAD ");
        connection.send("HTTP/1.1 200 OK\r\n\r\n" + (hasBody ? Fault.BODY : ""));
    }),

    /** Refuses the handshake of TLS with an alert. */
    HANDSHAKE_REFUSED(Layer.HANDSHAKE, connection -> {
        connection.awaitRequest();
        connection.send("\25\3\3\0\2\2\50");
        connection.hang();
    }),

    /** Closes the connection in the middle of the handshake of TLS. */
    HANDSHAKE_CLOSED(Layer.HANDSHAKE, connection -> {
        connection.awaitRequest();
        connection.send("\26\3\3\0\120\2");
    }),

    /** Stops in the middle of the handshake of TLS. */
    HANDSHAKE_STALLED(Layer.HANDSHAKE, connection -> {
        connection.awaitRequest();
        connection.send("\26\3\3\0\120\2");
        connection.hang();
    }),

    /** Responds in HTTP without TLS. */
    NO_TLS(Layer.HANDSHAKE, connection -> {
        connection.awaitRequest();
        connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        connection.hang();
    }),

    /** Has a certificate that nobody trusts, which the test gives it. */
    CERTIFICATE_NOT_TRUSTED(Layer.TLS, ScriptedEndpoint.Connection::hang),

    /** Has a certificate that has expired, which the test gives it. */
    CERTIFICATE_EXPIRED(Layer.TLS, ScriptedEndpoint.Connection::hang),

    /** Closes the connection within a body that it ends, without {@code close_notify}: anybody could have done so. */
    CLOSE_WITHOUT_NOTIFY(Layer.TLS, connection -> {
        connection.readRequest();
        connection.send("HTTP/1.1 200 OK\r\n\r\n" + half());
        connection.closeWithoutNotify();
    }),

    /** Sends a record of TLS in the middle of the response's body that can't be decrypted. */
    BROKEN_RECORD(Layer.TLS, connection -> {
        connection.readRequest();
        connection.send(halfAResponse());
        connection.sendBesideTls("\27\3\3\0\40" + "x".repeat(32));
        connection.hang();
    }),

    /** Says that it did not process the request, and will process no other on this connection. */
    GO_AWAY_BEFORE_REQUEST(Layer.HTTP2, null),

    /** Says that it did not process the request. */
    STREAM_REFUSED(Layer.HTTP2, null),

    /** Resets the stream after the whole request. */
    STREAM_RESET(Layer.HTTP2, null);

    /** The body of each complete response. */
    public static final String BODY = "faulty";

    /** How much of the request is read before the fault happens. */
    public enum Stage {
        /** Its head. */
        HEAD,
        /** Half of its body. */
        BODY,
        /** All of it. */
        END
    }

    /** What fails. */
    public enum Layer {
        /** HTTP, with or without TLS. */
        HTTP,
        /** TLS after the handshake. */
        TLS,
        /** The handshake of TLS; the script plays instead of it. */
        HANDSHAKE,
        /** HTTP/2 alone. */
        HTTP2
    }

    private final Layer layer;
    private final Stage stage;
    final ScriptedEndpoint.@Nullable Script script;

    Fault(Stage stage, ScriptedEndpoint.@Nullable Script script) {
        this(Layer.HTTP, stage, script);
    }

    Fault(Layer layer, ScriptedEndpoint.@Nullable Script script) {
        this(layer, Stage.END, script);
    }

    Fault(Layer layer, Stage stage, ScriptedEndpoint.@Nullable Script script) {
        this.layer = layer;
        this.stage = stage;
        this.script = script;
    }

    /** Where it happens. */
    public Layer layer() {
        return layer;
    }

    /** When it happens; the endpoint does not need the rest of the request for it. */
    public Stage stage() {
        return stage;
    }

    /** The part of an incomplete body that is sent: more than a buffer of a proxy holds. */
    private static String half() {
        return "half".repeat(32 * 1024);
    }

    private static String halfAResponse() {
        return "HTTP/1.1 200 OK\r\nContent-Length: " + 2 * half().length() + "\r\n\r\n" + half();
    }

    private static int bytesOfHalf(Message head) {
        String length = head.field("Content-Length");
        if (length != null) {
            return Integer.parseInt(length) / 2;
        }
        return head.field("Transfer-Encoding") == null ? 0 : 256 * 1024;
    }

    private static String chunk(String body) {
        return Integer.toHexString(body.length()) + "\r\n" + body + "\r\n";
    }

    /** As words: {@code reset after head}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
