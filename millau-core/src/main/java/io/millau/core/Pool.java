package io.millau.core;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The equally good services of one route, those with nothing running apart from those that run. Immutable but for turns. */
final class Pool {

    final Member[] members;
    final AtomicInteger turn;

    Pool(Member[] members, AtomicInteger turn) {
        this.members = members;
        this.turn = turn;
    }

    /** Whether its services run; all of them do, or none. */
    boolean running() {
        return members[0].targets.length > 0;
    }

    /** One service of the pool. */
    static final class Member {
        final Service service;
        final Target[] targets;
        final AtomicInteger turn;
        final @Nullable Long removedAt;
        final long probeNanos;

        /** @param removedAt when the service was removed, if it is only remembered */
        Member(Service service, Target[] targets, AtomicInteger turn, @Nullable Long removedAt) {
            this.service = service;
            this.targets = targets;
            this.turn = turn;
            this.removedAt = removedAt;
            this.probeNanos = service.timeout().plusSeconds(1).toNanos();
        }
    }
}
