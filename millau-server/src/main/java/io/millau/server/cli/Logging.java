package io.millau.server.cli;

import java.util.Locale;

/**
 * Sets the standalone server's logging up; has to come before anything is logged. Someone who embeds Millau has slf4j and a
 * choice of their own.
 */
final class Logging {

    private static final String SIMPLE = "org.slf4j.simpleLogger.";

    private Logging() {}

    static void setUp(Configuration.Level level) {
        set("org.jboss.logging.provider", "slf4j");
        set(SIMPLE + "logFile", "System.out");
        set(SIMPLE + "showDateTime", "true");
        set(SIMPLE + "dateTimeFormat", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX");
        set(SIMPLE + "showThreadName", "false");
        set(SIMPLE + "showShortLogName", "true");
        // What libraries say below a warning is about themselves, not about requests.
        set(SIMPLE + "defaultLogLevel", level.compareTo(Configuration.Level.WARN) > 0 ? "warn" : name(level));
        set(SIMPLE + "log.io.millau", name(level));
    }

    private static String name(Configuration.Level level) {
        return level == Configuration.Level.FATAL ? "off" : level.name().toLowerCase(Locale.ROOT);
    }

    /** A property that was given on the command line stays. */
    private static void set(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }
}
