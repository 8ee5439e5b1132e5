package io.millau.acme;

import io.millau.core.internal.LogText;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs the failures of a directory or store: each reason once, until it works again for everything that failed. Safe for use by
 * several threads.
 */
final class Outage {

    private static final Logger LOG = LoggerFactory.getLogger(AcmeCertificates.class);

    /** Those of a store may name what it could not read. */
    private static final int MOST_REASONS = 20;

    private final String what;
    private final String consequence;

    // Guarded by this.
    private final Set<Object> failing = new HashSet<>();
    private final Set<String> logged = new HashSet<>();
    private int failures;

    /** @param consequence what happens meanwhile, as a sentence for the log */
    Outage(String what, String consequence) {
        this.what = what;
        this.consequence = consequence;
    }

    /** @param who has the failure: it is over once that has none any more */
    synchronized void failed(Object who, String reason) {
        failing.add(who);
        failures++;
        String summary = LogMessages.summary(reason);
        if (logged.size() >= MOST_REASONS || !logged.add(summary)) {
            LOG.debug("Still away what={} failures={} reason={}", LogText.value(what), failures, LogText.value(reason));
        } else {
            LOG.warn(
                    "Away what={} reason={} meanwhile={}",
                    LogText.value(what),
                    LogText.value(reason),
                    LogText.value(consequence));
        }
    }

    /** One has no failure any more. */
    synchronized void over(Object who) {
        if (failing.remove(who) && failing.isEmpty()) {
            LOG.info("Back what={} failures={}", LogText.value(what), failures);
            logged.clear();
            failures = 0;
        }
    }
}
