package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.Snapshot;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MergedSourcesTest {

    @Test
    void servicesAndProblemsAreAddedUp() {
        Service one = Service.named("one").path("/one").build();
        Service two = Service.named("two").path("/two").build();
        Problem problem = new Problem("one", "odd");

        assertThat(MergedSources.of(List.of(
                        Map.entry("file a", new Snapshot(List.of(one), List.of(problem))),
                        Map.entry("code", new Snapshot(List.of(two), List.of())))))
                .isEqualTo(new Snapshot(List.of(one, two), List.of(problem)));
    }

    /** One of the routes vanished, and nobody was told. */
    @Test
    void oneNameInTwoSourcesIsAProblemAndBothAreServed() {
        Snapshot merged = merged(
                Service.named("app").path("/a/").build(),
                Service.named("app").path("/b/").build());

        assertThat(merged.services()).extracting(Service::path).containsExactly("/a/", "/b/");
        assertThat(merged.services()).extracting(Service::id).containsExactly("app", "app of code");
        assertThat(merged.problems())
                .extracting(Problem::toString)
                .containsExactly("app: two sources have a service of this name, file a and code: both are served,"
                        + " but look like one in logs and metrics; expected different names");
    }

    @Test
    void oneRouteInTwoSourcesIsAProblem() {
        Snapshot merged = merged(
                Service.named("old")
                        .hosts("x.example", "shop.example")
                        .path("/a")
                        .build(),
                Service.named("new").hosts("shop.example").path("/a").build());

        assertThat(merged.services()).hasSize(2);
        assertThat(merged.problems())
                .extracting(Problem::toString)
                .containsExactly("new: code has it for host shop.example and path /a, as file a has old: they share the"
                        + " requests; expected different hosts or paths, or a weight if that is meant");
    }

    @Test
    void otherHostsOtherPathsAndWeightsAreNoProblem() {
        Service app = Service.named("app").hosts("shop.example").path("/a").build();

        for (Service other : List.of(
                Service.named("b").hosts("shop.example").path("/b").build(),
                Service.named("b").hosts("blog.example").path("/a").build(),
                Service.named("b").hosts("shop.example").path("/a").weight(9).build(),
                Service.named("app").enabled(false).build())) {
            assertThat(merged(app, other).problems()).isEmpty();
        }
    }

    /** Two projects in Docker may have services of one name, and blue and green one route. */
    @Test
    void namesAndRoutesMayBeThereTwiceInOneSource() {
        Snapshot one = new Snapshot(
                List.of(
                        Service.named("app").id("1").build(),
                        Service.named("app").id("2").build()),
                List.of());

        assertThat(MergedSources.of(List.of(Map.entry("Docker", one)))).isEqualTo(one);
    }

    @Test
    void oneIdTwiceInOneSourceIsAProblemAndBothAreServed() {
        Snapshot one = new Snapshot(
                List.of(
                        Service.named("app").path("/a").build(),
                        Service.named("app").path("/b").build()),
                List.of());
        Snapshot merged = MergedSources.of(List.of(Map.entry("database", one)));

        assertThat(merged.services()).extracting(Service::id).containsExactly("app", "app of database");
        assertThat(merged.problems())
                .extracting(Problem::toString)
                .containsExactly(
                        "app: database has two services of the id app: both are served; expected different names, or ids");
    }

    private static Snapshot merged(Service ofFile, Service ofCode) {
        return MergedSources.of(List.of(
                Map.entry("file a", new Snapshot(List.of(ofFile), List.of())),
                Map.entry("code", new Snapshot(List.of(ofCode), List.of()))));
    }
}
