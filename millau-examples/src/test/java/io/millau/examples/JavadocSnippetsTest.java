package io.millau.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.millau.core.Overview;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.TrafficListener;
import io.millau.core.testing.CapturedLog;
import io.millau.examples.JavadocSnippets.Body;
import io.millau.examples.JavadocSnippets.Compiled;
import io.millau.examples.JavadocSnippets.Entered;
import io.millau.examples.JavadocSnippets.Snippet;
import io.millau.server.Millau;
import io.millau.testing.Fault;
import io.millau.testing.TestGateway;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** Each public type's Javadoc has a snippet, and all of them compile without warnings and run to their last lambda. */
class JavadocSnippetsTest {

    @TempDir
    static Path classes;

    @TempDir
    Path folder;

    @Test
    void everyPublicTypeHasASnippet() throws Exception {
        List<String> without = new ArrayList<>();
        JavadocSnippets.publicTypes().forEach((file, source) -> {
            if (Snippet.in(file, source.substring(0, JavadocSnippets.typeAt(source)))
                    .isEmpty()) {
                without.add(file
                        + ": expected a snippet of its use between <pre>{@code and }</pre> in the Javadoc of the type");
            }
        });

        assertThat(without).isEmpty();
    }

    @TestFactory
    Stream<DynamicTest> everySnippetRuns() throws Exception {
        List<Snippet> snippets = new ArrayList<>();
        JavadocSnippets.publicTypes().forEach((file, source) -> snippets.addAll(Snippet.in(file, source)));
        Compiled compiled = JavadocSnippets.compile(snippets, classes);

        return snippets.stream()
                .sorted(Comparator.comparing(Snippet::toString))
                .map(snippet -> dynamicTest(snippet.toString(), () -> run(snippet, compiled)));
    }

    private void run(Snippet snippet, Compiled compiled) throws Exception {
        Class<?> type = compiled.loader().loadClass("snippets." + snippet.className());
        try (CapturedLog log = new CapturedLog()) {
            if (snippet.isTest()) {
                runTest(type);
            } else {
                runBody((Body) type.getConstructor().newInstance(), snippet.startsProxy());
            }
            await().untilAsserted(() -> assertThat(Entered.METHODS)
                    .as("methods that were called; lambdas are counted from 0 in the order of the snippet")
                    .containsAll(compiled.methods().get(snippet.className())));
            assertThat(log.about("ERROR")).isEmpty();
        }
    }

    private static void runTest(Class<?> compiled) {
        SummaryGeneratingListener summary = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(DiscoverySelectors.selectClass(compiled))
                                .build(),
                        summary);

        StringWriter failures = new StringWriter();
        summary.getSummary().printFailuresTo(new PrintWriter(failures));
        assertThat(failures.toString()).isEmpty();
        assertThat(summary.getSummary().getTestsSucceededCount()).isPositive();
    }

    private void runBody(Body body, boolean startsProxy) throws Exception {
        body.folder = Files.createTempDirectory(folder, "snippet");
        Files.writeString(body.folder.resolve("store-key"), "0123456789".repeat(4));
        Problem problem = new Problem("orders", "label millau.prot: did you mean millau.port?");
        try (TestGateway running = TestGateway.start(builder -> builder.https("127.0.0.1:0")
                .source(source(new Snapshot(List.of(), List.of(problem))))
                .listener(new TrafficListener() {
                    @Override
                    public void started(Overview overview) {
                        body.overview = overview;
                    }
                }))) {
            body.millau = running.proxy();
            body.endpoint = running.upstream("orders").endpoint();
            running.routes(Service.named("orders").hosts("shop.example").build());
            if (startsProxy) {
                body.builder = Millau.builder().http("127.0.0.1:0");
                body.run();
            } else {
                sendRequests(body);
            }
        }
    }

    /** One instance fails, so that hooks for failures are called. */
    private static void sendRequests(Body body) {
        try (TestGateway gateway = TestGateway.start(builder -> {
            body.builder = builder;
            try {
                body.run();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        })) {
            gateway.routes(Service.named("shop").hosts("shop.example").build());
            gateway.upstream("shop").fails(Fault.RESET_AFTER_HEAD);
            gateway.upstream("shop").responds(200, "good");
            for (String url : List.of(
                    "http://shop.example/orders/7?page=2", "http://shop.example/admin/", "http://nowhere.example/")) {
                HttpResponse<String> response = gateway.send(
                        gateway.request(url).header("X-Api-Key", "secret").header("Cookie", "session=1"));
                assertThat(response.statusCode()).as(url).isNotEqualTo(500);
            }
        }
    }

    private static ServiceSource source(Snapshot snapshot) {
        return consumer -> {
            consumer.accept(snapshot);
            return () -> {};
        };
    }
}
