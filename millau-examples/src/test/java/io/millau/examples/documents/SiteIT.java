package io.millau.examples.documents;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.RequiresCommands;
import io.millau.examples.browser.Browser;
import io.undertow.Handlers;
import io.undertow.Undertow;
import io.undertow.server.handlers.resource.PathResourceManager;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The site of docs: it builds, which fails on links to pages that are not there, and works in a browser. */
@RequiresCommands({"node", "npm", "chromium", "chromedriver"})
class SiteIT {

    private static final Path DOCS = Document.ROOT.resolve("docs");
    private static final Path SITE = DOCS.resolve(".vitepress/dist");
    private static final Pattern LINK = Pattern.compile("href=\"(/[^\"]*|#[^\"]+)\"");

    @TempDir
    Path folder;

    @BeforeAll
    static void build(@TempDir Path output) throws Exception {
        run(output, "npm", "ci", "--no-audit", "--no-fund", "--prefer-offline");
        run(output, "npm", "run", "build");
    }

    private static void run(Path output, String... command) throws Exception {
        Path log = output.resolve("npm.log");
        Process process = new ProcessBuilder(command)
                .directory(DOCS.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        boolean ended = process.waitFor(4, TimeUnit.MINUTES);
        if (!ended) {
            process.destroy();
        }
        assertThat(ended && process.exitValue() == 0)
                .as(String.join(" ", command) + "\n" + Files.readString(log))
                .isTrue();
    }

    @Test
    void everyPageIsThereAndEveryLinkLeadsToAHeading() throws IOException {
        for (Document page : Document.all().stream().skip(1).toList()) {
            String name = DOCS.relativize(page.file()).toString().replace("README.md", "index.md");
            String html = Document.read(SITE.resolve(name.replace(".md", ".html")));
            List<String> dead = LINK.matcher(html)
                    .results()
                    .map(link -> link.group(1))
                    .filter(link -> !isAlive(link, name.replace(".md", ".html")))
                    .toList();

            assertThat(dead).as("dead links in %s", name).isEmpty();
        }
        assertThat(SITE.resolve("labels.schema.json")).hasSameTextualContentAs(DOCS.resolve("labels.schema.json"));
    }

    private static boolean isAlive(String link, String page) {
        String[] parts = URLDecoder.decode(link, StandardCharsets.UTF_8).split("#", 2);
        String path = parts[0].isEmpty() ? "/" + page : parts[0].endsWith("/") ? parts[0] + "index.html" : parts[0];
        Path target = SITE.resolve(path.substring(1));
        return Files.exists(target)
                && (parts.length == 1
                        || parts[1].equals("VPContent")
                        || Document.read(target).contains("id=\"" + parts[1] + "\""));
    }

    @Test
    void theStartPageWorksInABrowser() throws Exception {
        Undertow server = Undertow.builder()
                .addHttpListener(0, "127.0.0.1")
                .setHandler(Handlers.resource(new PathResourceManager(SITE)).setWelcomeFiles("index.html"))
                .build();
        server.start();
        int port = ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
        try (Browser browser = new Browser(folder)) {
            browser.resize(1280, 900, false);
            browser.open("http://127.0.0.1:" + port + "/");
            browser.awaitTrue("return document.title === 'Millau for Java'");
            browser.awaitTrue("return document.querySelector('main img').naturalWidth > 0");
            // The application has taken over the page.
            browser.awaitTrue("return document.querySelector('#app').__vue_app__ !== undefined");

            browser.run("document.querySelector('button.VPSwitchAppearance').click()");
            browser.awaitTrue("return document.documentElement.classList.contains('dark')");

            browser.run("document.querySelector('.VPNavBarSearch button').click()");
            browser.awaitTrue("return document.querySelector('#localsearch-input') !== null");
            browser.run("const input = document.querySelector('#localsearch-input'); input.value = 'millau.weight';"
                    + " input.dispatchEvent(new Event('input', {bubbles: true}))");
            browser.awaitTrue("return [...document.querySelectorAll('.VPLocalSearchBox .result')]"
                    + ".some(result => result.getAttribute('href').includes('canary'))");

            browser.screenshot(Path.of("target", "site.png"));
            assertThat(browser.console()).isEmpty();
            assertThat(browser.requests().stream().filter(url -> url.startsWith("http")))
                    .isNotEmpty()
                    .allMatch(url -> url.startsWith("http://127.0.0.1:" + port));
        } finally {
            server.stop();
        }
    }

    @Test
    void itHasNothingThatOnlyTheGeneratorUnderstands() {
        assertThat(Document.all()).allSatisfy(page -> {
            assertThat(page.withoutBlocks())
                    .as(page.toString())
                    .doesNotContain("\n:::", "[[toc]]", "<script", "<!--@include");
            assertThat(page.text()).as(page.toString()).startsWith("# ");
        });
    }
}
