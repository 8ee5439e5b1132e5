package io.millau.core;

import io.millau.core.internal.HostNames;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Certificates indexed by name. Immutable. */
final class CertificateIndex implements CertificateSource {

    private final List<Certificate> all;
    private final Map<String, List<Certificate>> byName = new HashMap<>();

    CertificateIndex(Collection<Certificate> certificates) {
        all = List.copyOf(certificates);
        for (Certificate certificate : all) {
            certificate
                    .names()
                    .forEach(name -> byName.computeIfAbsent(name, n -> new ArrayList<>(1))
                            .add(certificate));
        }
    }

    @Override
    public List<Certificate> find(@Nullable String serverName) {
        if (serverName == null) {
            return all;
        }
        List<Certificate> exact = byName.getOrDefault(serverName, List.of());
        List<Certificate> wild = byName.getOrDefault(HostNames.wildcard(serverName), List.of());
        if (wild.isEmpty()) {
            return exact;
        }
        List<Certificate> both = new ArrayList<>(exact);
        wild.stream().filter(certificate -> !exact.contains(certificate)).forEach(both::add);
        return both;
    }
}
