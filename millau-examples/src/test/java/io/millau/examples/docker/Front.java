package io.millau.examples.docker;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

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
        return Awaitility.await(hostName + path + " on " + this)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> get(hostName, path), expected);
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
