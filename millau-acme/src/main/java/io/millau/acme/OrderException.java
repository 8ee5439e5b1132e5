package io.millau.acme;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpTimeoutException;
import java.security.cert.CertPathBuilderException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.Problem;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.exception.AcmeLazyLoadingException;
import org.shredzone.acme4j.exception.AcmeNetworkException;
import org.shredzone.acme4j.exception.AcmeProtocolException;
import org.shredzone.acme4j.exception.AcmeRateLimitedException;
import org.shredzone.acme4j.exception.AcmeServerException;

/** An order failed. The message is for the operator. */
final class OrderException extends Exception {

    private static final long serialVersionUID = 1;

    private static final String ERROR = "urn:ietf:params:acme:error:"; // RFC 8555, 6.7

    /** Problems that another CA may not have with the name. */
    private static final Set<String> CA_SPECIFIC = Set.of(ERROR + "caa", ERROR + "rejectedIdentifier");

    /** What failed. */
    private enum Kind {
        /** A challenge, so the name couldn't be validated. */
        CHALLENGE,
        /** The CA rejected this order. */
        REJECTED,
        /** The CA or the store can't be used now. */
        OUTAGE
    }

    private final Kind kind;
    private final transient @Nullable Instant retryAfter;

    private OrderException(String message, Kind kind, @Nullable Instant retryAfter, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
        this.retryAfter = retryAfter;
    }

    /** The directory can't be used, for now or for this name. Another directory may work. */
    static OrderException atDirectory(String message) {
        return new OrderException(message, Kind.OUTAGE, null, null);
    }

    /** The store failed during an order. */
    static OrderException atStore(IOException failure) {
        return new OrderException("the store fails: " + LogMessages.of(failure), Kind.OUTAGE, null, failure);
    }

    /** The name couldn't be validated. The other type of challenge may work; another directory won't. */
    static OrderException challengeFailed(String message) {
        return new OrderException(message, Kind.CHALLENGE, null, null);
    }

    /**
     * The CA could not validate a challenge.
     *
     * @param question what the operator should check
     */
    static OrderException challengeFailed(ChallengeType type, Problem problem, String question) {
        String message = type + " failed: " + LogMessages.of(problem) + " (" + question + ")";
        Kind kind = CA_SPECIFIC.contains(problem.getType().toString()) ? Kind.REJECTED : Kind.CHALLENGE;
        return new OrderException(message, kind, null, null);
    }

    /** Returns this failure with the directory in the message. */
    OrderException at(Directory directory) {
        return new OrderException(directory + ": " + getMessage(), kind, retryAfter, this);
    }

    /** Combines two failures; the kind and the time to retry are those of the second. */
    OrderException and(OrderException next) {
        OrderException both =
                new OrderException(getMessage() + "; " + next.getMessage(), next.kind, next.retryAfter, this);
        both.addSuppressed(next);
        return both;
    }

    /** Converts exceptions of acme4j: the CA can't be reached, rejects an order, or sends invalid responses. */
    static OrderException of(Throwable failure) {
        if (failure instanceof OrderException known) {
            return known;
        }
        if (failure instanceof AcmeLazyLoadingException && failure.getCause() != null) {
            return of(failure.getCause());
        }
        if (failure instanceof AcmeRateLimitedException limited) {
            return retryLater(LogMessages.of(limited.getProblem()), limited.getRetryAfter(), failure);
        }
        if (failure instanceof AcmeServerException rejected) {
            return new OrderException(
                    "rejected the order: " + LogMessages.of(rejected.getProblem()), Kind.REJECTED, null, failure);
        }
        if (failure instanceof AcmeNetworkException && failure.getCause() instanceof IOException cause) {
            return of(cause);
        }
        if (failure instanceof LimitedConnection.RetryLaterException busy) {
            return retryLater(String.valueOf(busy.getMessage()), Optional.ofNullable(busy.retryAfter()), failure);
        }
        String advice = isUntrusted(failure) ? "; if its CA is not a public one, give that as ACME_CA" : "";
        return new OrderException(kind(failure) + ": " + LogMessages.of(failure) + advice, Kind.OUTAGE, null, failure);
    }

    /** Whether nobody who is trusted has signed the certificate of a directory. */
    private static boolean isUntrusted(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause)
                .anyMatch(CertPathBuilderException.class::isInstance);
    }

    private static OrderException retryLater(String reason, Optional<Instant> retryAfter, Throwable failure) {
        String until = retryAfter
                .map(at -> " (not before " + at.truncatedTo(ChronoUnit.SECONDS) + ")")
                .orElse("");
        return new OrderException(
                "asks to retry later: " + reason + until, Kind.OUTAGE, retryAfter.orElse(null), failure);
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

    /** Whether the CA reported a problem of that type (RFC 8555, 6.7). */
    static boolean isProblem(AcmeException failure, String kind) {
        return failure instanceof AcmeServerException problem
                && problem.getType().equals(URI.create(ERROR + kind));
    }

    /** Whether the name couldn't be validated, so that no other directory has to be tried. */
    boolean isChallengeFailed() {
        return kind == Kind.CHALLENGE;
    }

    /** Whether the CA rejected this order, but may accept others. */
    boolean isRejected() {
        return kind == Kind.REJECTED;
    }

    /** When the directory may be asked again; empty if unknown. */
    Optional<Instant> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
