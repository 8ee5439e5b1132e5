package io.millau.bench;

import io.millau.core.Endpoint;
import io.millau.core.LoadBalancer;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.server.Millau;
import io.undertow.Undertow;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Phaser;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Load balancers on uneven replicas: those that Millau has, and the better of two by chance, by connections alone (P2C).
 *
 * <p>Four replicas serve a few requests at once, the others wait there, and a request takes 10 ms on average (exponentially
 * distributed). Requests come by chance (Poisson) at 60 % of what the replicas can serve together. Times are from the moment a
 * request was due.
 */
public final class Balancers {

    private static final int REPLICAS = 4;
    private static final int WORKERS = 4;
    private static final double MEAN_MILLIS = 10;
    private static final double LOAD = 0.6;
    private static final int WARM_UP_SECONDS = 3;

    private static final ScheduledExecutorService TIMER = Executors.newScheduledThreadPool(1, task -> {
        Thread thread = new Thread(task, "replicas");
        thread.setDaemon(true);
        return thread;
    });

    /** What is wrong with the first of the replicas. */
    private enum Trouble {
        NONE,
        FOUR_TIMES_AS_SLOW,
        ONE_WORKER,
        PAUSES_OF_300_MS
    }

    private Balancers() {}

    /** Argument: the seconds of each run, 20 by default. */
    public static void main(String[] arguments) throws Exception {
        int seconds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 20;
        Map<String, LoadBalancer> balancers = new LinkedHashMap<>();
        balancers.put("round-robin", LoadBalancer.roundRobin());
        balancers.put("least-connections", LoadBalancer.leastConnections());
        balancers.put("P2C", Balancers::fewerOfTwo);
        balancers.put("least-time", LoadBalancer.leastTime());
        System.out.println("| first replica | balancer | mean, ms | p50 | p99 | p99.9 | requests |");
        System.out.println("|---|---|---|---|---|---|---|");
        for (Trouble trouble : Trouble.values()) {
            for (Map.Entry<String, LoadBalancer> balancer : balancers.entrySet()) {
                long[] micros = run(trouble, balancer.getValue(), seconds);
                System.out.printf(
                        "| %s | %s | %.1f | %.1f | %.1f | %.1f | %d |%n",
                        trouble.name().toLowerCase(Locale.ROOT).replace('_', ' '),
                        balancer.getKey(),
                        Arrays.stream(micros).average().orElse(0) / 1000,
                        at(micros, 0.5),
                        at(micros, 0.99),
                        at(micros, 0.999),
                        micros.length);
            }
        }
        System.exit(0);
    }

    private static double at(long[] sorted, double share) {
        return sorted[(int) ((sorted.length - 1) * share)] / 1000.0;
    }

    /** The times of all requests, in microseconds, sorted. */
    private static long[] run(Trouble trouble, LoadBalancer balancer, int seconds) throws Exception {
        List<Undertow> servers = new ArrayList<>();
        Endpoint[] endpoints = new Endpoint[REPLICAS];
        double capacity = 0;
        for (int i = 0; i < REPLICAS; i++) {
            Replica replica = new Replica(i == 0 ? trouble : Trouble.NONE);
            capacity += replica.requestsPerSecond();
            Undertow server = Undertow.builder()
                    .setIoThreads(1)
                    .setWorkerThreads(1)
                    .addHttpListener(0, "127.0.0.1", replica)
                    .build();
            server.start();
            servers.add(server);
            InetSocketAddress address =
                    (InetSocketAddress) server.getListenerInfo().get(0).getAddress();
            endpoints[i] = Endpoint.http(address);
        }
        try (Millau millau = Millau.builder()
                .http("127.0.0.1:0")
                .balancer(balancer)
                .source(ServiceSource.of(
                        Service.named("app").endpoints(endpoints).build()))
                .start()) {
            return load(millau.port(), capacity * LOAD, seconds);
        } finally {
            servers.forEach(Undertow::stop);
        }
    }

    private static long[] load(int port, double perSecond, int seconds) throws IOException {
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/"))
                .build();
        long start = System.nanoTime();
        long measuredFrom = start + TimeUnit.SECONDS.toNanos(WARM_UP_SECONDS);
        long end = measuredFrom + TimeUnit.SECONDS.toNanos(seconds);
        long[] micros = new long[(int) (perSecond * seconds * 1.2) + 100];
        AtomicInteger count = new AtomicInteger();
        AtomicInteger failures = new AtomicInteger();
        Phaser open = new Phaser(1);
        for (double due = start;
                due < end;
                due += -Math.log(1 - ThreadLocalRandom.current().nextDouble()) / perSecond * 1e9) {
            long dueNanos = (long) due;
            while (System.nanoTime() < dueNanos) {
                LockSupport.parkNanos(dueNanos - System.nanoTime());
            }
            open.register();
            client.sendAsync(request, BodyHandlers.discarding()).whenComplete((response, failure) -> {
                if (failure != null || response.statusCode() != 200) {
                    failures.incrementAndGet();
                } else if (dueNanos >= measuredFrom) {
                    micros[count.getAndIncrement()] = TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - dueNanos);
                }
                open.arriveAndDeregister();
            });
        }
        open.arriveAndAwaitAdvance();
        if (failures.get() > 0) {
            throw new IOException(failures + " requests failed");
        }
        long[] all = Arrays.copyOf(micros, count.get());
        Arrays.sort(all);
        return all;
    }

    /** A server with a few workers, whose time is only counted. */
    private static final class Replica implements HttpHandler {
        private final double meanNanos;
        private final boolean pauses;
        private final long[] freeAt;

        Replica(Trouble trouble) {
            meanNanos = MEAN_MILLIS * 1e6 * (trouble == Trouble.FOUR_TIMES_AS_SLOW ? 4 : 1);
            pauses = trouble == Trouble.PAUSES_OF_300_MS;
            freeAt = new long[trouble == Trouble.ONE_WORKER ? 1 : WORKERS];
            Arrays.fill(freeAt, System.nanoTime());
        }

        double requestsPerSecond() {
            return freeAt.length / meanNanos * 1e9;
        }

        @Override
        public void handleRequest(HttpServerExchange exchange) {
            long now = System.nanoTime();
            long end = end(now);
            exchange.dispatch(
                    SameThreadExecutor.INSTANCE,
                    () -> TIMER.schedule(
                            () -> exchange.getIoThread().execute(exchange::endExchange),
                            end - now,
                            TimeUnit.NANOSECONDS));
        }

        private synchronized long end(long now) {
            int worker = 0;
            for (int i = 1; i < freeAt.length; i++) {
                if (freeAt[i] < freeAt[worker]) {
                    worker = i;
                }
            }
            long start = Math.max(now, freeAt[worker]);
            if (pauses) { // in the first 300 ms of each 2 s
                long inPeriod = Math.floorMod(start, TimeUnit.SECONDS.toNanos(2));
                start += Math.max(0, TimeUnit.MILLISECONDS.toNanos(300) - inPeriod);
            }
            freeAt[worker] =
                    start + (long) (-Math.log(1 - ThreadLocalRandom.current().nextDouble()) * meanNanos);
            return freeAt[worker];
        }
    }

    private static int fewerOfTwo(LoadBalancer.Candidates candidates) {
        int size = candidates.size();
        if (size == 1) {
            return 0;
        }
        int one = ThreadLocalRandom.current().nextInt(size);
        int other = (one + 1 + ThreadLocalRandom.current().nextInt(size - 1)) % size;
        return candidates.openRequests(other) < candidates.openRequests(one) ? other : one;
    }
}
