package io.millau.examples.browser;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** The status page as a browser shows it. */
public final class StatusPage {

    /** Where pictures of it are kept. */
    public static final Path PICTURES = Path.of("target", "status-page");

    private static final String SHOWN =
            "return [...document.querySelectorAll('[data-service]')].some(of => of.dataset.service === arguments[0])";

    private final Browser browser;
    private final String origin;

    /** Opens it, and waits until it shows something. */
    public StatusPage(Browser browser, String host, int port) throws IOException, InterruptedException {
        this.browser = browser;
        this.origin = "http://" + host + ":" + port;
        browser.open(origin + "/status");
        browser.awaitTrue("return document.querySelector('#topology') !== null");
    }

    /** Waits until a service is shown. */
    public void awaitService(String name) {
        browser.awaitTrue(SHOWN, name);
    }

    /** Notes in the page when a service is shown first, and when one of its endpoints is up: to be called before. */
    public void watchFor(String name) throws IOException, InterruptedException {
        browser.run("""
                const name = arguments[0], times = {};
                (window.times = window.times || {})[name] = times;
                new MutationObserver((changes, observer) => {
                  const of = [...document.querySelectorAll('[data-service]')].find(of => of.dataset.service === name);
                  if (of && !times.shown) times.shown = Date.now();
                  if (of && of.querySelector('[data-state=up]')) { times.up = Date.now(); observer.disconnect(); }
                }).observe(document.body, { subtree: true, childList: true, attributes: true });
                """, name);
    }

    /** How long after a time it was shown. */
    public Duration shownAfter(Instant time, String name) throws IOException, InterruptedException {
        return after(time, "shown", name);
    }

    /** How long after a time an endpoint of it was up. */
    public Duration upAfter(Instant time, String name) throws IOException, InterruptedException {
        return after(time, "up", name);
    }

    private Duration after(Instant time, String what, String name) throws IOException, InterruptedException {
        browser.awaitTrue("return arguments[0] in window.times[arguments[1]]", what, name);
        long at = browser.run("return window.times[arguments[1]][arguments[0]]", what, name)
                .asLong();
        return Duration.between(time, Instant.ofEpochMilli(at));
    }

    /** Nothing went wrong in it so far, and nobody but Millau was asked for anything. */
    public void assertFaultless() throws IOException, InterruptedException {
        assertThat(browser.console()).isEmpty();
        List<String> asked = browser.requests();
        assertThat(asked).contains(origin + "/status", origin + "/status/events");
        assertThat(asked)
                .filteredOn(url -> !url.startsWith("data:") && !url.startsWith("chrome:"))
                .allSatisfy(url -> assertThat(URI.create(url).getScheme() + "://"
                                + URI.create(url).getAuthority())
                        .isEqualTo(origin));
    }

    /** No part of it is to be had by moving the whole page sideways alone. */
    public void assertFits() throws IOException, InterruptedException {
        assertThat(browser.run("return document.documentElement.scrollWidth - innerWidth")
                        .asInt())
                .as("pixels that are too wide, because of %s", browser.run("""
                        return [...document.querySelectorAll('body *')]
                          .filter(of => of.getBoundingClientRect().right > innerWidth && !of.closest('.map'))
                          .map(of => of.tagName + '.' + of.getAttribute('class')).slice(0, 5).join(' ')"""))
                .isNotPositive();
    }
}
