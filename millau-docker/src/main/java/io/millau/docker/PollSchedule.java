package io.millau.docker;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which Swarm services move, and when to look at their tasks next: the state of a task on another node is no event, so a
 * manager has to be asked.
 *
 * <p>A service that changed is followed until every task is where it should be: four times a second for ten seconds,
 * once a second up to a minute. What then still isn't there, a crash loop for instance, has to wait for the next look at
 * everything; only after a quiet minute a sign of trouble without a change starts this again. Pure: time comes in.
 */
final class PollSchedule {

    private static final long OFTEN = Duration.ofMillis(250).toNanos();
    private static final long SELDOM = Duration.ofSeconds(1).toNanos();
    private static final long OFTEN_UNTIL = Duration.ofSeconds(10).toNanos();
    private static final long UNTIL = Duration.ofSeconds(60).toNanos();

    /** How long a change may take to show in the tasks: until then all being well proves nothing. */
    private static final long AT_LEAST = Duration.ofSeconds(3).toNanos();

    /** How long the manager may take to learn of what a container's event has told us already. */
    private static final long ECHO = Duration.ofSeconds(1).toNanos();

    private static final long QUIET = Duration.ofSeconds(60).toNanos();

    static final long NEVER = Long.MAX_VALUE;

    private final Map<String, Course> courses = new HashMap<>();
    private long looked;

    /** What is known of one service's movements. */
    private static final class Course {
        long version;
        boolean settled;
        long settledSince;
        boolean followed;
        long followedSince;
        long echoUntil;
        Set<String> running = Set.of();

        void follow(long now) {
            followed = true;
            followedSince = now;
        }

        long interval(long now) {
            if (followed) {
                return now - followedSince < OFTEN_UNTIL ? OFTEN : SELDOM;
            }
            return now - echoUntil < 0 ? OFTEN : NEVER;
        }
    }

    /** Notes what a look has shown: of every service, or of those that move. */
    void looked(EngineView view, long now) {
        looked = now;
        Map<String, List<SwarmTask>> tasks = view.tasks().stream().collect(Collectors.groupingBy(SwarmTask::serviceId));
        Set<String> there = new HashSet<>();
        for (SwarmService service : view.services()) {
            there.add(service.id());
            update(service, tasks.getOrDefault(service.id(), List.of()), now);
        }
        courses.keySet().retainAll(there);
    }

    private void update(SwarmService service, List<SwarmTask> tasks, long now) {
        Course course = courses.get(service.id());
        boolean settled = settled(service, tasks);
        Set<String> running =
                tasks.stream().filter(SwarmTask::running).map(SwarmTask::id).collect(Collectors.toSet());
        if (course == null) {
            course = new Course();
            courses.put(service.id(), course);
            course.follow(now);
        } else if (course.version != service.version()) {
            course.follow(now);
        } else if (service.updating() && !course.running.equals(running)) {
            // A slow rolling update is no crash loop as long as it gets on.
            course.follow(now);
        } else if (!settled && quiet(course, now)) {
            course.follow(now);
        }
        course.version = service.version();
        course.running = running;
        if (settled && !course.settled) {
            course.settledSince = now;
        }
        course.settled = settled;
        if (course.followed) {
            long age = now - course.followedSince;
            course.followed = age < UNTIL && !(settled && age >= AT_LEAST);
        }
    }

    private static boolean settled(SwarmService service, List<SwarmTask> tasks) {
        return !service.updating()
                && tasks.stream().allMatch(SwarmTask::running)
                && (service.replicas() == SwarmService.UNKNOWN || service.replicas() == tasks.size());
    }

    private static boolean quiet(Course course, long now) {
        return !course.followed
                && course.settled
                && now - course.settledSince >= QUIET
                && now - course.followedSince >= QUIET;
    }

    /** A node came, went or was drained: any service may move. */
    void nodesChanged(long now) {
        courses.values().forEach(course -> course.follow(now));
    }

    /** Something is wrong somewhere: a connection failed. */
    void suspicious(long now) {
        courses.values().stream().filter(course -> quiet(course, now)).forEach(course -> course.follow(now));
    }

    /** A container of these services' tasks started, died, or changed its health. */
    void heardOf(Collection<String> serviceIds, long now) {
        for (String id : serviceIds) {
            Course course = courses.get(id);
            if (course != null) {
                course.echoUntil = now + ECHO;
            }
        }
    }

    /** The services to look at. */
    Set<String> moving(long now) {
        return courses.entrySet().stream()
                .filter(course -> course.getValue().interval(now) != NEVER)
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }

    /** How long to wait for the next look at those that move, in nanoseconds; {@link #NEVER} if none does. */
    long pause(long now) {
        long interval = courses.values().stream()
                .mapToLong(course -> course.interval(now))
                .min()
                .orElse(NEVER);
        return interval == NEVER ? NEVER : Math.max(0, looked + interval - now);
    }
}
