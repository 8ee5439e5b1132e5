package io.millau.core;

import io.millau.core.internal.Words;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What this package makes of the types that tell a state; those are interfaces, so that they can grow. */
final class Statuses {

    private Statuses() {}

    record OfEndpoint(
            Endpoint endpoint,
            EndpointStatus.State state,
            Duration age,
            @Nullable String reason,
            int openRequests) implements EndpointStatus {

        @Override
        public String toString() {
            String is = state.name().toLowerCase(Locale.ROOT);
            if (inRotation()) {
                return endpoint + " in rotation (" + is + ")";
            }
            String hint = Words.hint(reason, endpoint.port());
            return endpoint + " out of rotation (" + is + " " + age.toSeconds() + " s ago: " + reason
                    + (hint.isEmpty() ? "" : "; " + hint) + ")";
        }
    }

    record OfService(Service service, List<EndpointStatus> endpoints, int waiting) implements ServiceStatus {}

    record OfSource(
            String name,
            @Nullable Instant lastSuccess,
            @Nullable String trouble,
            long events,
            long errors,
            Duration buildTime)
            implements SourceStatus {}

    record OfCertificate(
            Set<String> names,
            String origin,
            @Nullable String issuer,
            @Nullable Instant expires,
            @Nullable Instant renewal,
            @Nullable String trouble,
            boolean isWaiting)
            implements CertificateStatus {}

    record OfRequest(
            String host,
            String path,
            @Nullable Route route,
            boolean running,
            boolean removed,
            boolean redirectToHttps,
            ClientCertificate clientCertificate,
            List<Explanation.Verdict> verdicts)
            implements Explanation {

        @Override
        public String toString() {
            return verdicts.stream().map(Explanation.Verdict::toString).collect(Collectors.joining("\n"));
        }
    }

    record OfMatching(Service service, boolean matches, String reason, List<EndpointStatus> endpoints)
            implements Explanation.Verdict {

        @Override
        public String toString() {
            return endpoints.stream()
                    .map(endpoint -> "\n  " + endpoint)
                    .collect(Collectors.joining("", service.name() + ": " + reason, ""));
        }
    }
}
