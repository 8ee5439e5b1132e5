package io.millau.server.internal.status;

import io.millau.core.CertificateStatus;
import io.millau.core.Overview;
import io.millau.core.SourceStatus;
import io.millau.core.internal.LogText;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Detects changes of sources and certificates, for which there are no events, by comparing an overview with the
 * previous one. For one thread.
 */
final class OverviewChanges {

    private final ChangeHistory history;
    private Map<String, String> troubles = Map.of();
    private Set<Known> certificates = Set.of();

    /** Identifies a certificate; several may have the same names. */
    private record Known(String names, Instant expires) {}

    OverviewChanges(ChangeHistory history) {
        this.history = history;
    }

    /** Adds new changes to the history. Their origins have already logged them. */
    void compare(Overview overview) {
        Map<String, String> troublesNow = new HashMap<>();
        for (SourceStatus source : overview.sources()) {
            String trouble = Objects.requireNonNullElse(source.trouble(), "");
            String known = source.name() + " " + troublesNow.size();
            troublesNow.put(known, trouble);
            if (!trouble.equals(troubles.getOrDefault(known, ""))) {
                history.remember(
                        !trouble.isEmpty(),
                        trouble.isEmpty()
                                ? "Back source=" + LogText.value(source.name())
                                : "Away source=" + LogText.value(source.name()) + " reason=" + LogText.value(trouble));
            }
        }
        troubles = troublesNow;
        Set<Known> certificatesNow = new HashSet<>();
        for (CertificateStatus certificate : overview.certificates()) {
            Instant expires = certificate.expires();
            if (expires != null) {
                String names = certificate.names().stream().sorted().collect(Collectors.joining(" "));
                Known known = new Known(names, expires);
                if (certificatesNow.add(known) && !certificates.contains(known)) {
                    history.remember(false, "Certificate names=" + LogText.value(names) + " expires=" + expires);
                }
            }
        }
        certificates = certificatesNow;
    }
}
