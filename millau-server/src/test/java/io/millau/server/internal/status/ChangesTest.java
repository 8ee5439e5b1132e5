package io.millau.server.internal.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.CertificateStatus;
import io.millau.core.Endpoint;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.SourceStatus;
import io.millau.server.RecordedOverview;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ChangesTest {

    private static final Instant NOON = Instant.parse("2030-01-01T12:00:00Z");

    private final ChangeHistory history = new ChangeHistory(Clock.fixed(NOON, ZoneOffset.UTC));
    private final AtomicLong now = new AtomicLong();
    private final Changes changes = new Changes(history, now::get);
    private final OverviewChanges overviewChanges = new OverviewChanges(history);
    private final RecordedOverview overview = new RecordedOverview();

    private static Endpoint endpoint(int port) {
        return Endpoint.http("e" + port, InetAddress.getLoopbackAddress(), port);
    }

    private static Service shop(Integer... ports) {
        return Service.named("shop")
                .hosts("shop.example", "www.shop.example")
                .endpoints(Arrays.stream(ports).map(ChangesTest::endpoint).toList())
                .build();
    }

    /** The recorded changes, latest first. */
    private List<String> texts() {
        return history.last().stream()
                .map(change -> (change.isTrouble() ? "! " : "") + change.text())
                .toList();
    }

    @Test
    void servicesAreAddedChangedAndRemoved() {
        changes.servicesReplaced(List.of(shop(81)));
        changes.servicesReplaced(List.of(shop(81)));
        changes.servicesReplaced(List.of(shop(82, 83)));
        changes.servicesReplaced(List.of(shop(82, 83).toBuilder().path("/a").build()));
        changes.servicesReplaced(List.of());

        assertThat(texts())
                .containsExactly(
                        "Removed service=shop",
                        "Changed service=shop hosts=\"shop.example www.shop.example\" path=/a endpoints=2 settings=path",
                        "Changed service=shop hosts=\"shop.example www.shop.example\" path=/ endpoints=2"
                                + " joined=\"http://127.0.0.1:82 http://127.0.0.1:83\" left=http://127.0.0.1:81",
                        "Added service=shop hosts=\"shop.example www.shop.example\" path=/ endpoints=1");
        assertThat(history.last()).allSatisfy(change -> assertThat(change.at()).isEqualTo(NOON));
    }

    /** A crash loop wrote two lines each few seconds, and nothing else was left in the history. */
    @Test
    void aServiceThatChangesAllTheTimeIsToldOfOnceAMinute() {
        changes.servicesReplaced(List.of(shop()));
        for (int crash = 0; crash < LineBudget.AT_ONCE; crash++) {
            changes.servicesReplaced(List.of(shop(81)));
            changes.servicesReplaced(List.of(shop()));
        }
        assertThat(texts().stream().filter(text -> text.startsWith("Changed"))).hasSize(LineBudget.AT_ONCE);
        assertThat(texts().get(0)).endsWith(" left=http://127.0.0.1:81");

        now.set(Duration.ofMinutes(1).toNanos());
        changes.servicesReplaced(List.of(shop(81)));
        changes.servicesReplaced(List.of(shop()));
        assertThat(texts().get(0)).endsWith(" joined=http://127.0.0.1:81 others=" + LineBudget.AT_ONCE);
        changes.servicesReplaced(List.of(shop(), Service.named("other").build()));
        assertThat(texts().get(0)).startsWith("Added service=other");
    }

    /** Two stacks with one host and path by accident: every second response was the other application's. */
    @Test
    void aServiceThatIsAddedNamesThoseItSharesRequestsWith() {
        Service blog = Service.named("blog").hosts("www.shop.example").build();
        changes.servicesReplaced(List.of(shop(81)));
        changes.servicesReplaced(List.of(shop(81), blog));
        Service admin =
                Service.named("admin").hosts("www.shop.example").path("/admin").build();
        changes.servicesReplaced(List.of(shop(81), blog, admin));
        changes.servicesReplaced(
                List.of(shop(81), blog, admin, blog.toBuilder().id("blog2").build()));
        changes.servicesReplaced(
                List.of(shop(81), blog, admin.toBuilder().path("/").build()));

        assertThat(texts())
                .containsExactly(
                        "Removed service=blog",
                        "Changed service=admin hosts=www.shop.example path=/ endpoints=0 settings=path sharesWith=\"blog shop\"",
                        "Added service=blog hosts=www.shop.example path=/ endpoints=0 sharesWith=\"blog shop\"",
                        "Added service=admin hosts=www.shop.example path=/admin endpoints=0",
                        "Added service=blog hosts=www.shop.example path=/ endpoints=0 sharesWith=shop",
                        "Added service=shop hosts=\"shop.example www.shop.example\" path=/ endpoints=1");
    }

    @Test
    void problemsAreReportedAndResolved() {
        Problem typo = new Problem("shop", "millau.prot=80: unknown");
        Problem other = new Problem("blog", "millau.port is missing");
        changes.problemsReplaced(List.of(typo));
        changes.problemsReplaced(List.of(typo, other, other));
        changes.problemsReplaced(List.of(other));
        changes.problemsReplaced(List.of(typo));

        assertThat(texts())
                .containsExactly(
                        "Solved blog: millau.port is missing",
                        "! shop: millau.prot=80: unknown",
                        "Solved shop: millau.prot=80: unknown",
                        "! blog: millau.port is missing",
                        "! shop: millau.prot=80: unknown");
    }

    @Test
    void endpointsAreEjectedAndReturn() {
        changes.endpointEjected(shop(81), endpoint(81), "Connection refused");
        changes.endpointReturned(shop(81), endpoint(81));
        Service labelled = shop(81).toBuilder().id("admin of swarm:x1").build();
        changes.endpointEjected(labelled, endpoint(81), "Connection refused");

        assertThat(texts())
                .containsExactly(
                        "! Ejected service=shop endpoint=http://127.0.0.1:81 reason=\"Connection refused"
                                + " (does it listen on port 81? See millau.port)\"",
                        "Returned service=shop endpoint=http://127.0.0.1:81",
                        "! Ejected service=shop endpoint=http://127.0.0.1:81 reason=\"Connection refused"
                                + " (does it listen on port 81?)\"");
    }

    @Test
    void aHostileNameCannotForgeALine() {
        String hostile = "x\nERROR forged=true \u2028</script>";
        Service service = Service.named(hostile).endpoints(endpoint(81)).build();
        changes.servicesReplaced(List.of(service));
        changes.endpointEjected(service, endpoint(81), hostile);
        changes.problemsReplaced(List.of(new Problem(hostile, hostile)));
        changes.servicesReplaced(List.of());

        assertThat(texts())
                .hasSize(4)
                .allSatisfy(
                        text -> assertThat(text.codePoints()).noneMatch(c -> Character.isISOControl(c) || c == 0x2028));
    }

    @Test
    void onlyTheLastFiftyAreKept() {
        for (int i = 0; i < 200; i++) {
            changes.endpointEjected(shop(81), endpoint(81), "failure " + i);
        }

        assertThat(history.last()).hasSize(ChangeHistory.REMEMBERED);
        assertThat(texts().get(0)).contains("failure 199");
        assertThat(texts().get(49)).contains("failure 150");
    }

    @Test
    void onlyTheLastFiftyOfManyThreadsAreKept() throws Exception {
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> {
                for (int j = 0; j < 200; j++) {
                    changes.endpointEjected(shop(81), endpoint(81), "failure");
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }

        assertThat(history.last()).hasSize(ChangeHistory.REMEMBERED);
    }

    private static RecordedOverview overviewOf(@Nullable String trouble) {
        RecordedOverview overview = new RecordedOverview();
        overview.sources = List.of(SourceStatus.of("engine", null, trouble, 0, 0, Duration.ZERO));
        return overview;
    }

    @Test
    void aFailureOfASourceAndItsRecoveryAreReportedOnce() {
        overviewChanges.compare(overviewOf(null));
        overviewChanges.compare(overviewOf("refused"));
        overviewChanges.compare(overviewOf("refused"));
        overviewChanges.compare(overviewOf("hangs"));
        overviewChanges.compare(overviewOf(null));
        overviewChanges.compare(overviewOf(null));

        assertThat(texts())
                .containsExactly(
                        "Back source=engine",
                        "! Away source=engine reason=hangs",
                        "! Away source=engine reason=refused");
    }

    private static CertificateStatus certificate(@Nullable Instant expires, String... names) {
        return CertificateStatus.of(Set.of(names), "ACME", "CA", expires, null, null);
    }

    @Test
    void aCertificateIsReportedOnceAndAgainAfterARenewal() {
        overview.certificates = List.of(certificate(null, "b.example", "a.example"));
        overviewChanges.compare(overview);
        assertThat(history.last()).as("not obtained yet").isEmpty();
        overview.certificates = List.of(certificate(NOON, "b.example", "a.example"));
        overviewChanges.compare(overview);
        overviewChanges.compare(overview);
        overview.certificates = List.of(certificate(NOON.plusSeconds(1), "a.example", "b.example"));
        overviewChanges.compare(overview);
        overviewChanges.compare(overview);

        assertThat(texts())
                .containsExactly(
                        "Certificate names=\"a.example b.example\" expires=2030-01-01T12:00:01Z",
                        "Certificate names=\"a.example b.example\" expires=2030-01-01T12:00:00Z");
    }

    /** Two certificates for one name, from a label and from the folder, were reported each second and displaced all else. */
    @Test
    void severalCertificatesForOneNameAreReportedOnceEach() {
        overview.certificates = List.of(certificate(NOON, "a.example"), certificate(NOON.plusSeconds(9), "a.example"));
        for (int i = 0; i < 100; i++) {
            overviewChanges.compare(overview);
        }

        assertThat(history.last()).hasSize(2);
    }
}
