package io.millau.core;

import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The services that share the requests of one route; either all are running, or none. Immutable except for turns. */
final class Pool {

    /** The host and path that its services have in common. */
    final Route route;

    /** First the members with a share, then those of weight 0, on standby. */
    final Member[] members;

    /** The number of members with a share. If all have weight 0, all share. */
    final int sharing;

    /** Whether a service is sticky. */
    final boolean sticky;

    /** Whether a service redirects plain HTTP to HTTPS. */
    final boolean redirectToHttps;

    /** The CAs of client certificates; null if clients need none. */
    final @Nullable Set<X509Certificate> clientCa;

    private final boolean equalShares;
    private final AtomicInteger turn;

    Pool(Route route, List<Member> equals, AtomicInteger turn, @Nullable Set<X509Certificate> clientCa) {
        List<Member> shares = new ArrayList<>(equals.size());
        List<Member> standby = new ArrayList<>(0);
        boolean sameShares = true;
        boolean anySticky = false;
        boolean anyRedirect = false;
        for (Member member : equals) {
            anySticky |= member.service.sticky();
            anyRedirect |= member.service.redirectToHttps();
            if (member.service.weight() == 0) {
                standby.add(member);
            } else {
                shares.add(member);
                sameShares &= member.share == shares.get(0).share;
            }
        }
        this.route = route;
        this.sharing = shares.isEmpty() ? standby.size() : shares.size();
        shares.addAll(standby);
        this.members = shares.toArray(Member[]::new);
        this.equalShares = sameShares;
        this.sticky = anySticky;
        this.redirectToHttps = anyRedirect;
        this.clientCa = clientCa;
        this.turn = turn;
    }

    /** Whether its services were removed or disabled, so that they are only remembered for the metrics. */
    boolean removed() {
        for (Member member : members) {
            if (member.removedAt == null) {
                return false;
            }
        }
        return true;
    }

    /** Whether its services have running instances; either all have, or none. */
    boolean running() {
        return members[0].endpoints.length > 0;
    }

    /**
     * The index of the member whose turn it is, among those with an available endpoint; they share the load of the
     * others.
     */
    int next(long now) {
        int request = turn.getAndIncrement();
        int next = next(request, 0, sharing, now);
        if (next < 0) {
            next = next(request, sharing, members.length, now);
        }
        return next < 0 ? Math.floorMod(request, sharing) : next;
    }

    /**
     * Spreads each member's share evenly over as many requests as there are shares; for shares of 3 and 1: A B A A.
     *
     * @return -1 if no member is available
     */
    private int next(int request, int from, int to, long now) {
        int shares = 0;
        int available = 0;
        for (int i = from; i < to; i++) {
            if (members[i].available(now)) {
                shares += members[i].share;
                available++;
            }
        }
        if (available == 0) {
            return -1;
        }
        if (equalShares && available == to - from) {
            return from + Math.floorMod(request, available);
        }
        int left = Math.floorMod(request, shares); // the position among the remaining members' requests
        for (int i = from; i < to; i++) {
            int share = members[i].share;
            if (!members[i].available(now)) {
                continue;
            }
            if (share >= shares || (long) left * share % shares < share) {
                return i;
            }
            left -= (int) ((left - 1L) * share / shares) + 1; // skips this member's requests
            shares -= share;
        }
        return -1; // the last one was ejected meanwhile
    }

    /** One service of the pool. */
    static final class Member {
        final Service service;
        final EndpointState[] endpoints;
        final ServiceState state;
        final LoadBalancer balancer;
        final @Nullable Long removedAt;
        final int share;
        final int maxRequests;
        final long probeNanos;
        final long retryNanos;

        /** Whether its balancer may ask for recent times. */
        final boolean timed;

        /**
         * @param balancer chooses among the endpoints
         * @param removedAt when the service was removed; null if it is current
         */
        Member(
                Service service,
                EndpointState[] endpoints,
                ServiceState state,
                LoadBalancer balancer,
                @Nullable Long removedAt) {
            this.service = service;
            this.endpoints = endpoints;
            this.state = state;
            this.balancer = balancer;
            this.removedAt = removedAt;
            this.share = Math.max(1, service.weight());
            this.maxRequests = service.maxRequests();
            this.probeNanos = service.timeout().plusSeconds(1).toNanos();
            this.retryNanos = service.retry().toNanos();
            this.timed = Balance.needsTimes(balancer);
        }

        boolean limited() {
            return maxRequests != Integer.MAX_VALUE;
        }

        /** How many requests may wait: as many as there are places, and one for each place that is free this moment. */
        long mostWaiting() {
            long most = 0;
            for (EndpointState endpoint : endpoints) {
                most += 2L * maxRequests - Math.min(maxRequests, endpoint.openRequests.get());
            }
            return most;
        }

        boolean available(long now) {
            for (EndpointState endpoint : endpoints) {
                if (endpoint.health.available(now)) {
                    return true;
                }
            }
            return false;
        }
    }
}
