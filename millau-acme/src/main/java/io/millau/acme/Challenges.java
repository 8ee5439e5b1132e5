package io.millau.acme;

import io.millau.core.Certificate;
import io.millau.core.Store;
import io.millau.core.internal.Pem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The responses to challenges: those of this replica's orders in memory, those of other replicas in the store. Safe for
 * use by several threads.
 *
 * <p>Since any client may send requests for challenges, only a few look-ups in the store run at once, and few wait.
 * When the queue is full, further ones find nothing.
 */
final class Challenges implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(AcmeCertificates.class);

    private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9_-]{16,128}"); // RFC 8555, 8.3

    private static final String FILES = "challenges/" + ChallengeType.HTTP + "/";
    private static final String CERTIFICATES = "challenges/" + ChallengeType.TLS + "/";
    private static final String UNTIL = "until";
    private static final String ANSWER = "answer";

    /** Longer than any order. Older responses are of replicas that died. */
    private static final Duration LIFE = Duration.ofHours(1);

    private static final int AT_ONCE = 2;
    private static final int WAITING = 64;

    private final Store store;
    private final Clock clock;
    private final Map<String, String> files = new ConcurrentHashMap<>();
    private final Map<String, Certificate> certificates = new ConcurrentHashMap<>();
    private final ThreadPoolExecutor lookups;

    Challenges(Store store, Clock clock) {
        this.store = store;
        this.clock = clock;
        this.lookups = new ThreadPoolExecutor(
                AT_ONCE,
                AT_ONCE,
                10,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(WAITING),
                new Threads("millau-acme-challenge"));
        lookups.allowCoreThreadTimeOut(true);
    }

    /** A published response; {@link #close} withdraws it. */
    interface Response extends AutoCloseable {

        @Override
        void close();
    }

    /** Publishes the response to {@code /.well-known/acme-challenge/TOKEN}, for all replicas. */
    Response http(String token, String authorization) throws IOException {
        if (!TOKEN.matcher(token).matches()) {
            throw new IllegalArgumentException("expected a token of 16 to 128 letters, digits, _ or -, not " + token);
        }
        files.put(token, authorization);
        return publish(file(token), Header.line(ANSWER, authorization), () -> files.remove(token));
    }

    /** Publishes the certificate for {@code acme-tls/1} handshakes, for all replicas. */
    Response tls(String name, Certificate certificate) throws IOException {
        certificates.put(name, certificate);
        String text = Pem.text(certificate.key()) + Pem.text(certificate.chain());
        return publish(CERTIFICATES + name, text, () -> certificates.remove(name));
    }

    private Response publish(String value, String text, Runnable forget) throws IOException {
        String until = Header.line(UNTIL, clock.instant().plus(LIFE));
        Response response = () -> {
            forget.run();
            Threads.uninterrupted(() -> remove(value));
        };
        try {
            store.put(value, (until + text).getBytes(StandardCharsets.UTF_8));
            return response;
        } catch (IOException | RuntimeException e) {
            response.close();
            throw e;
        }
    }

    private void remove(String value) {
        try {
            store.remove(value);
        } catch (IOException | RuntimeException e) {
            LOG.debug("{} could not be removed from the store yet", value, e);
        }
    }

    CompletableFuture<Optional<String>> findHttp(String token) {
        String own = files.get(token);
        if (own != null) {
            return CompletableFuture.completedFuture(Optional.of(own));
        }
        if (!TOKEN.matcher(token).matches()) {
            return CompletableFuture.completedFuture(Optional.empty());
        }
        return lookUp(
                file(token), text -> Header.find(text, ANSWER).filter(response -> response.startsWith(token + ".")));
    }

    CompletableFuture<Optional<Certificate>> findTls(String name) {
        Certificate own = certificates.get(name);
        if (own != null) {
            return CompletableFuture.completedFuture(Optional.of(own));
        }
        return lookUp(
                CERTIFICATES + name,
                text -> Optional.of(Certificate.parse(text, text)).filter(certificate -> certificate.fits(name)));
    }

    private <T> CompletableFuture<Optional<T>> lookUp(String value, Function<String, Optional<T>> read) {
        try {
            return CompletableFuture.supplyAsync(() -> find(value).flatMap(read), lookups)
                    .exceptionally(failure -> {
                        LOG.debug("{} in the store can't be used", value, failure);
                        return Optional.empty();
                    });
        } catch (RejectedExecutionException e) {
            LOG.debug("{} is not looked up: {} others are waiting, or it is being closed", value, WAITING);
            return CompletableFuture.completedFuture(Optional.empty());
        }
    }

    private Optional<String> find(String value) {
        try {
            return store.get(value)
                    .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                    .filter(text -> !isOver(text));
        } catch (IOException e) {
            LOG.debug("{} can't be read from the store", value, e);
            return Optional.empty();
        }
    }

    /** Removes the expired responses of replicas that died. */
    void sweep() throws IOException {
        for (String prefix : new String[] {FILES, CERTIFICATES}) {
            for (String value : store.names(prefix)) {
                Optional<byte[]> bytes = store.get(value);
                if (bytes.isPresent() && isOver(new String(bytes.get(), StandardCharsets.UTF_8))) {
                    store.remove(value);
                }
            }
        }
    }

    private boolean isOver(String text) {
        try {
            return !clock.instant().isBefore(Instant.parse(Header.get(text, UNTIL)));
        } catch (DateTimeException | IllegalArgumentException e) {
            return true; // damaged
        }
    }

    /** Hashed, because tokens are case-sensitive and names in the store are in lower case. */
    private static String file(String token) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII));
            return FILES + HexFormat.of().formatHex(hash);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a Java runtime without SHA-256", e);
        }
    }

    @Override
    public void close() {
        lookups.shutdownNow();
    }
}
