package io.millau.testing;

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

    private final int status;
    private final String body;

    /** Names and values in turn. */
    private final List<String> fields;

    private ScriptedResponse(int status, String body, List<String> fields) {
        this.status = status;
        this.body = Objects.requireNonNull(body, "body");
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
        return new ScriptedResponse(status, body, List.of());
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
        return new ScriptedResponse(status, body, List.copyOf(more));
    }

    int status() {
        return status;
    }

    String body() {
        return body;
    }

    List<String> fields() {
        return fields;
    }

    @Override
    public String toString() {
        return status + " " + body;
    }
}
