package io.millau.server.cli;

import java.util.Locale;

/**
 * Sets up logging for the standalone server; call it before anything is logged. Programs that embed Millau configure
 * slf4j themselves.
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
        // Below WARN, libraries log only their internals.
        set(SIMPLE + "defaultLogLevel", level.compareTo(Configuration.Level.WARN) > 0 ? "warn" : name(level));
        set(SIMPLE + "log.io.millau", name(level));
    }

    private static String name(Configuration.Level level) {
        return level == Configuration.Level.FATAL ? "off" : level.name().toLowerCase(Locale.ROOT);
    }

    /** Properties set on the command line take precedence. */
    private static void set(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }
}
