package io.millau.acme;

import io.millau.core.internal.LogText;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs the failures of a directory or store: each reason once, until it works again. Safe for use by several threads.
 */
final class Outage {

    private static final Logger LOG = LoggerFactory.getLogger(AcmeCertificates.class);

    private final String what;
    private final String consequence;
    private final AtomicReference<@Nullable String> logged = new AtomicReference<>();
    private final AtomicInteger failures = new AtomicInteger();

    /** @param consequence what happens meanwhile, as a sentence for the log */
    Outage(String what, String consequence) {
        this.what = what;
        this.consequence = consequence;
    }

    void failed(String reason) {
        int count = failures.incrementAndGet();
        String summary = LogMessages.summary(reason);
        if (summary.equals(logged.getAndSet(summary))) {
            LOG.debug("Still away what={} failures={} reason={}", LogText.value(what), count, LogText.value(reason));
        } else {
            LOG.warn(
                    "Away what={} reason={} meanwhile={}",
                    LogText.value(what),
                    LogText.value(reason),
                    LogText.value(consequence));
        }
    }

    void over() {
        if (logged.getAndSet(null) != null) {
            LOG.info("Back what={} failures={}", LogText.value(what), failures.getAndSet(0));
        }
    }
}
