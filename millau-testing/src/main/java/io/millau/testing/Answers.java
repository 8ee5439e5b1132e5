package io.millau.testing;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** How an upstream reacts to requests, to all or to those for one path. Safe for use by several threads. */
final class Answers {

    private final Deque<Turn> inTurn = new ArrayDeque<>();
    private final List<String> fields = new ArrayList<>();
    private Response forGood;
    private Duration latency = Duration.ZERO;
    private int bytesPerSecond = Integer.MAX_VALUE;
    private @Nullable Fault fault;

    /** What makes a response to a request. */
    interface Response {

        /** Null only if a test's function returns that. */
        @Nullable
        ScriptedResponse to(RecordedRequest request);

        static Response of(int status, String body) {
            ScriptedResponse always = ScriptedResponse.of(status, body);
            return request -> always;
        }

        static Response of(Function<RecordedRequest, ScriptedResponse> function) {
            return Objects.requireNonNull(function, "response")::apply;
        }
    }

    /** What happens to one request: a response or a fault. */
    private record Turn(
            @Nullable Response response, @Nullable Fault fault) {}

    /**
     * The reaction to one request.
     *
     * @param fields header fields, names and values in turn
     * @param fault null if it responds
     */
    record Answer(
            Response response,
            List<String> fields,
            Duration latency,
            int bytesPerSecond,
            @Nullable Fault fault) {}

    Answers(Response forGood) {
        this.forGood = forGood;
    }

    synchronized void responds(Response response) {
        forGood = response;
    }

    synchronized void thenResponds(Response response) {
        inTurn.add(new Turn(response, null));
    }

    synchronized void thenFails(Fault fault) {
        inTurn.add(new Turn(null, fault));
    }

    synchronized void header(String name, String value) {
        fields.add(name);
        fields.add(value);
    }

    synchronized void after(Duration latency) {
        this.latency = TestTime.check("after", Objects.requireNonNull(latency, "latency"));
    }

    synchronized void bytesPerSecond(int bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException(bytes + " bytes per second: expected at least 1");
        }
        bytesPerSecond = bytes;
    }

    synchronized void fails(Fault fault) {
        this.fault = fault;
    }

    synchronized void heals() {
        fault = null;
        inTurn.removeIf(turn -> turn.fault != null);
    }

    synchronized @Nullable Fault fault() {
        return fault;
    }

    /** That to the next request. Takes what is in turn, unless all requests fail. */
    synchronized Answer next() {
        Turn turn = fault == null ? inTurn.poll() : null;
        Response response = turn == null || turn.response == null ? forGood : turn.response;
        Fault happens = turn == null ? fault : turn.fault;
        return new Answer(response, List.copyOf(fields), latency, bytesPerSecond, happens);
    }
}
