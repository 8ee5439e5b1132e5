package io.millau.core;

import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which services a request goes to at one moment, and why not to the others. Immutable; made by {@link Router#explain}.
 *
 * @param host the Host field's value in question
 * @param path the path in question
 * @param route the route that the request matches; null if no service matches
 * @param running whether the chosen services have a running instance
 * @param redirectToHttps whether plain HTTP is redirected to HTTPS
 * @param clientCertificate whether the client needs a certificate
 * @param verdicts one for each service: first those that get the request, then those that others outrank, then the rest
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
        /** No certificate is needed. */
        NOT_NEEDED,
        /** A certificate is needed. */
        NEEDED,
        /** The services of the host require different CAs, so no certificate is accepted. */
        NONE_ACCEPTED
    }

    /**
     * The result for one service.
     *
     * @param service the service
     * @param matches whether it is one of the chosen services
     * @param reason one sentence, without the service's name
     * @param endpoints its endpoints, if it matches
     */
    public record Verdict(Service service, boolean matches, String reason, List<EndpointStatus> endpoints) {

        /** Copies the list. */
        public Verdict {
            endpoints = List.copyOf(endpoints);
        }

        /** One line, followed by one for each endpoint. */
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

    /** The services that share such requests; empty if none matches. */
    public List<Service> chosen() {
        return verdicts.stream().filter(Verdict::matches).map(Verdict::service).toList();
    }

    /** The verdicts as text, one line per service, followed by its endpoints. */
    @Override
    public String toString() {
        return verdicts.stream().map(Verdict::toString).collect(Collectors.joining("\n"));
    }
}
