package io.millau.core;

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
 */
public record Problem(String service, String message) {

    @Override
    public String toString() {
        return service + ": " + message;
    }
}
