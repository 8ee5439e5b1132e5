package io.millau.core;

import java.security.cert.X509Certificate;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The attempts of one request. For one thread at a time; no I/O, no locks.
 *
 * <p>The caller owns the loop: {@link #next} names the endpoint to try, {@link #report} takes how that ended and says
 * whether to try again, {@link #close} ends it all.
 */
public final class Delivery {

    /** How long an endpoint is ejected that may not listen yet. */
    private static final long STARTING_RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long NANOS_A_SECOND = TimeUnit.SECONDS.toNanos(1);

    private final Pool pool;
    private final String method;
    private final RetryPolicy retryPolicy;
    private final Ticker ticker;

    private final EndpointPicker picker;

    private boolean open;
    private boolean delivered;
    private boolean chanceLeft;
    private boolean costsRetry;
    private boolean seen;
    private boolean policyAllows;
    private boolean outOfRetries;
    private boolean broughtBack;
    private boolean tookOut;
    private int attempts;
    private int failedAttempts;
    private int timedOut;

    Delivery(Pool pool, String method, RetryPolicy retryPolicy, Ticker ticker) {
        this.pool = pool;
        this.method = method;
        this.retryPolicy = retryPolicy;
        this.ticker = ticker;
        this.picker = new EndpointPicker(pool, method, retryPolicy);
    }

    /** The same request goes on with this one: it counts once. */
    public void continues(Delivery before) {
        picker.continues(before.picker);
        attempts = before.attempts;
    }

    /** Whether the request's service has an instance that runs. */
    public boolean running() {
        return pool.running();
    }

    /** Whether the request may be sent again if its connection breaks: whether to keep its body, and to take no risk. */
    public boolean retryable() {
        return picker.mayBeRetried(service());
    }

    /** Whether a service of the request keeps its clients at their endpoints: whether to ask for {@link #prefer}. */
    public boolean sticky() {
        return pool.sticky;
    }

    /**
     * Asks for the endpoint of a {@link #token} that the client showed: it is the first to be tried, if it is in rotation. To
     * be called before {@link #next}.
     *
     * @return whether there is such an endpoint
     */
    public boolean prefer(String token) {
        return picker.prefer(token);
    }

    /** What a client has to show to come back to the endpoint that {@link #next} named; null if it need not. */
    public @Nullable String token() {
        EndpointState current = picker.picked;
        return current == null || !service().sticky() ? null : current.token();
    }

    /** Whether the request is to come over HTTPS: a service of it says so. */
    public boolean redirectToHttps() {
        return pool.redirectToHttps;
    }

    /**
     * The CAs of client certificates for the host that its services were found by; see {@link Router#clientCa}.
     *
     * @return null if clients need no certificate
     */
    public @Nullable Set<X509Certificate> clientCa() {
        return pool.clientCa;
    }

    /** What the request was found by. */
    public Route route() {
        return pool.route;
    }

    /** How many attempts were begun, the one in progress too. */
    public int attempts() {
        return attempts;
    }

    /** The service tried last; before the first attempt, the one that would have been. */
    public Service service() {
        Pool.Member member = picker.member;
        return (member == null ? pool.members[0] : member).service;
    }

    /**
     * The endpoint to try next: of the equally good services by weight, one in rotation that was not tried yet, rather not
     * one that just recovered; where none is left, one that is out of rotation. The same again after {@link
     * Outcome#STALE_CONNECTION} or {@link Outcome#NOT_PROCESSED}, once.
     *
     * @return null if every endpoint was tried
     */
    public @Nullable Endpoint next() {
        Pool.Member failed = picker.member;
        if (!chanceLeft) {
            picker.pick(ticker.nanoTime());
        }
        chanceLeft = false;
        EndpointState next = picker.picked;
        if (next == null) {
            return null;
        }
        if (costsRetry && failed != null) {
            failed.state.spendRetry();
        }
        next.openRequests.getAndIncrement();
        open = true;
        attempts++;
        return next.endpoint;
    }

    /**
     * Takes the outcome of the attempt at the endpoint that {@link #next} named. A response that breaks after its head was
     * reported as {@link Outcome#DELIVERED} is reported again, as {@link Outcome#BROKEN}.
     *
     * @return whether the request may be retried: whether to call {@link #next} again
     */
    public boolean report(Outcome outcome) {
        return report(outcome, outcome.toString());
    }

    /**
     * The same with the reason of a failure.
     *
     * @param reason for people
     */
    public boolean report(Outcome outcome, String reason) {
        EndpointState reported = picker.picked;
        Pool.Member of = picker.member;
        if (reported == null || of == null) {
            throw new IllegalStateException("there is no attempt to report on");
        }
        if (outcome == Outcome.DELIVERED) {
            delivered = true;
            if (picker.entry != Health.Entry.USUAL) {
                picker.entry = Health.Entry.USUAL;
                long now = ticker.nanoTime();
                broughtBack = reported.health.recover(now, of.retryNanos > 0 && !reported.starting(now));
            }
            reported.prove();
            return false;
        }
        long now = ticker.nanoTime();
        tookOut = false;
        leave(reported);
        boolean again = mayRetry(reported, of, outcome, now);
        if (outcome.endpointFailed()) {
            picker.entry = Health.Entry.USUAL;
            boolean refused = outcome == Outcome.UNREACHABLE;
            boolean starts = refused && reported.starting(now);
            long ejectionNanos = starts ? Math.min(of.retryNanos, STARTING_RETRY_NANOS) : of.retryNanos;
            tookOut = reported.health.eject(now, now + ejectionNanos, refused, reason);
        } else if (!again || !chanceLeft) {
            releaseProbe(reported, now);
        }
        return again;
    }

    private boolean mayRetry(EndpointState reported, Pool.Member of, Outcome outcome, long now) {
        boolean isFirst = picker.addTried(reported);
        failedAttempts++;
        if (outcome == Outcome.TIMED_OUT) {
            timedOut++;
        }
        chanceLeft = (outcome == Outcome.STALE_CONNECTION || outcome == Outcome.NOT_PROCESSED) && isFirst;
        costsRetry = outcome.mayHaveBeenSeen();
        seen |= costsRetry;
        policyAllows =
                !delivered && retryPolicy.mayRetry(new Attempt(method, of.service, outcome, failedAttempts, timedOut));
        if (!policyAllows || !chanceLeft && !picker.isAnyLeft()) {
            return false;
        }
        outOfRetries = costsRetry && !of.state.allowsRetry(now);
        return !outOfRetries;
    }

    /**
     * Whether it is worth to open the request anew in a moment, now that nothing is left to be tried: no endpoint has seen
     * it, and one that refused it joined so recently that it may be about to listen.
     */
    public boolean worthWaiting() {
        if (seen || !policyAllows) {
            return false;
        }
        return picker.triedOneThatStarts(ticker.nanoTime());
    }

    /**
     * When a client whose request failed may come again with a better chance: seconds until the first endpoint is probed, where
     * all are ejected.
     *
     * @return 0 if that isn't known, or one is in rotation
     */
    public long retryAfterSeconds() {
        long now = ticker.nanoTime();
        long soonest = Long.MAX_VALUE;
        for (Pool.Member of : pool.members) {
            for (EndpointState endpoint : of.endpoints) {
                long nanos = endpoint.health.nanosUntilProbe(now);
                if (nanos >= 0) {
                    soonest = Math.min(soonest, nanos);
                }
            }
        }
        return soonest == Long.MAX_VALUE ? 0 : (soonest + NANOS_A_SECOND - 1) / NANOS_A_SECOND;
    }

    /** Whether the failure that was reported last took its endpoint out of rotation. */
    public boolean tookOut() {
        return tookOut;
    }

    /** Whether the response brought its endpoint back into rotation. */
    public boolean broughtBack() {
        return broughtBack;
    }

    /** Whether the request is not retried because its service has used up its retry budget. */
    public boolean isOutOfRetries() {
        return outOfRetries;
    }

    /** Ends the request; further calls have no effect. */
    public void close() {
        EndpointState current = picker.picked;
        if (current != null) {
            leave(current);
            if (picker.entry == Health.Entry.PROBE) {
                releaseProbe(current, ticker.nanoTime());
            }
        }
    }

    /** Who was to find out whether the endpoint is back did not. */
    private void releaseProbe(EndpointState probed, long now) {
        if (picker.entry == Health.Entry.PROBE) {
            picker.entry = Health.Entry.USUAL;
            probed.health.release(now);
        }
    }

    private void leave(EndpointState left) {
        if (open) {
            open = false;
            left.openRequests.getAndDecrement();
        }
    }
}
