package io.millau.core;

/** A source of elapsed time, which tests can control. Called by many threads at once. */
@FunctionalInterface
public interface Ticker {

    /** Nanoseconds since an arbitrary fixed time; only differences are meaningful. */
    long nanoTime();

    /** The system's time source. */
    static Ticker system() {
        return System::nanoTime;
    }
}
