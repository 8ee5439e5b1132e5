package io.millau.core;

import java.security.cert.X509Certificate;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The attempts of one request. For one thread at a time. Does no I/O and takes no locks.
 *
 * <p>The caller runs the loop: {@link #next} names the endpoint to try, {@link #report} takes the outcome and tells
 * whether to call {@link #next} again. Call {@link #close} at the end in any case. {@link #continues} and {@link
 * #prefer} come before the first {@link #next}.
 *
 * <pre>{@code
 * Router router = new Router();
 * router.replace(List.of(Service.named("app").endpoints(endpoint).build()));
 * Delivery delivery = router.open("shop.example", "/", "GET"); // null if no service matches
 * boolean isToBeTried = true;
 * while (isToBeTried) {
 *     Endpoint next = delivery.next();
 *     if (next == null) {
 *         break; // a 502
 *     }
 *     try (Socket connection = new Socket(next.address(), next.port())) {
 *         // ... send the request and pass on the response
 *         delivery.report(Outcome.DELIVERED);
 *         isToBeTried = false;
 *     } catch (ConnectException e) {
 *         isToBeTried = delivery.report(Outcome.UNREACHABLE, e.getMessage());
 *     }
 * }
 * delivery.close();
 * }</pre>
 */
public final class Delivery {

    /** How long an endpoint is ejected that may still be starting. */
    private static final long STARTING_RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long NANOS_A_SECOND = TimeUnit.SECONDS.toNanos(1);

    /** From here, a status tells that the server failed (RFC 9110, 15.6). */
    private static final int FIRST_SERVER_ERROR = 500;

    private final Pool pool;
    private final Request request;
    private final RetryPolicy retryPolicy;
    private final Ticker ticker;
    private final AtomicBoolean ejecting;

    private final EndpointPicker picker;

    /** Its place in a line; null while it doesn't wait. */
    private WaitingLine.@Nullable Waiter waiter;

    private boolean open;
    private boolean delivered;
    private boolean sameAgain;
    private boolean costsRetry;
    private boolean seen;
    private boolean policyAllows;
    private boolean outOfRetries;
    private boolean returned;
    private boolean ejected;
    private int attempts;
    private int failedAttempts;
    private int timedOut;
    private int broken;

    /** @param ejecting shared by all requests: held while one of them ejects an endpoint for a failed response */
    Delivery(Pool pool, Request request, RetryPolicy retryPolicy, Ticker ticker, AtomicBoolean ejecting) {
        this.pool = pool;
        this.request = request;
        this.retryPolicy = retryPolicy;
        this.ticker = ticker;
        this.ejecting = ejecting;
        this.picker = new EndpointPicker(pool, request, retryPolicy);
    }

    /** Marks this as a continuation of the same request, so that it is counted once. */
    public void continues(Delivery before) {
        picker.continues(before.picker);
        attempts = before.attempts;
    }

    /**
     * Marks this as a continuation of the same request, which waits for a place and keeps that: the services may have
     * changed. Endpoints that were tried are not tried again.
     */
    public void resumes(Delivery before) {
        continues(before);
        picker.resumes(before.picker, before.sameAgain);
        waiter = before.waiter;
        before.waiter = null;
        costsRetry = before.costsRetry;
        seen = before.seen;
        policyAllows = before.policyAllows;
        failedAttempts = before.failedAttempts;
        timedOut = before.timedOut;
        broken = before.broken;
    }

    /** Whether another delivery has the same services, in the same snapshot. */
    public boolean hasSameServices(Delivery other) {
        return pool == other.pool;
    }

    /** Whether a service of the request has a running instance. */
    public boolean running() {
        return pool.running();
    }

    /** Whether the services of the request were removed or disabled, so that they are only remembered for the metrics. */
    public boolean removed() {
        return pool.removed();
    }

    /** Whether the request may be retried although an endpoint may have seen it. If so, keep its body for that. */
    public boolean retryable() {
        return picker.mayBeRetried(service());
    }

    /** Whether a service of the request is sticky, so that {@link #prefer} should be called. */
    public boolean sticky() {
        return pool.sticky;
    }

    /**
     * Prefers the endpoint with the {@link #token} that the client sent. It is tried first if it is in rotation. Call
     * before the first {@link #next}.
     *
     * @return whether there is such an endpoint
     */
    public boolean prefer(String token) {
        return picker.prefer(token);
    }

    /**
     * The token by which the client can return to the endpoint that {@link #next} named; null if its service isn't
     * sticky.
     */
    public @Nullable String token() {
        EndpointState current = picker.picked;
        return current == null || !service().sticky() ? null : current.token();
    }

    /** Whether a service of the request requires HTTPS. */
    public boolean redirectToHttps() {
        return pool.redirectToHttps;
    }

    /**
     * The CAs of client certificates for the request's host; see {@link Router#clientCa}.
     *
     * @return null if clients need no certificate
     */
    public @Nullable Set<X509Certificate> clientCa() {
        return pool.clientCa;
    }

    /** The route that the request matched. */
    public Route route() {
        return pool.route;
    }

    /** The number of attempts so far, including one in progress. */
    public int attempts() {
        return attempts;
    }

    /** The service tried last; before the first attempt, a service of the route. */
    public Service service() {
        Pool.Member member = picker.member;
        return (member == null ? pool.members[0] : member).service;
    }

    /**
     * Starts an attempt and returns its endpoint. Services are chosen by weight. Endpoints in rotation that were not
     * tried yet come first, recovering ones last among them; then those out of rotation. After {@link
     * Outcome#STALE_CONNECTION} or {@link Outcome#NOT_PROCESSED} it returns the same endpoint again, once.
     *
     * @return null if every endpoint was tried, or if the request has to wait for a place: see {@link #full}
     */
    public @Nullable Endpoint next() {
        Pool.Member failed = picker.member;
        if (waiter != null) {
            waiter.looks();
        }
        if (!sameAgain) {
            picker.pick(ticker.nanoTime());
        } else if (failed != null && failed.limited()) {
            picker.full = picker.takePlace(Objects.requireNonNull(picker.picked), failed) ? null : failed;
        }
        if (picker.full != null && (sameAgain || picker.picked == null)) {
            if (waiter != null) {
                waiter.stays();
            }
            return null;
        }
        stopWaiting();
        picker.full = null;
        sameAgain = false;
        EndpointState next = picker.picked;
        Pool.Member of = picker.member;
        if (next == null || of == null) {
            return null;
        }
        if (costsRetry && failed != null) {
            failed.state.spendRetry();
        }
        if (!of.limited()) {
            next.openRequests.getAndIncrement();
        }
        open = true;
        attempts++;
        return next.endpoint;
    }

    /**
     * Whether {@link #next} found no endpoint because those that are left have as many requests in progress as their
     * service allows: see {@link #await}.
     */
    public boolean full() {
        return picker.full != null;
    }

    /**
     * Waits for a place after {@link #full}, in the line of a service that is full. Call {@link #next} when woken if
     * {@link #isFirst}, and call this again if it is full still.
     *
     * @param wake called by any thread when a place may be free, perhaps without need; must not block
     * @return false if as many requests wait as there are places
     */
    public boolean await(Runnable wake) {
        WaitingLine.Waiter waiting = waiter;
        if (waiting != null) {
            for (Pool.Member member : pool.members) {
                if (member.state.line == waiting.line) {
                    return true;
                }
            }
            stopWaiting(); // its service was removed, and another one is full
        }
        Pool.Member full = Objects.requireNonNull(picker.full, "await without full");
        waiter = full.state.line.join(wake, full::mostWaiting);
        picker.waits = waiter != null;
        return picker.waits;
    }

    /** Whether the request waits, and no other is before it in its line. */
    public boolean isFirst() {
        return waiter != null && waiter.isFirst();
    }

    /** Leaves the line of {@link #await}, if the request waits. */
    public void stopWaiting() {
        WaitingLine.Waiter left = waiter;
        if (left != null) {
            waiter = null;
            picker.waits = false;
            left.leave();
        }
    }

    /** The service of whose limit {@link #full} tells. */
    public Service fullService() {
        Pool.Member full = picker.full;
        return full == null ? service() : full.service;
    }

    /**
     * Ends the attempt that {@link #next} started. If a response breaks after it was reported as {@link
     * Outcome#DELIVERED}, report {@link Outcome#BROKEN} for it as well.
     *
     * @return whether the request may be retried: whether to call {@link #next} again
     * @throws IllegalStateException if no attempt was started
     */
    public boolean report(Outcome outcome) {
        return report(outcome, outcome.toString());
    }

    /**
     * As {@link #report(Outcome)}, with the reason of a failure.
     *
     * @param reason a short text for logs and the status page
     */
    public boolean report(Outcome outcome, String reason) {
        EndpointState reported = picker.picked;
        Pool.Member of = picker.member;
        if (reported == null || of == null) {
            throw new IllegalStateException("report without an attempt: call next first");
        }
        if (outcome == Outcome.DELIVERED) {
            delivered = true;
            responded(reported, of);
            return false;
        }
        long now = ticker.nanoTime();
        ejected = false;
        leave(reported);
        boolean again = mayRetry(reported, of, outcome, 0, now);
        if (outcome.endpointFailed()) {
            picker.entry = Health.Entry.USUAL;
            boolean refused = outcome == Outcome.UNREACHABLE;
            boolean starts = refused && reported.starting(now);
            long ejectionNanos = starts ? Math.min(of.retryNanos, STARTING_RETRY_NANOS) : of.retryNanos;
            long until = now + ejectionNanos;
            if (refused || reported.health.ejected()) {
                ejected = reported.health.eject(now, until, refused, reason);
            } else if (mayEject(of) && ejecting.compareAndSet(false, true)) {
                // Another thread may have ejected one meanwhile. While one does, this failure is let go: nobody waits.
                try {
                    ejected = mayEject(of) && reported.health.eject(now, until, false, reason);
                } finally {
                    ejecting.set(false);
                }
            }
        } else if (!again || !sameAgain) {
            releaseProbe(reported, now);
        }
        return again;
    }

    /**
     * Takes the time until the head of a response, for balancers that ask for it ({@link
     * LoadBalancer.Candidates#recentNanos}).
     *
     * @param nanos since the attempt began, or since the request was sent completely
     */
    public void responded(int status, long nanos) {
        EndpointState by = picker.picked;
        Pool.Member of = picker.member;
        if (by == null || of == null || !of.timed) {
            return;
        }
        if (status < FIRST_SERVER_ERROR) {
            by.recentTime.add(nanos, ticker.nanoTime());
        } else {
            by.recentTime.addFailure(nanos, ticker.nanoTime());
        }
    }

    /** Ends the attempt that {@link #next} started as if there had been none: nothing was sent to its endpoint. */
    public void withdraw() {
        report(Outcome.CLIENT_GONE);
        attempts--;
    }

    /** Whether the retry policy counts a response with this status as a failure: whether to ask {@link #giveUp}. */
    public boolean isFailure(int status) {
        return retryPolicy.isFailure(status);
    }

    /**
     * Ends the attempt that {@link #next} started, in place of {@link #report}, if the request may be retried in place of
     * a response with this status.
     *
     * @return whether to give the response up and to call {@link #next} again; if not, pass the response on and report it
     * @throws IllegalStateException if no attempt was started
     */
    public boolean giveUp(int status) {
        EndpointState reported = picker.picked;
        Pool.Member of = picker.member;
        if (reported == null || of == null) {
            throw new IllegalStateException("giveUp without an attempt: call next first");
        }
        ejected = false;
        outOfRetries = false;
        if (!mayRetry(reported, of, Outcome.FAILURE_STATUS, status, ticker.nanoTime())) {
            return false;
        }
        leave(reported);
        responded(reported, of);
        return true;
    }

    private void responded(EndpointState reported, Pool.Member of) {
        returned = false;
        if (picker.entry != Health.Entry.USUAL) {
            picker.entry = Health.Entry.USUAL;
            long now = ticker.nanoTime();
            returned = reported.health.recover(now, of.retryNanos > 0 && !reported.starting(now));
            reported.wakeWaiting();
        }
        reported.prove();
    }

    /**
     * Whether a failed response may take an endpoint out of rotation. Not the second one of a request that fails
     * everywhere, and not if half of the service is out already: then it is more likely the request or what the service depends on
     * than the endpoint.
     */
    private boolean mayEject(Pool.Member of) {
        if (timedOut + broken > 1) {
            return false;
        }
        int out = 0;
        for (EndpointState endpoint : of.endpoints) {
            out += endpoint.health.ejected() ? 1 : 0;
        }
        return out < Math.max(1, of.endpoints.length / 2);
    }

    private boolean mayRetry(EndpointState reported, Pool.Member of, Outcome outcome, int status, long now) {
        boolean isFirst = picker.addTried(reported);
        failedAttempts++;
        if (outcome == Outcome.TIMED_OUT) {
            timedOut++;
        } else if (outcome == Outcome.BROKEN) {
            broken++;
        }
        sameAgain = (outcome == Outcome.STALE_CONNECTION || outcome == Outcome.NOT_PROCESSED) && isFirst;
        costsRetry = outcome.mayHaveBeenProcessed();
        seen |= costsRetry;
        policyAllows = !delivered
                && outcome != Outcome.CLIENT_GONE
                && retryPolicy.mayRetry(new FailedAttempt(
                        request, of.service, reported.endpoint, outcome, status, failedAttempts, timedOut));
        if (!policyAllows || !sameAgain && !picker.isAnyLeft()) {
            return false;
        }
        outOfRetries = costsRetry && !of.state.allowsRetry(now);
        return !outOfRetries;
    }

    /**
     * Whether to open the request again after a short wait, when {@link #next} has no endpoint left: no endpoint can
     * have seen the request, and one that refused the connection joined so recently that it may still be starting.
     */
    public boolean mayReopen() {
        if (seen || !policyAllows) {
            return false;
        }
        return picker.triedStarting(ticker.nanoTime());
    }

    /**
     * The value for Retry-After: seconds until the first endpoint may be probed, if all are ejected.
     *
     * @return 0 if that is unknown, or if an endpoint is in rotation
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

    /** Whether the last reported failure took its endpoint out of rotation. */
    public boolean hasEjected() {
        return ejected;
    }

    /** Whether the reported response brought its endpoint back into rotation. */
    public boolean hasRestored() {
        return returned;
    }

    /** Whether the request isn't retried because the retry budget of its service is exhausted. */
    public boolean isOutOfRetries() {
        return outOfRetries;
    }

    /** Ends the request; further calls have no effect. */
    public void close() {
        stopWaiting();
        EndpointState current = picker.picked;
        if (current != null) {
            leave(current);
            if (picker.entry == Health.Entry.PROBE) {
                releaseProbe(current, ticker.nanoTime());
            }
        }
    }

    /** A probe ended without a result: another request may probe the endpoint. */
    private void releaseProbe(EndpointState probed, long now) {
        if (picker.entry == Health.Entry.PROBE) {
            picker.entry = Health.Entry.USUAL;
            probed.health.release(now);
        }
    }

    private void leave(EndpointState left) {
        if (open) {
            open = false;
            left.leave();
        }
    }
}
