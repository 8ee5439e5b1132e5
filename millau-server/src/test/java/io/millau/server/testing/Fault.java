package io.millau.server.testing;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The ways in which an endpoint fails, and what it may do rightly but seldom does. See {@link ScriptedEndpoint#that(Fault)}. */
public enum Fault {
    /** Nobody listens. */
    REFUSE(Stage.END, null),

    /** Accepts the connection, and neither reads nor answers. */
    HANG(Stage.END, ScriptedEndpoint.Connection::stall),

    /** Resets the connection before it read anything. */
    RESET_BEFORE_READING(Stage.HEAD, connection -> {
        connection.awaitRequest();
        connection.reset();
    }),

    /** Resets the connection once it has the request's head. */
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

    /** Resets the connection once it has all of the request. */
    RESET_AFTER_BODY(Stage.END, connection -> {
        connection.readRequest();
        connection.reset();
    }),

    /** Closes the connection once it has all of the request. */
    CLOSE_INSTEAD_OF_ANSWER(Stage.END, ScriptedEndpoint.Connection::readRequest),

    /** Closes the connection in the middle of the answer's head. */
    HALF_A_HEAD(Stage.END, connection -> {
        connection.readRequest();
        connection.send("HTTP/1.1 200 OK\r\nContent-Le");
    }),

    /** Answers with what is not HTTP. */
    GARBAGE(Stage.END, connection -> {
        connection.readRequest();
        connection.send("SSH-2.0-OpenSSH_9.2\r\n");
        connection.hang();
    }),

    /** Answers with a head of more than 64 KiB. */
    HEAD_TOO_LARGE(Stage.END, connection -> {
        connection.readRequest();
        connection.send("HTTP/1.1 200 OK\r\n" + ("X: " + "x".repeat(1000) + "\r\n").repeat(100));
        connection.hang();
    }),

    /** Answers with a head that comes byte by byte and takes a minute. */
    SLOW_HEAD(Stage.END, connection -> {
        connection.readRequest();
        connection.sendSlowly("HTTP/1.1 200 OK\r\nX: " + "x".repeat(3000), 20);
    }),

    /** Resets the connection in the middle of the answer's body. */
    RESET_IN_ANSWER(Stage.END, connection -> {
        connection.readRequest();
        connection.send(halfAnAnswer());
        connection.reset();
    }),

    /** Closes the connection before it sent as much of a body as the answer's length said. */
    LENGTH_TOO_LARGE(Stage.END, connection -> {
        connection.readRequest();
        connection.send(halfAnAnswer());
    }),

    /** Sends more of a body than the answer's length said. */
    LENGTH_TOO_SMALL(Stage.END, connection -> {
        connection.readRequest();
        connection.send(
                "HTTP/1.1 200 OK\r\nContent-Length: " + Fault.BODY.length() + "\r\n\r\n" + Fault.BODY + " and more");
        connection.hang();
    }),

    /** Answers with a body whose first chunk is none. */
    BROKEN_FIRST_CHUNK(Stage.END, connection -> {
        connection.readRequest();
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
        connection.hang();
    }),

    /** Answers with a body whose second chunk is none. */
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

    /** Answers one request, and closes the connection when the next one is on its way: an idle connection may end at any time. */
    IDLE_CLOSE(Stage.HEAD, connection -> {
        Message request = connection.readRequest();
        if (request != null) {
            connection.answer(request, Fault.BODY);
            connection.awaitRequest();
        }
    }),

    /** Answers before it read the request's body, and reads that afterwards. */
    EARLY_ANSWER(Stage.HEAD, connection -> {
        for (Message head = connection.readHead(); head != null; head = connection.readHead()) {
            connection.answer(head, Fault.BODY);
            connection.readBody(head);
        }
    }),

    /** Answers before it read the request's body, and closes the connection. */
    EARLY_ANSWER_THEN_CLOSE(Stage.HEAD, connection -> {
        Message head = connection.readHead();
        if (head != null) {
            connection.answer(head, Fault.BODY);
        }
    }),

    /** Begins to answer before it read the request's body, and ends its answer after that. */
    ANSWER_AROUND_BODY(Stage.HEAD, connection -> {
        for (Message head = connection.readHead(); head != null; head = connection.readHead()) {
            boolean hasBody = !head.startLine().startsWith("HEAD ");
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            connection.send(hasBody ? chunk(Fault.BODY.substring(0, 1)) : "");
            connection.readBody(head);
            connection.send(hasBody ? chunk(Fault.BODY.substring(1)) + "0\r\n\r\n" : "");
        }
    }),

    /** Sends an interim answer, and then the final one. */
    INTERIM_THEN_ANSWER(Stage.END, connection -> {
        for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
            connection.send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n");
            connection.answer(request, Fault.BODY);
        }
    }),

    /** Sends an interim answer, and resets the connection. */
    INTERIM_THEN_RESET(Stage.END, connection -> {
        connection.readRequest();
        connection.send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n");
        connection.reset();
    });

    /** The body of an answer that comes to its end. */
    public static final String BODY = "faulty";

    /** How much of a request comes before the fault shows. */
    public enum Stage {
        /** Its head. */
        HEAD,
        /** Half of its body. */
        BODY,
        /** All of it. */
        END
    }

    private final Stage stage;
    final ScriptedEndpoint.@Nullable Script script;

    Fault(Stage stage, ScriptedEndpoint.@Nullable Script script) {
        this.stage = stage;
        this.script = script;
    }

    /** When it shows; what the client holds back until then, the endpoint does not wait for. */
    public Stage stage() {
        return stage;
    }

    /** What is sent of a body that breaks: more than a proxy's buffer holds. */
    private static String half() {
        return "half".repeat(32 * 1024);
    }

    private static String halfAnAnswer() {
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

    /** In words: {@code reset after head}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
