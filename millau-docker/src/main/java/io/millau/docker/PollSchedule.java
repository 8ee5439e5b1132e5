package io.millau.docker;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Decides which Swarm services to poll, and when. Docker sends no event for the state of a task on another node, so a
 * manager has to be asked.
 *
 * <p>A service that changed is polled until all its tasks run: four times a second for ten seconds, then once a second
 * up to a minute. A service that isn't settled by then, such as one in a crash loop, waits for the next full read. Only
 * after it was settled for a minute can a suspicion without a change start this again. Pure: callers pass the time, in
 * nanoseconds of {@link System#nanoTime}.
 */
final class PollSchedule {

    private static final long FAST = Duration.ofMillis(250).toNanos();
    private static final long SLOW = Duration.ofSeconds(1).toNanos();
    private static final long FAST_POLL_TIME = Duration.ofSeconds(10).toNanos();
    private static final long MAX_POLL_TIME = Duration.ofSeconds(60).toNanos();

    /** How long a change may take to show in the tasks. Before that, settled tasks may be the old ones. */
    private static final long MIN_POLL_TIME = Duration.ofSeconds(3).toNanos();

    /** How long the manager may lag behind the event of a local container. */
    private static final long MANAGER_LAG = Duration.ofSeconds(1).toNanos();

    private static final long QUIET = Duration.ofSeconds(60).toNanos();

    static final long NEVER = Long.MAX_VALUE;

    private final Map<String, ServiceState> states = new HashMap<>();

    /** The polling state of one service. */
    private static final class ServiceState {
        long looked;
        long version;
        boolean settled;
        long settledSince;
        boolean followed;
        long followedSince;
        long lagUntil;
        Set<String> running = Set.of();

        void follow(long now) {
            followed = true;
            followedSince = now;
        }

        long interval(long now) {
            if (followed) {
                return now - followedSince < FAST_POLL_TIME ? FAST : SLOW;
            }
            return now - lagUntil < 0 ? FAST : NEVER;
        }

        long pause(long now) {
            long interval = interval(now);
            return interval == NEVER ? NEVER : Math.max(0, looked + interval - now);
        }
    }

    /** Call after each read of all services. */
    void looked(EngineView view, long now) {
        looked(view, service -> true, now);
    }

    /** Call after each read of some services. */
    void looked(EngineView view, Collection<String> serviceIds, long now) {
        looked(view, serviceIds::contains, now);
    }

    private void looked(EngineView view, Predicate<String> wasRead, long now) {
        Map<String, List<SwarmTask>> tasks = view.tasks().stream()
                .filter(task -> wasRead.test(task.serviceId()))
                .collect(Collectors.groupingBy(SwarmTask::serviceId));
        Set<String> there = new HashSet<>();
        for (SwarmService service : view.services()) {
            there.add(service.id());
            if (wasRead.test(service.id())) {
                update(service, tasks.getOrDefault(service.id(), List.of()), now);
            }
        }
        states.keySet().retainAll(there);
    }

    private void update(SwarmService service, List<SwarmTask> tasks, long now) {
        ServiceState state = states.get(service.id());
        boolean settled = settled(service, tasks);
        Set<String> running =
                tasks.stream().filter(SwarmTask::running).map(SwarmTask::id).collect(Collectors.toSet());
        if (state == null) {
            state = new ServiceState();
            states.put(service.id(), state);
            state.follow(now);
        } else if (state.version != service.version()) {
            state.follow(now);
        } else if (service.updating() && !state.running.equals(running)) {
            // A slow rolling update is polled as long as it makes progress.
            state.follow(now);
        } else if (!settled && quiet(state, now)) {
            state.follow(now);
        }
        state.looked = now;
        state.version = service.version();
        state.running = running;
        if (settled && !state.settled) {
            state.settledSince = now;
        }
        state.settled = settled;
        if (state.followed) {
            long age = now - state.followedSince;
            state.followed = age < MAX_POLL_TIME && !(settled && age >= MIN_POLL_TIME);
        }
    }

    private static boolean settled(SwarmService service, List<SwarmTask> tasks) {
        return !service.updating()
                && tasks.stream().allMatch(SwarmTask::running)
                && (service.replicas() == SwarmService.UNKNOWN || service.replicas() == tasks.size());
    }

    private static boolean quiet(ServiceState state, long now) {
        return !state.followed
                && state.settled
                && now - state.settledSince >= QUIET
                && now - state.followedSince >= QUIET;
    }

    /** A node was added, removed or drained: any service may change. */
    void nodesChanged(long now) {
        states.values().forEach(state -> state.follow(now));
    }

    /** A connection failed: polls the services that were settled for long. */
    void suspicious(long now) {
        states.values().stream().filter(state -> quiet(state, now)).forEach(state -> state.follow(now));
    }

    /** A local container of these services started, died or changed its health. */
    void heardOf(Collection<String> serviceIds, long now) {
        for (String id : serviceIds) {
            ServiceState state = states.get(id);
            if (state != null) {
                state.lagUntil = now + MANAGER_LAG;
            }
        }
    }

    /** The services to poll now. */
    Set<String> moving(long now) {
        return states.entrySet().stream()
                .filter(state -> state.getValue().interval(now) != NEVER)
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }

    /** How long to wait until the next poll, in nanoseconds; {@link #NEVER} if no service is changing. */
    long pause(long now) {
        return states.values().stream()
                .mapToLong(state -> state.pause(now))
                .min()
                .orElse(NEVER);
    }
}
