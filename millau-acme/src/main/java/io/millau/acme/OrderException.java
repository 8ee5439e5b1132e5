package io.millau.acme;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpTimeoutException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.Problem;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.exception.AcmeLazyLoadingException;
import org.shredzone.acme4j.exception.AcmeNetworkException;
import org.shredzone.acme4j.exception.AcmeProtocolException;
import org.shredzone.acme4j.exception.AcmeRateLimitedException;
import org.shredzone.acme4j.exception.AcmeServerException;

/** Why an order came to nothing; the message says it to the operator. */
final class OrderException extends Exception {

    private static final long serialVersionUID = 1;

    private static final String ERROR = "urn:ietf:params:acme:error:"; // RFC 8555, 6.7

    /** What one CA says of a name that another CA may see differently. */
    private static final Set<String> OPINIONS = Set.of(ERROR + "caa", ERROR + "rejectedIdentifier");

    /** Whose fault it is. */
    private enum Kind {
        /** The name couldn't be proved. */
        CHALLENGE,
        /** The CA doesn't want this order. */
        REFUSAL,
        /** Nobody could be served now. */
        OUTAGE
    }

    private final Kind kind;
    private final transient @Nullable Instant retryAfter;

    private OrderException(String message, Kind kind, @Nullable Instant retryAfter, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
        this.retryAfter = retryAfter;
    }

    /** The directory can't be used, or not now, or not for this name: another one may do. */
    static OrderException atDirectory(String message) {
        return new OrderException(message, Kind.OUTAGE, null, null);
    }

    /** The store failed while the CA was at work. */
    static OrderException atStore(IOException failure) {
        return new OrderException("the store fails: " + LogMessages.of(failure), Kind.OUTAGE, null, failure);
    }

    /** The name couldn't be proved, which is its own fault: another way to prove it may do, another directory won't. */
    static OrderException challengeFailed(String message) {
        return new OrderException(message, Kind.CHALLENGE, null, null);
    }

    /** The CA could not validate a challenge. */
    static OrderException challengeFailed(String name, ChallengeType type, Problem problem) {
        String message = type + " failed: " + LogMessages.of(problem) + " (" + type.question(name) + ")";
        Kind kind = OPINIONS.contains(problem.getType().toString()) ? Kind.REFUSAL : Kind.CHALLENGE;
        return new OrderException(message, kind, null, null);
    }

    /** The same, said of a directory. */
    OrderException at(Directory directory) {
        return new OrderException(directory + ": " + getMessage(), kind, retryAfter, this);
    }

    /** Two failures as one, of the second one's kind. */
    OrderException and(OrderException next) {
        OrderException both = new OrderException(getMessage() + "; " + next.getMessage(), next.kind, null, this);
        both.addSuppressed(next);
        return both;
    }

    /** What acme4j throws when a CA is away, refuses, or talks nonsense. */
    static OrderException of(Throwable failure) {
        if (failure instanceof OrderException known) {
            return known;
        }
        if (failure instanceof AcmeLazyLoadingException && failure.getCause() != null) {
            return of(failure.getCause());
        }
        if (failure instanceof AcmeRateLimitedException limited) {
            return turnedAway(LogMessages.of(limited.getProblem()), limited.getRetryAfter(), failure);
        }
        if (failure instanceof AcmeServerException refused) {
            return new OrderException("refuses: " + LogMessages.of(refused.getProblem()), Kind.REFUSAL, null, failure);
        }
        if (failure instanceof AcmeNetworkException && failure.getCause() instanceof IOException cause) {
            return of(cause);
        }
        if (failure instanceof LimitedConnection.TurnedAwayException busy) {
            return turnedAway(String.valueOf(busy.getMessage()), Optional.ofNullable(busy.retryAfter()), failure);
        }
        return new OrderException(kind(failure) + ": " + LogMessages.of(failure), Kind.OUTAGE, null, failure);
    }

    private static OrderException turnedAway(String reason, Optional<Instant> retryAfter, Throwable failure) {
        String until = retryAfter
                .map(at -> " (not before " + at.truncatedTo(ChronoUnit.SECONDS) + ")")
                .orElse("");
        return new OrderException("turns us away: " + reason + until, Kind.OUTAGE, retryAfter.orElse(null), failure);
    }

    private static String kind(Throwable failure) {
        if (failure instanceof HttpTimeoutException) {
            return "hangs";
        }
        if (failure instanceof IOException) {
            return "can't be reached";
        }
        return failure instanceof AcmeProtocolException || failure instanceof RuntimeException
                ? "can't be understood (is it an ACME directory?)"
                : "fails";
    }

    /** Whether a failure is a refusal of that kind (RFC 8555, 6.7). */
    static boolean isRefusal(AcmeException failure, String kind) {
        return failure instanceof AcmeServerException refusal
                && refusal.getType().equals(URI.create(ERROR + kind));
    }

    /** Whether the name couldn't be proved, so that no other directory has to be tried. */
    boolean isChallengeFailed() {
        return kind == Kind.CHALLENGE;
    }

    /** Whether the CA refuses this order, and may take others. */
    boolean isRefusal() {
        return kind == Kind.REFUSAL;
    }

    /** Before when the directory doesn't want to hear of this again. */
    Optional<Instant> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
