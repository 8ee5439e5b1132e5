package io.millau.core;

import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The equally good services of one route, those with nothing running apart from those that run. Immutable but for turns. */
final class Pool {

    /** What its services have in common. */
    final Route route;

    /** Those that have a share, then those of weight 0, which stand by. */
    final Member[] members;

    /** How many have a share: where no weight says otherwise, all. */
    final int sharing;

    /** Whether one of its services keeps clients at their endpoints. */
    final boolean sticky;

    /** Whether one of its services sends requests over plain HTTP to HTTPS. */
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

    /** Whether its services run; all of them do, or none. */
    boolean running() {
        return members[0].endpoints.length > 0;
    }

    /** The member whose turn it is, among those with an endpoint in rotation, so that these share the others' load. */
    int next(long now) {
        int request = turn.getAndIncrement();
        int next = next(request, 0, sharing, now);
        if (next < 0) {
            next = next(request, sharing, members.length, now);
        }
        return next < 0 ? Math.floorMod(request, sharing) : next;
    }

    /** Of as many requests in a row as there are shares each member gets its share, evenly spread: of 3 to 1, A B A A. */
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
        int left = Math.floorMod(request, shares); // of the requests for those that are left
        for (int i = from; i < to; i++) {
            int share = members[i].share;
            if (!members[i].available(now)) {
                continue;
            }
            if (share >= shares || (long) left * share % shares < share) {
                return i;
            }
            left -= (int) ((left - 1L) * share / shares) + 1; // without those that this one gets
            shares -= share;
        }
        return -1; // the last one was ejected in this moment
    }

    /** One service of the pool. */
    static final class Member {
        final Service service;
        final EndpointState[] endpoints;
        final ServiceState state;
        final LoadBalancer balancer;
        final @Nullable Long removedAt;
        final int share;
        final long probeNanos;
        final long retryNanos;

        /**
         * @param balancer for services that don't have their own
         * @param removedAt when the service was removed, if it is only remembered
         */
        Member(
                Service service,
                EndpointState[] endpoints,
                ServiceState state,
                LoadBalancer balancer,
                @Nullable Long removedAt) {
            LoadBalancer own = service.balancer();
            this.service = service;
            this.endpoints = endpoints;
            this.state = state;
            this.balancer = own == null ? balancer : own;
            this.removedAt = removedAt;
            this.share = Math.max(1, service.weight());
            this.probeNanos = service.timeout().plusSeconds(1).toNanos();
            this.retryNanos = service.retry().toNanos();
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
