package io.millau.examples.docker;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * Where a proxy answers.
 *
 * @param host its address
 * @param port the port that it publishes
 */
record Front(String host, int port) {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    /** A client with a connection of its own. */
    KeptAlive connect() throws IOException {
        return new KeptAlive(new InetSocketAddress(host, port));
    }

    /** One request on a connection of its own. */
    Answer get(String hostName, String path) throws IOException {
        try (KeptAlive client = connect()) {
            return client.get(hostName, path);
        }
    }

    /** As many requests, one after the other, on one connection. */
    List<Answer> get(String hostName, String path, int requests) throws IOException {
        List<Answer> answers = new ArrayList<>();
        try (KeptAlive client = connect()) {
            for (int i = 0; i < requests; i++) {
                answers.add(client.get(hostName, path));
            }
        }
        return answers;
    }

    /** Asks until an answer is as expected. */
    Answer await(String hostName, String path, Predicate<Answer> expected) {
        AtomicReference<Object> last = new AtomicReference<>("nothing");
        Callable<Answer> ask = () -> {
            try {
                Answer answer = get(hostName, path);
                last.set(answer);
                return answer;
            } catch (IOException e) {
                last.set(e);
                throw e;
            }
        };
        try {
            return Awaitility.await()
                    .atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(20))
                    .ignoreExceptionsInstanceOf(IOException.class)
                    .until(ask, expected);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(hostName + path + " on " + this + ": after " + PATIENCE + " still " + last, e);
        }
    }

    /** Asks until so many instances have answered. */
    void awaitInstances(String hostName, String path, int instances) {
        Set<String> seen = new HashSet<>();
        await(
                hostName,
                path,
                answer -> answer.status() == 200 && seen.add(answer.instance()) && seen.size() == instances);
    }
}
