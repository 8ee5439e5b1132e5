package io.millau.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.io.InterruptedIOException;

/** Plays an endpoint's part in one request, after its head was read. */
final class RunPart {

    private static final String CHUNKED = "Transfer-Encoding: chunked\r\n";
    private static final String EARLY_HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";

    private final RunRequest.Arrival arrival;
    private final RunDice.Part part;
    private final ScriptedEndpoint.Connection connection;
    private final Message request;
    private final boolean bodyless;
    private final String body;
    private boolean connectionGoesOn = true;

    RunPart(RunRequest.Arrival arrival, ScriptedEndpoint.Connection connection, Message request) {
        this.arrival = arrival;
        this.part = arrival.part;
        this.connection = connection;
        this.request = request;
        this.bodyless = request.startLine().startsWith("HEAD ") || part.status() == 204;
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
            return connectionGoesOn;
        } catch (IOException e) {
            arrival.step("ended by " + e.getMessage());
            throw e;
        }
    }

    private void respondPlainly() throws IOException {
        readBody();
        switch (part.ending()) {
            case KEPT -> respond("");
            case CLOSED -> {
                respond("Connection: close\r\n");
                connectionGoesOn = false;
            }
            case HUNG_UP -> respondAndHangUp();
        }
    }

    private void playFault() throws IOException {
        switch (part.fault()) {
            case REFUSE -> throw new AssertionError("an endpoint that refuses connections gets no request");
            case HANG -> {
                awaitEnd();
                hangAfter("");
            }
            case RESET_BEFORE_READING, RESET_AFTER_HEAD -> resetAfter("");
            case RESET_IN_BODY -> {
                readHalfOfBody();
                resetAfter("");
            }
            case IDLE_CLOSE -> closeAfter("");
            case EARLY_RESPONSE -> {
                respond("");
                readBody();
            }
            case EARLY_RESPONSE_THEN_CLOSE -> respondAndHangUp();
            case RESPONSE_AROUND_BODY -> respondAroundBody();
            default -> {
                readBody();
                playFaultAfterBody();
            }
        }
    }

    private void playFaultAfterBody() throws IOException {
        String half = body.substring(0, body.length() / 2);
        String tooLong = length(body.length() + 1);
        switch (part.fault()) {
            case RESET_AFTER_BODY -> resetAfter("");
            case CLOSE_INSTEAD_OF_RESPONSE -> closeAfter("");
            case HALF_A_HEAD -> closeAfter("HTTP/1.1 200 OK\r\nContent-Le");
            case GARBAGE -> hangAfter("SSH-2.0-OpenSSH_9.2\r\n");
            case HEAD_TOO_LARGE -> hangAfter(head(("X: " + "x".repeat(1000) + "\r\n").repeat(100)));
            case SLOW_HEAD -> {
                connection.sendSlowly("HTTP/1.1 200 OK\r\nX: " + "x".repeat(3000), 20);
                closeAfter("");
            }
            case RESET_IN_RESPONSE -> resetAfter(head(tooLong) + half);
            case LENGTH_TOO_LARGE -> closeAfter(head(tooLong) + half);
            case LENGTH_TOO_SMALL -> hangAfter(head(length(body.length())) + body + " and more");
            case BROKEN_FIRST_CHUNK -> hangAfter(head(CHUNKED) + "xyz\r\n");
            case BROKEN_SECOND_CHUNK -> hangAfter(head(CHUNKED) + chunk(half) + "xyz\r\n");
            case NO_LAST_CHUNK -> closeAfter(head(CHUNKED) + chunk(half));
            case INTERIM_THEN_RESPONSE -> {
                connection.send(EARLY_HINTS);
                respond("");
            }
            case INTERIM_THEN_RESET -> resetAfter(EARLY_HINTS);
            case RESPONSE_UNTIL_CLOSE -> respondUntilClose();
            default -> throw new AssertionError("not implemented: " + part.fault());
        }
    }

    private void resetAfter(String bytes) throws IOException {
        closeAfter(bytes);
        connection.reset();
    }

    private void hangAfter(String bytes) throws IOException {
        closeAfter(bytes);
        connection.hang();
    }

    private void closeAfter(String bytes) throws IOException {
        connectionGoesOn = false;
        connection.send(bytes);
    }

    /** Closes a connection that the proxy may already have chosen for its next request. */
    private void respondAndHangUp() throws IOException {
        arrival.endpoint.hangUp();
        respond("");
        connectionGoesOn = false;
    }

    private void respond(String fields) throws IOException {
        if (part.status() == 204) {
            connection.send(head(fields));
        } else if (bodyless || !part.chunked()) {
            connection.send(head(fields + length(body.length())) + body);
        } else {
            int half = body.length() / 2;
            connection.send(head(fields + CHUNKED) + chunk(body.substring(0, half)));
            connection.send(chunk(body.substring(half)) + "0\r\n\r\n");
        }
    }

    /** Without TLS the response of an endpoint that crashes would look complete. */
    private void respondUntilClose() throws IOException {
        if (arrival.endpoint.usesTls() && part.status() != 204) {
            closeAfter(head("") + body);
        } else {
            respond("Connection: close\r\n");
            connectionGoesOn = false;
        }
    }

    private void respondAroundBody() throws IOException {
        connection.send(head(CHUNKED));
        readBody();
        connection.send(bodyless ? "" : chunk(body) + "0\r\n\r\n");
    }

    private void readBody() throws IOException {
        String came = connection.wire().readBody(request, false).body();
        arrival.bodyCame(came.getBytes(ISO_8859_1));
    }

    private void readHalfOfBody() throws IOException {
        connection.wire().readExactly(arrival.request().plan.length() / 2);
    }

    /** Waits until the request has ended for its client. */
    private void awaitEnd() throws IOException {
        try {
            arrival.request().awaitEnd();
        } catch (InterruptedException e) {
            throw new InterruptedIOException();
        }
    }

    private String head(String fields) {
        return "HTTP/1.1 " + part.status() + " Said\r\nX-Request: "
                + arrival.request().plan.id() + "\r\nX-Arrival: " + arrival.number + "\r\n" + fields + "\r\n";
    }

    private static String length(int length) {
        return "Content-Length: " + length + "\r\n";
    }

    private static String chunk(String bytes) {
        return bytes.isEmpty() ? "" : Integer.toHexString(bytes.length()) + "\r\n" + bytes + "\r\n";
    }
}
