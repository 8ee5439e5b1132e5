package io.millau.core;

/**
 * A source of elapsed time, which tests can control. Called by many threads at once.
 *
 * <pre>{@code
 * AtomicLong nanos = new AtomicLong();
 * Ticker ticker = nanos::get; // the time of a test
 * try (Millau millau = Millau.builder().http("127.0.0.1:0").ticker(ticker).start()) {
 *     nanos.addAndGet(Duration.ofSeconds(30).toNanos());
 * }
 * }</pre>
 */
@FunctionalInterface
public interface Ticker {

    /** Nanoseconds since an arbitrary fixed time; only differences are meaningful. */
    long nanoTime();

    /** The system's time source. */
    static Ticker system() {
        return System::nanoTime;
    }
}
