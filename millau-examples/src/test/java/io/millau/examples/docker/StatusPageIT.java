package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.FreePorts;
import io.millau.docker.testing.Engine;
import io.millau.examples.browser.Browser;
import io.millau.examples.browser.RequiresBrowser;
import io.millau.examples.browser.StatusPage;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The status page beside an engine: what a label says is seen within a second or so, and what leaves as well. */
@RequiresImages
@RequiresBrowser
@ExtendWith(Stage.Provider.class)
class StatusPageIT {

    /** What the page promises is a second; that is measured and said, since the machine that measures it may be busy. */
    private static final Duration GENEROUS = Duration.ofSeconds(15);

    @TempDir
    private Path folder;

    private Engine engine;
    private Browser browser;
    private StatusPage page;

    @BeforeEach
    void open(Stage stage) throws Exception {
        engine = stage.engine();
        int front = FreePorts.next();
        int telemetry = FreePorts.next();
        engine.docker(
                "run",
                "--detach",
                "--name=status-proxy",
                "--publish=" + front + ":80",
                "--publish=" + telemetry + ":9100",
                "--volume=" + Stage.socket(engine) + ":/var/run/docker.sock:ro",
                "millau:latest");
        new Front(engine.address(), telemetry).await("localhost", "/", answer -> answer.status() == 200);
        browser = new Browser(folder);
        page = new StatusPage(browser, engine.address(), telemetry);
    }

    @AfterEach
    void close() throws Exception {
        if (browser != null) {
            browser.close();
        }
        engine.docker("rm", "--force", "--volumes", "status-proxy", "status-app");
    }

    private Instant time(String of) {
        return Instant.parse(engine.docker("inspect", "--format={{." + of + "}}", "status-app"));
    }

    @Test
    void aContainersLabelIsSeenWithinASecondOrSo() throws Exception {
        page.watchFor("status-app");
        engine.docker(
                "run",
                "--detach",
                "--name=status-app",
                "--label=millau.enabled=true",
                "--label=millau.port=80",
                "--label=millau.hosts=status.example",
                "millau-echo:latest");
        Duration after = page.shownAfter(time("Created"), "status-app");
        Duration up = page.upAfter(time("State.StartedAt"), "status-app");
        System.out.println("Status page: a container's label was shown " + after.toMillis()
                + " ms after it was created, and its endpoint " + up.toMillis() + " ms after its start");

        assertThat(after).isLessThan(GENEROUS);
        assertThat(up).isLessThan(GENEROUS);
        browser.awaitTrue("return document.querySelector('#changes').textContent.includes('Added service=status-app')");
        page.assertFaultless();
        page.assertFits();
        browser.screenshot(StatusPage.PICTURES.resolve("engine.png"));

        Instant killed = Instant.now();
        engine.docker("rm", "--force", "status-app");
        browser.awaitTrue("return !document.querySelector('[data-service=status-app]')");
        System.out.println("Status page: it was gone "
                + Duration.between(killed, Instant.now()).toMillis() + " ms after it began to be removed");
        page.assertFaultless();
    }
}
