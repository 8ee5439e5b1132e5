package io.millau.server.internal.proxy;

import io.millau.core.FilterRequest;
import io.millau.core.RequestFilter;
import io.millau.core.Verdict;
import io.millau.server.Millau;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What filters that look at a request and let it proceed cost it. The request is a real one, which a filter holds: it never gets a
 * verdict.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH calls start first
public class FilterBenchmark implements FilteredRequest.Next {

    private static final RequestFilter LOOKS =
            request -> request.path().startsWith("/admin/") && request.header("X-Api-Key") == null
                    ? request.respond(401, "no key\n")
                    : request.proceed();

    /** How many filters there are. */
    @Param({"1", "10"})
    public int filters;

    private final Filters guard = new Filters(List.of(), null);
    private List<RequestFilter> all = List.of();
    private Millau millau;
    private Socket client;
    private FilteredRequest held;
    private int proceeded;

    /** Has a request held. */
    @Setup
    public void start() throws IOException {
        all = Collections.nCopies(filters, LOOKS);
        CompletableFuture<FilterRequest> request = new CompletableFuture<>();
        millau = Millau.builder()
                .http("127.0.0.1:0")
                .filter(seen -> {
                    request.complete(seen);
                    return seen.defer(new CompletableFuture<Verdict>());
                })
                .start();
        client = new Socket(InetAddress.getLoopbackAddress(), millau.port());
        client.getOutputStream()
                .write("GET /admin/x HTTP/1.1\r\nHost: a\r\nX-Api-Key: k\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        held = (FilteredRequest) request.join();
    }

    /** Lets it go. */
    @TearDown
    public void stop() throws IOException {
        client.close();
        millau.close();
    }

    /** The view is made, and all filters look. */
    @Benchmark
    public int look() {
        new FilteredRequest(held.downstream, held.thread, guard, 0).run(all, this);
        return proceeded;
    }

    @Override
    public void proceed(FilteredRequest request) {
        proceeded++;
    }

    @Override
    public void reply(FilteredRequest request, FilterReply reply) {
        throw new IllegalStateException("expected every filter to proceed");
    }

    @Override
    public void waits(FilteredRequest request) {
        throw new IllegalStateException("expected every filter to proceed");
    }
}
