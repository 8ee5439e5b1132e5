package io.millau.core;

import io.millau.core.internal.Words;
import java.util.List;

/**
 * A problem that a source found, for the operator: a mistake in the configuration, or an instance that does not run. Immutable. Equal problems are reported once.
 *
 * <pre>{@code
 * ServiceSource source = consumer -> {
 *     Problem problem = new Problem("orders", "port 80a: expected a number from 1 to 65535");
 *     consumer.accept(new Snapshot(List.of(), List.of(problem)));
 *     return () -> {};
 * };
 * builder.source(source);
 * }</pre>
 *
 * @param service the name of the service, or of another object with the problem
 * @param message the whole message, without the name, which is put before it: with the label, its value, what was
 *     expected, and the most similar known name
 * @param hosts the hosts that the service gets no requests for, as configured, if the problem leaves it out; else none
 * @param ofInstance whether an instance does not run, while the service is configured well
 */
public record Problem(String service, String message, List<String> hosts, boolean ofInstance) {

    private static final int MOST_HOSTS_SHOWN = 10;

    /** Makes the problem with a copy of the hosts. */
    public Problem {
        hosts = List.copyOf(hosts);
    }

    /** A mistake in the configuration that leaves no service out. */
    public Problem(String service, String message) {
        this(service, message, List.of(), false);
    }

    /** The same problem with another message. */
    public Problem withMessage(String other) {
        return new Problem(service, other, hosts, ofInstance);
    }

    /** The name, the message and the hosts, of many only the first ones. */
    @Override
    public String toString() {
        if (hosts.isEmpty()) {
            return service + ": " + message;
        }
        int more = hosts.size() - MOST_HOSTS_SHOWN;
        List<String> shown =
                hosts.stream().limit(MOST_HOSTS_SHOWN).map(Words::shown).toList();
        return service + ": " + message + ", so that it gets no requests for " + String.join(" ", shown)
                + (more > 0 ? " and " + more + " more" : "");
    }
}
