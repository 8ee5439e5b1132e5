package io.millau.core;

import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which services a request goes to at one moment, and why not to the others. Immutable; made by {@link Router#explain}.
 *
 * @param host the Host field's value that was asked for
 * @param path the path that was asked for
 * @param route what the chosen services have in common; null if no service fits
 * @param running whether something runs of the chosen services
 * @param redirectToHttps whether plain HTTP is sent to HTTPS
 * @param clientCertificate whether the client has to prove who it is
 * @param verdicts one for each service: those that match first, then those that would if others did not, then the rest
 */
public record Explanation(
        String host,
        String path,
        @Nullable Route route,
        boolean running,
        boolean redirectToHttps,
        ClientCertificate clientCertificate,
        List<Verdict> verdicts) {

    /** Whether a client needs a certificate; see {@link Service#clientCa}. */
    public enum ClientCertificate {
        /** It needs none. */
        NOT_NEEDED,
        /** It needs one. */
        NEEDED,
        /** The services of its host ask for different ones, so that none will do. */
        NONE_WILL_DO
    }

    /**
     * What becomes of one service.
     *
     * @param matches whether it is one of the chosen
     * @param reason one sentence, without the service's name
     * @param endpoints its endpoints, if it matches
     */
    public record Verdict(Service service, boolean matches, String reason, List<EndpointStatus> endpoints) {

        /** Copies the list. */
        public Verdict {
            endpoints = List.copyOf(endpoints);
        }

        /** A line, and one for each endpoint. */
        @Override
        public String toString() {
            return endpoints.stream()
                    .map(endpoint -> "\n  " + endpoint)
                    .collect(Collectors.joining("", service.name() + ": " + reason, ""));
        }
    }

    /** Copies the list. */
    public Explanation {
        verdicts = List.copyOf(verdicts);
    }

    /** The services that share such requests. */
    public List<Service> chosen() {
        return verdicts.stream().filter(Verdict::matches).map(Verdict::service).toList();
    }

    /** The verdicts as a person reads them, a service a line. */
    @Override
    public String toString() {
        return verdicts.stream().map(Verdict::toString).collect(Collectors.joining("\n"));
    }
}
