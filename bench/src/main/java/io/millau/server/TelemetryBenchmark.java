package io.millau.server;

import io.millau.core.Endpoint;
import io.millau.core.Route;
import io.millau.core.Service;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import io.millau.metrics.PrometheusMetrics;
import io.millau.server.internal.status.ChangeHistory;
import io.millau.server.internal.status.Changes;
import io.millau.server.internal.status.Status;
import io.millau.server.internal.text.Trust;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What metrics cost a request: all that listeners are told of it, as the proxy tells it. Stands in the server's package to tell
 * it through its own {@link GuardedListeners}.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
@State(Scope.Benchmark)
public class TelemetryBenchmark {

    private static final Route ROUTE = new Route("*", "/");
    private static final TrafficListener.Ingress INGRESS = new TrafficListener.Ingress(8080, "http");

    /** Each request is for another one, so that its series are as far from the processor as they are in use. */
    @Param({"1", "1000"})
    public int services;

    private GuardedListeners nobody = new GuardedListeners(List.of());
    private GuardedListeners metrics = nobody;
    private GuardedListeners everybody = nobody;
    private Service[] all = {};

    /** Two that are told the same: one does nothing, one counts. */
    @Setup
    public void listen() {
        List<Service> declared = new ArrayList<>();
        for (int i = 0; i < services; i++) {
            declared.add(Service.named("service-" + i).build());
        }
        all = declared.toArray(Service[]::new);
        nobody = new GuardedListeners(List.of(new TrafficListener() {}));
        metrics = new GuardedListeners(List.of(new PrometheusMetrics()));
        metrics.servicesReplaced(declared);
        ChangeHistory history = new ChangeHistory(Clock.systemUTC());
        Changes changes = new Changes(history, Ticker.system());
        Status status = new Status(history, Clock.systemUTC(), Ticker.system(), "bench", Trust.NOBODY, () -> true);
        List<TrafficListener> listeners = new ArrayList<>(List.of(changes));
        listeners.addAll(status.listeners());
        listeners.add(new PrometheusMetrics());
        everybody = new GuardedListeners(listeners);
        everybody.servicesReplaced(declared);
    }

    /** A listener that does nothing. */
    @Benchmark
    public void baseline(Request request) {
        tell(nobody, request);
    }

    /** Metrics. */
    @Benchmark
    public void metrics(Request request) {
        tell(metrics, request);
    }

    /** Metrics and the status page, as the standalone server has them. */
    @Benchmark
    public void metricsAndStatus(Request request) {
        tell(everybody, request);
    }

    private void tell(GuardedListeners traffic, Request request) {
        request.next(all);
        traffic.connectionBusy(INGRESS);
        traffic.requestBegan(INGRESS, request);
        traffic.requestEnded(request);
        traffic.connectionIdle(INGRESS);
    }

    /** A GET that is answered 200 with 250 bytes, or now and then 404, and a POST with a body. */
    @State(Scope.Thread)
    public static class Request implements TrafficListener.Ended, io.millau.core.Request {

        private Service service = Service.named("none").build();
        private int random;

        /** Threads differ. */
        @Setup(Level.Iteration)
        public void seed() {
            random = ThreadLocalRandom.current().nextInt();
        }

        void next(Service[] services) {
            random = random * 1_664_525 + 1_013_904_223;
            service = services[(random >>> 8) % services.length];
        }

        @Override
        public TrafficListener.Ingress ingress() {
            return INGRESS;
        }

        @Override
        public String method() {
            return (random >>> 28) == 0 ? "POST" : "GET";
        }

        @Override
        public Service service() {
            return service;
        }

        @Override
        public Route route() {
            return ROUTE;
        }

        @Override
        public @Nullable Endpoint endpoint() {
            return null;
        }

        @Override
        public TrafficListener.@Nullable LocalReason localReason() {
            return null;
        }

        @Override
        public int attempts() {
            return 1;
        }

        @Override
        public long upstreamNanos() {
            return nanos() / 2;
        }

        @Override
        public boolean delivered() {
            return true;
        }

        @Override
        public boolean clientGone() {
            return false;
        }

        @Override
        public int status() {
            return (random >>> 24 & 15) == 0 ? 404 : 200;
        }

        @Override
        public long queueNanos() {
            return 0;
        }

        @Override
        public long connectNanos() {
            return 0;
        }

        @Override
        public long firstByteNanos() {
            return 0;
        }

        @Override
        public long attemptNanos() {
            return 0;
        }

        @Override
        public long requestBytes() {
            return (random >>> 28) == 0 ? 1000 : 0;
        }

        @Override
        public long responseBytes() {
            return 250;
        }

        @Override
        public long nanos() {
            return (random >>> 8) * 10L;
        }

        @Override
        public io.millau.core.Request request() {
            return this;
        }

        @Override
        public String id() {
            return "id";
        }

        @Override
        public String address() {
            return "127.0.0.1";
        }

        @Override
        public String host() {
            return "shop.example";
        }

        @Override
        public String path() {
            return "/";
        }

        @Override
        public String protocol() {
            return "HTTP/1.1";
        }

        @Override
        public @Nullable String header(String name) {
            return null;
        }

        @Override
        public @Nullable String tlsVersion() {
            return null;
        }
    }
}
