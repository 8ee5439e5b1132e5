package io.millau.server.internal.tls;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.CertificateStatus;
import io.millau.core.internal.FirstFailures;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A source of certificates that counts as one without any while it throws or returns null, so that it disturbs neither handshakes
 * nor the other sources. Each failure is logged the first time. Safe for use by several threads.
 */
final class GuardedCertificates implements CertificateSource {

    private static final Logger LOG = LoggerFactory.getLogger(GuardedCertificates.class);

    private final CertificateSource source;
    private final FirstFailures failures;

    private GuardedCertificates(CertificateSource source, FirstFailures failures) {
        this.source = source;
        this.failures = failures;
    }

    static List<CertificateSource> of(List<CertificateSource> sources) {
        FirstFailures failures = new FirstFailures(LOG);
        return sources.stream()
                .map(source -> (CertificateSource) new GuardedCertificates(source, failures))
                .toList();
    }

    @Override
    public List<Certificate> find(@Nullable String serverName) {
        return call(() -> withoutNull("find", source.find(serverName)), List.of());
    }

    @Override
    public void wanted(Set<String> names, Set<String> served) {
        run(() -> source.wanted(names, served));
    }

    @Override
    public void refresh() {
        run(source::refresh);
    }

    @Override
    public Map<Certificate, String> configured() {
        return call(() -> Map.copyOf(Objects.requireNonNull(source.configured(), "configured: null")), Map.of());
    }

    @Override
    public List<CertificateStatus> status() {
        return call(() -> withoutNull("status", source.status()), List.of());
    }

    @Override
    public CompletableFuture<Optional<String>> httpChallenge(String token) {
        return later(() -> source.httpChallenge(token));
    }

    @Override
    public CompletableFuture<Optional<Certificate>> tlsChallenge(String serverName) {
        return later(() -> source.tlsChallenge(serverName));
    }

    private void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            failed(e);
        }
    }

    private static <T> List<T> withoutNull(String method, List<T> list) {
        Objects.requireNonNull(list, method + ": null")
                .forEach(item -> Objects.requireNonNull(item, method + ": a null in the list"));
        return list;
    }

    private <T> T call(Supplier<T> ask, T none) {
        try {
            return ask.get();
        } catch (RuntimeException | Error e) {
            failed(e);
            return none;
        }
    }

    private <T> CompletableFuture<Optional<T>> later(Supplier<CompletableFuture<Optional<T>>> ask) {
        CompletableFuture<Optional<T>> none = CompletableFuture.completedFuture(Optional.empty());
        return call(() -> Objects.requireNonNull(ask.get(), "challenge: null"), none)
                .handle((found, failure) -> {
                    if (failure == null && found != null) {
                        return found;
                    }
                    failed(failure == null ? new NullPointerException("challenge: null in the future") : failure);
                    return Optional.empty();
                });
    }

    private void failed(Throwable failure) {
        failures.add(source, failure, "other sources of certificates are used");
    }

    @Override
    public String toString() {
        return source.toString();
    }
}
