package io.millau.core;

/** Where elapsed time comes from, so that tests own it. Called by many threads. */
@FunctionalInterface
public interface Ticker {

    /** Nanoseconds since some fixed point; only differences mean something. */
    long nanoTime();

    /** The system's own. */
    static Ticker system() {
        return System::nanoTime;
    }
}
