package io.millau.core.internal;

import java.net.InetAddress;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What {@code millau.limit} costs a request that it lets pass: its client's address is read, and counted among those of all clients. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@State(Scope.Thread)
public class LimitBenchmark {

    private static final long NANOS_PER_REQUEST = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long MAX_BYTES = 32 * 1024 * 1024;

    /** How many clients make requests, in turn. */
    @Param({"1", "1000", "1000000"})
    public int clients;

    private final ClientTimes times = new ClientTimes(NANOS_PER_REQUEST, TimeUnit.SECONDS.toNanos(1), MAX_BYTES);

    private String[] addresses = {};
    private int next;
    private long now;

    /** Chooses addresses of IPv4. */
    @Setup
    public void choose() {
        Random random = new Random(1);
        addresses = random.ints(clients, 0, 1 << 24)
                .mapToObj(n -> "10." + (n >> 16) + "." + (n >> 8 & 255) + "." + (n & 255))
                .toArray(String[]::new);
    }

    /** Clients make requests as fast as they may. */
    @Benchmark
    public long pass() {
        next = next + 1 == clients ? 0 : next + 1;
        now += NANOS_PER_REQUEST;
        InetAddress client = Objects.requireNonNull(IpAddresses.parse(addresses[next]));
        return times.take(IpAddresses.clientNumber(client), now);
    }
}
