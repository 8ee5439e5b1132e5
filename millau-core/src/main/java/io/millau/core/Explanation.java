package io.millau.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which services a request goes to at one moment, and why not to the others. Immutable; made by {@link Router#explain}.
 * Its text has the verdicts, one line per service, followed by its endpoints.
 *
 * <pre>{@code
 * Service orders = Service.named("orders").path("/orders/").endpoints(endpoint).build();
 * Service site = Service.named("site").endpoints(endpoint).build();
 * Router router = new Router();
 * router.replace(List.of(orders, site));
 *
 * Explanation explanation = router.explain("shop.example", "/orders/7");
 * assert explanation.chosen().equals(List.of(orders)) : explanation; // says why it is another one
 * }</pre>
 */
public interface Explanation {

    /** The Host field's value in question. */
    String host();

    /** The path in question. */
    String path();

    /** The route that the request matches; null if no service matches. */
    @Nullable
    Route route();

    /** Whether the chosen services have a running instance. */
    boolean running();

    /**
     * Whether the chosen services were removed or disabled in the last minute: requests still count as theirs, but clients are
     * told that no service matches.
     */
    boolean removed();

    /** Whether plain HTTP is redirected to HTTPS. */
    boolean redirectToHttps();

    /** Whether the client needs a certificate. */
    ClientCertificate clientCertificate();

    /** One for each service: first those that get the request, then those that others outrank, then the rest. */
    List<Verdict> verdicts();

    /** The services that share such requests; empty if none matches. */
    default List<Service> chosen() {
        return verdicts().stream()
                .filter(Verdict::matches)
                .map(Verdict::service)
                .toList();
    }

    /** Whether a client needs a certificate; see {@link Service#clientCa}. */
    enum ClientCertificate {
        /** No certificate is needed. */
        NOT_NEEDED,
        /** A certificate is needed. */
        NEEDED,
        /** The services of the host require different CAs, so no certificate is accepted. */
        NONE_ACCEPTED
    }

    /** The result for one service. Its text is one line, followed by one for each endpoint. */
    interface Verdict {

        /** The service. */
        Service service();

        /** Whether it is one of the chosen services. */
        boolean matches();

        /** One sentence, without the service's name. */
        String reason();

        /** Its endpoints, if it matches. */
        List<EndpointStatus> endpoints();
    }
}
