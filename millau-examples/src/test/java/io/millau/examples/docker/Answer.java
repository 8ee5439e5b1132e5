package io.millau.examples.docker;

import java.util.Map;

/**
 * An answer as it came through the proxy.
 *
 * @param headers by their names in lower case
 */
record Answer(int status, Map<String, String> headers, String body) {

    /** The {@code NAME} of the echo service that answered; empty if none did. */
    String name() {
        return fact("name");
    }

    /** The host name of the container that answered; empty if none did. */
    String instance() {
        return headers.getOrDefault("x-instance", "");
    }

    /** What a line of the echo service's answer says. */
    String fact(String what) {
        return body.lines()
                .filter(line -> line.startsWith(what + ": "))
                .map(line -> line.substring(what.length() + 2))
                .findFirst()
                .orElse("");
    }
}
