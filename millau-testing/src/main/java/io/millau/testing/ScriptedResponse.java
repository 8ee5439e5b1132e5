package io.millau.testing;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A response that an upstream gives to a request. Immutable.
 *
 * <pre>{@code
 * try (TestGateway millau = TestGateway.start()) {
 *     millau.upstream("orders").responds(request -> request.header("X-Token") == null
 *             ? ScriptedResponse.of(401, "who are you?").header("WWW-Authenticate", "Token")
 *             : ScriptedResponse.of(200, "you asked for " + request.path()));
 *
 *     assert millau.get("/orders/7").statusCode() == 401;
 * }
 * }</pre>
 */
public final class ScriptedResponse {

    private static final String TEXT = "text/plain; charset=utf-8";
    private static final String BYTES = "application/octet-stream";

    private final int status;
    private final byte[] body;

    /** That of the body, if no field says another one. */
    private final String type;

    /** Names and values in turn. */
    private final List<String> fields;

    private ScriptedResponse(int status, byte[] body, String type, List<String> fields) {
        this.status = status;
        this.body = body;
        this.type = type;
        this.fields = fields;
        if (status < 200 || status > 599) {
            throw new IllegalArgumentException("status " + status + ": expected 200 to 599");
        }
    }

    /**
     * A response with these.
     *
     * @param body text, sent as UTF-8, but not with 204 and 304
     * @throws IllegalArgumentException if the status is not from 200 to 599
     */
    public static ScriptedResponse of(int status, String body) {
        byte[] bytes = Objects.requireNonNull(body, "body").getBytes(StandardCharsets.UTF_8);
        return new ScriptedResponse(status, bytes, TEXT, List.of());
    }

    /**
     * A response with bytes, such as those of gzip or protobuf: add {@code Content-Encoding} or {@code Content-Type}, which is {@code
     * application/octet-stream} otherwise.
     *
     * @param body not sent with 204 and 304
     * @throws IllegalArgumentException if the status is not from 200 to 599
     */
    public static ScriptedResponse of(int status, byte[] body) {
        return new ScriptedResponse(status, Objects.requireNonNull(body, "body").clone(), BYTES, List.of());
    }

    /**
     * The same with another header field; see {@link ScriptedUpstream#header}.
     *
     * @throws IllegalArgumentException if it would break the response
     */
    public ScriptedResponse header(String name, String value) {
        HeaderField.check(name, value, ScriptedUpstream.Protocol.HTTP);
        List<String> more = new ArrayList<>(fields);
        more.add(name);
        more.add(value);
        return new ScriptedResponse(status, body, type, List.copyOf(more));
    }

    int status() {
        return status;
    }

    byte[] body() {
        return body;
    }

    String type() {
        return type;
    }

    List<String> fields() {
        return fields;
    }

    /** @throws IllegalArgumentException if an upstream with that protocol can't send it */
    void check(ScriptedUpstream.Protocol protocol) {
        for (int i = 0; i < fields.size(); i += 2) {
            HeaderField.check(fields.get(i), fields.get(i + 1), protocol);
        }
    }

    /** Its status, and its text or the number of its bytes. */
    @Override
    public String toString() {
        return status + " " + (type.equals(TEXT) ? new String(body, StandardCharsets.UTF_8) : body.length + " bytes");
    }
}
