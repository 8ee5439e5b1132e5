package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** How often changing services are polled, with a clock that the test controls. */
class PollScheduleTest {

    private final PollSchedule schedule = new PollSchedule();
    private long now = Duration.ofDays(1).toNanos();
    private int version = 1;
    private int replicas = 1;
    private String update = "";
    private List<String> tasks = List.of();
    private int looks;

    private SwarmService service() {
        String json = EngineJson.service("web", version, replicas, Map.of())
                .replaceFirst("}$", ",\"UpdateStatus\":{\"State\":\"" + update + "\"}}");
        return SwarmService.of(EngineJson.json(json));
    }

    private void look() {
        List<SwarmTask> seen = new ArrayList<>();
        for (String task : tasks) {
            seen.add(SwarmTask.of(EngineJson.json(EngineJson.task(
                    task, "web", task.startsWith("r") ? "running" : "starting", "running", "app", "10.0.1.3"))));
        }
        schedule.looked(
                new EngineView(
                        EngineView.Role.MANAGER, List.of(service()), seen, Map.of(), Map.of(), List.of(), List.of()),
                now);
        looks++;
    }

    /** Polls whenever it is due for this time, including the regular poll; returns the number of polls. */
    private int looksWithin(Duration time) {
        int before = looks;
        long end = now + time.toNanos();
        long steady = now + Duration.ofSeconds(15).toNanos();
        while (true) {
            long pause = schedule.pause(now);
            long next = Math.min(pause == PollSchedule.NEVER ? Long.MAX_VALUE : now + pause, steady);
            if (next > end) {
                now = end;
                return looks - before;
            }
            now = next;
            if (now >= steady) {
                steady = now + Duration.ofSeconds(15).toNanos();
            }
            look();
        }
    }

    private void settle() {
        tasks = List.of("r1");
        look();
        looksWithin(Duration.ofMinutes(5));
        assertThat(schedule.pause(now)).isEqualTo(PollSchedule.NEVER);
    }

    @Test
    void aSettledServiceIsNotPolledAfterAFewSeconds() {
        tasks = List.of("r1");
        look();
        assertThat(looksWithin(Duration.ofSeconds(3))).isEqualTo(12);
        assertThat(schedule.moving(now)).isEmpty();
        assertThat(looksWithin(Duration.ofMinutes(1))).isEqualTo(4);
    }

    @Test
    void aChangingServiceIsPolledOftenThenRarelyThenOnlyWithAllOthers() {
        settle();
        version++;
        replicas = 2;
        tasks = List.of("r1", "s2");
        look();
        assertThat(schedule.moving(now)).isEqualTo(Set.of("web"));
        assertThat(looksWithin(Duration.ofSeconds(10))).isBetween(39, 41);
        assertThat(looksWithin(Duration.ofSeconds(50))).isBetween(50, 54);
        assertThat(looksWithin(Duration.ofMinutes(10))).isBetween(39, 41);
    }

    @Test
    void pollingEndsWhenTheTaskRuns() {
        settle();
        version++;
        replicas = 2;
        tasks = List.of("r1", "s2");
        look();
        looksWithin(Duration.ofSeconds(5));
        tasks = List.of("r1", "r2");
        looksWithin(Duration.ofSeconds(1));
        assertThat(schedule.pause(now)).isEqualTo(PollSchedule.NEVER);
    }

    @Test
    void aCrashLoopIsNotPolledForEver() {
        settle();
        int before = looks;
        for (int crash = 0; crash < 120; crash++) {
            tasks = List.of("s" + crash);
            schedule.heardOf(List.of("web"), now);
            looksWithin(Duration.ofSeconds(2));
            tasks = List.of("r" + crash);
            looksWithin(Duration.ofSeconds(3));
        }
        // Ten minutes: up to a hundred polls for the first crash, and a few for each later one.
        assertThat(looks - before).isLessThan(100 + 120 * 6);
        int later = looks;
        tasks = List.of();
        looksWithin(Duration.ofMinutes(10));
        assertThat(looks - later).isLessThan(50);
    }

    @Test
    void aSlowRollingUpdateIsPolledToItsEnd() {
        settle();
        version++;
        replicas = 3;
        update = "updating";
        tasks = List.of("r1", "r2", "r3");
        look();
        for (int replaced = 0; replaced < 3; replaced++) {
            looksWithin(Duration.ofSeconds(40));
            tasks = List.of("r1", "r2", "new" + replaced);
            assertThat(schedule.pause(now))
                    .isLessThanOrEqualTo(Duration.ofSeconds(1).toNanos());
            looksWithin(Duration.ofSeconds(2));
            tasks = List.of("r1", "r2", "r-new" + replaced);
        }
    }

    @Test
    void aSuspicionAfterAQuietMinuteStartsPolling() {
        settle();
        schedule.suspicious(now);
        assertThat(looksWithin(Duration.ofSeconds(3))).isEqualTo(12);
        assertThat(looksWithin(Duration.ofSeconds(10))).isZero();
        schedule.suspicious(now);
        assertThat(looksWithin(Duration.ofSeconds(10)))
                .as("not again so soon after the last one")
                .isLessThanOrEqualTo(1);
    }

    @Test
    void aChangedNodeStartsPollingOfAllServices() {
        settle();
        schedule.nodesChanged(now);
        assertThat(schedule.moving(now)).containsExactly("web");
    }

    /** Where one service changed all the time, the others were not asked. */
    @Test
    void aReadOfAnotherServiceDoesNotPutOffAPoll() {
        settle();
        version++;
        look();
        now += Duration.ofMillis(200).toNanos();
        schedule.looked(EngineView.NOTHING.withServices(List.of("web"), List.of(service())), List.of("other"), now);

        assertThat(schedule.pause(now)).isEqualTo(Duration.ofMillis(50).toNanos());
    }

    @Test
    void withoutServicesThereIsNoPolling() {
        assertThat(schedule.pause(now)).isEqualTo(PollSchedule.NEVER);
        assertThat(schedule.moving(now)).isEmpty();
        schedule.heardOf(List.of("gone"), now);
        assertThat(schedule.moving(now)).isEmpty();
    }
}
