package io.millau.core;

/**
 * Something a source found wrong, as it is told to the operator: whose, where, what was seen and what was expected.
 * Immutable; equal problems are reported once.
 *
 * @param service name of the service, or of what else has the problem
 * @param message the whole message for a person, with the label, its value, what was expected and the nearest known name
 */
public record Problem(String service, String message) {

    @Override
    public String toString() {
        return service + ": " + message;
    }
}
