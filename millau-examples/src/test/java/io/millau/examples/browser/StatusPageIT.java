package io.millau.examples.browser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.testing.StandaloneServer;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The status page of the packaged server, with services from a file. */
@RequiresBrowser
class StatusPageIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    private final ScriptedEndpoint blue = ScriptedEndpoint.thatSays("blue");
    private final ScriptedEndpoint green = ScriptedEndpoint.thatSays("green");
    private Path services;
    private StandaloneServer server;
    private Browser browser;

    @BeforeEach
    void open() throws Exception {
        services = folder.resolve("services.properties");
        save("""
                shop.endpoints = %s %s
                shop.hosts = shop.example www.shop.example
                maintenance.endpoints = %s
                """.formatted(blue.endpoint(), green.endpoint(), blue.endpoint()));
        server = start(0);
        browser = new Browser(folder);
    }

    @AfterEach
    void close() throws Exception {
        if (browser != null) {
            browser.close();
        }
        if (server != null) {
            server.close();
        }
        blue.close();
        green.close();
    }

    private StandaloneServer start(int telemetryPort) throws IOException {
        StandaloneServer started = new StandaloneServer(
                folder.resolve("output-" + System.nanoTime()),
                Map.of("SERVICES", services.toString(), "HTTPS", "off", "TELEMETRY", "127.0.0.1:" + telemetryPort));
        started.awaitLine("Listens on");
        return started;
    }

    /** One request, on a connection of its own; its answer's first line. */
    private String get(String host) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.httpPort())) {
            socket.getOutputStream()
                    .write(("GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .findFirst()
                    .orElse("");
        }
    }

    /** All of it at once. */
    private void save(String text) throws IOException {
        Path written = Files.writeString(folder.resolve("written"), text);
        Files.move(written, services, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    private StatusPage page() throws Exception {
        return new StatusPage(browser, "127.0.0.1", server.telemetryPort());
    }

    private String text(String selector) throws Exception {
        return browser.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector)
                .asText();
    }

    @Test
    void aSavedLineIsSeenAtOnce() throws Exception {
        StatusPage page = page();
        page.awaitService("shop");
        page.watchFor("added");
        Instant saved = Instant.now();
        save(Files.readString(services) + "added.endpoints = " + green.endpoint() + "\nadded.timeuot = 5\n");
        Duration after = page.shownAfter(saved, "added");
        System.out.println(
                "Status page: a saved line of the services file was shown after " + after.toMillis() + " ms");

        assertThat(after).as("the file is read every second").isLessThan(Duration.ofSeconds(10));
        browser.awaitTrue(
                "return document.querySelector('#needs').textContent.includes('did you mean added.timeout?')");
        assertThat(text("#changes li")).contains("added");
        page.assertFaultless();
    }

    @Test
    void anEjectionIsSeenWithItsReason() throws Exception {
        StatusPage page = page();
        page.awaitService("shop");
        browser.awaitTrue("return document.querySelectorAll('[data-state=up]').length === 3");
        green.close();
        await().atMost(PATIENCE).until(() -> {
            assertThat(get("shop.example")).endsWith("200 OK");
            return server.output().contains("Ejected ");
        });
        browser.awaitTrue("return document.querySelectorAll('[data-state=ejected]').length === 1");

        assertThat(text("[data-state=ejected]"))
                .contains("ejected", green.endpoint().toString(), "Connection refused", " ago");
        assertThat(text("[data-service=shop] .pill")).isEqualTo("1 of 2 up");
        assertThat(text("#changes li.bad")).contains("Ejected service=shop endpoint=" + green.endpoint());
        browser.awaitTrue("return document.querySelectorAll('#edges .edge.bad').length === 1");
        browser.awaitTrue("return document.querySelectorAll('#edges .edge.live').length > 0");
        page.assertFaultless();
        assertThat(text("#discovery")).contains("no-such-engine", "away");

        blue.close();
        await().atMost(PATIENCE).until(() -> get("shop.example").endsWith("502 Bad Gateway"));
        browser.awaitTrue("return document.querySelector('[data-service=shop] .pill').textContent === '0 of 2 up'");
        assertThat(text("#needs")).contains("shop0 of 2 up: ", "Connection refused", "Does it listen on this port");
        assertThat(browser.run("return document.title").asText()).startsWith("(");
    }

    /** It was green, though everybody got 503. */
    @Test
    void aClosedServiceIsDown() throws Exception {
        StatusPage page = page();
        page.awaitService("shop");
        save(Files.readString(services) + "shop.allow = office\n");
        browser.awaitTrue("return document.querySelector('[data-service=shop] .pill').textContent === 'closed'");

        assertThat(text("[data-service=shop] .pill.bad")).isEqualTo("closed");
        assertThat(text("#needs")).contains("shop.allow=office", "the service is closed: requests get 503");
        assertThat(text(".figure.bad")).isEqualTo("1 of 2services down");
        browser.awaitTrue("return document.querySelectorAll('#edges .edge.bad').length > 0");
        page.assertFaultless();
    }

    @Test
    void theEndOfMillauIsSeenAndItsReturn() throws Exception {
        StatusPage page = page();
        page.awaitService("shop");
        page.assertFaultless();
        int port = server.telemetryPort();
        server.terminate();
        assertThat(server.exit()).isZero();
        browser.awaitTrue("return document.querySelector('#banner').textContent.includes(\"can't be reached\")");
        assertThat(browser.run("return document.body.classList.contains('stale')")
                        .asBoolean())
                .isTrue();
        assertThat(text("[data-service=shop]")).as("what was known stays").contains("shop");

        server = start(port);
        browser.awaitTrue("return document.querySelector('#banner').textContent === ''");
        assertThat(browser.run("return document.body.classList.contains('stale')")
                        .asBoolean())
                .isFalse();
    }

    @Test
    void itIsLightAndDarkAndFitsAPhone() throws Exception {
        save(Files.readString(services) + """
                a-service-with-a-name-that-has-no-end-at-all-and-nothing-where-it-could-be-broken.endpoints = %s
                a-service-with-a-name-that-has-no-end-at-all-and-nothing-where-it-could-be-broken.hosts = \
                a-host-with-a-name-that-has-no-end-at-all-and-no-break-at-all.an-example-of-a-long-name.example
                a-service-with-a-name-that-has-no-end-at-all-and-nothing-where-it-could-be-broken.prot = 80
                """.formatted(green.endpoint()));
        green.close();
        StatusPage page = page();
        page.awaitService("a-service-with-a-name-that-has-no-end-at-all-and-nothing-where-it-could-be-broken");
        for (int i = 0; i < 20; i++) {
            get("shop.example");
        }
        browser.awaitTrue("return document.querySelectorAll('#edges .edge.live').length > 0");
        browser.prefer("light");
        browser.resize(1280, 900, false);
        page.assertFits();
        assertThat(browser.run("const map = document.querySelector('.map'); return map.scrollWidth - map.clientWidth")
                        .asInt())
                .as("pixels of the topology that a long name pushed out of sight")
                .isNotPositive();
        assertThat(browser.run("return [...document.querySelectorAll('.map .ports .label')]"
                                + ".every(of => of.scrollWidth <= of.clientWidth)")
                        .asBoolean())
                .as("ports are shown whole")
                .isTrue();
        browser.screenshot(StatusPage.PICTURES.resolve("light.png"));
        String light = background();
        browser.prefer("dark");
        browser.screenshot(StatusPage.PICTURES.resolve("dark.png"));

        assertThat(brightness(light)).isGreaterThan(200);
        assertThat(brightness(background())).isLessThan(60);
        browser.prefer("light");
        for (int width : new int[] {1024, 821, 820, 600, 390, 320}) {
            browser.resize(width, 844, width <= 600);
            page.assertFits();
        }
        browser.resize(390, 844, true);
        browser.awaitTrue("return innerWidth === 390");
        browser.screenshot(StatusPage.PICTURES.resolve("phone.png"));
        page.assertFaultless();
    }

    private String background() throws Exception {
        return browser.run("return getComputedStyle(document.body).backgroundColor")
                .asText();
    }

    /** The mean of red, green and blue. */
    private static double brightness(String color) {
        return Pattern.compile("\\d+")
                .matcher(color)
                .results()
                .limit(3)
                .mapToInt(part -> Integer.parseInt(part.group()))
                .average()
                .orElseThrow();
    }

    @Test
    void noNameRunsOrBecomesPartOfThePage() throws Exception {
        String hostile = "</script><img src=x onerror=\"document.title='owned'\"><b>bold</b>";
        String key = hostile.replace("=", "\\=").replace(" ", "\\ ").replace(":", "\\:");
        save(Files.readString(services)
                + key + ".endpoints = http://127.0.0.1:1\n"
                + key + ".prot = <img src=x onerror=alert(1)>\n");
        StatusPage page = page();
        page.awaitService(hostile);
        get("nobody.example");
        browser.awaitTrue("return document.querySelector('#needs').textContent.includes('onerror')");

        assertThat(browser.run("return document.images.length").asInt()).isZero();
        assertThat(browser.run("return document.scripts.length").asInt()).isEqualTo(2);
        assertThat(browser.run("return document.querySelectorAll('main b b, main img, main script').length")
                        .asInt())
                .isZero();
        assertThat(browser.run("return document.title").asText())
                .contains("Millau")
                .doesNotContain("owned");
        assertThat(text("#services")).contains(hostile);
        page.assertFits();
        page.assertFaultless();
    }

    /** It was empty until the first event came. */
    @Test
    void theStatusComesWithThePage() throws Exception {
        browser.block("*/status/events", "*/status.json");
        StatusPage page = page();

        assertThat(text("[data-service=shop] .pill")).isEqualTo("2 of 2 up");
        assertThat(text("#state")).isEqualTo("up");
        assertThat(text("#footer")).contains("Millau ", "started ");
        page.assertFits();
    }

    @Test
    void anEmptyProxySaysWhatToDo() throws Exception {
        save("# nothing yet\n");
        await().atMost(PATIENCE)
                .until(() -> !server.output().contains("Removed service=shop")
                        ? false
                        : server.output().contains("Removed service=maintenance"));
        page();
        browser.awaitTrue(
                "return document.querySelector('#needs').textContent.includes('has millau.enabled=true yet')");

        assertThat(text("#needs")).contains("Put the labels millau.enabled=true and millau.port=PORT on a container");
        assertThat(text(".figures")).contains("0services").doesNotContain("all up");
    }

    /** Twenty services that nobody asked made the one that was asked hard to find. */
    @Test
    void idleServicesAreOneLineThatOpens() throws Exception {
        StringBuilder text = new StringBuilder(Files.readString(services));
        for (char name = 'a'; name < 'h'; name++) {
            text.append("idle-%s.endpoints = %s\nidle-%s.hosts = %s.example\n"
                    .formatted(name, blue.endpoint(), name, name));
        }
        save(text.toString());
        StatusPage page = page();
        page.awaitService("idle-g");
        get("shop.example");
        browser.awaitTrue("return !document.querySelector('#idle [data-service=shop]')");
        browser.resize(320, 844, true);
        page.assertFits();

        assertThat(text("#idle summary"))
                .startsWith("8 services without a request in the last minute: idle-a, idle-b")
                .endsWith("maintenance");
        assertThat(visible("shop")).isTrue();
        assertThat(visible("idle-a")).isFalse();
        browser.run("document.querySelector('#idle summary').click()");
        assertThat(visible("idle-a")).isTrue();
        get("a.example");
        browser.awaitTrue("return !document.querySelector('#idle [data-service=idle-a]')");
        assertThat(visible("idle-b")).as("it stays open when the page changes").isTrue();
        page.assertFits();
        page.assertFaultless();
    }

    private boolean visible(String service) throws Exception {
        return browser.run(
                        "return document.querySelector(arguments[0]).checkVisibility()",
                        "[data-service=" + service + "]")
                .asBoolean();
    }

    @Test
    void aFilterShowsWhatFits() throws Exception {
        StatusPage page = page();
        page.awaitService("shop");
        page.awaitService("maintenance");
        browser.run("""
                const filter = document.querySelector('#filter');
                filter.value = arguments[0];
                filter.dispatchEvent(new Event('input'));
                """, "WWW.shop");

        assertThat(browser.run("return [...document.querySelectorAll('[data-service]')].map(of => of.dataset.service)"
                                + ".join(' ')")
                        .asText())
                .isEqualTo("shop");
        page.assertFaultless();
    }
}
