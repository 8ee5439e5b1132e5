package io.millau.core;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntUnaryOperator;

/**
 * What routing costs with 10,000 services of 5 endpoints each: building a snapshot, and matching one request. Stands in the
 * core's package to measure the match itself. Prints the table of {@code bench/README.md}.
 */
public final class ScaleBenchmark {

    private static final int SERVICES = 10_000;
    private static final int ENDPOINTS = 5;
    private static final int REQUESTS = 1 << 16;
    private static final int ROUNDS = 21;

    private final List<Service> services = new ArrayList<>();
    private final String[] hosts = new String[REQUESTS];
    private final String[] paths = new String[REQUESTS];

    private ScaleBenchmark() throws UnknownHostException {
        for (int i = 0; i < SERVICES; i++) {
            List<Endpoint> endpoints = new ArrayList<>();
            for (int e = 0; e < ENDPOINTS; e++) {
                InetAddress address = InetAddress.getByAddress(new byte[] {10, (byte) (i >> 8), (byte) i, (byte) e});
                endpoints.add(Endpoint.http("task-" + i + "-" + e, address, 8080));
            }
            services.add(Service.named("service-" + i)
                    .hosts("shop-" + i / 4 + ".example.com")
                    .path(new String[] {"/", "/api/", "/api/orders/", "/static/"}[i % 4])
                    .endpoints(endpoints)
                    .build());
        }
        Random random = new Random(1);
        for (int i = 0; i < REQUESTS; i++) {
            hosts[i] = "www.shop-" + random.nextInt(SERVICES / 4) + ".example.com:443";
            paths[i] = new String[] {"/", "/api/users", "/api/orders/4711/items", "/index.html"}[random.nextInt(4)];
        }
    }

    /** Runs it; takes some ten seconds. */
    public static void main(String[] arguments) throws UnknownHostException {
        new ScaleBenchmark().run();
    }

    private void run() {
        System.out.printf("JDK %s, %d services with %d endpoints each%n%n", Runtime.version(), SERVICES, ENDPOINTS);
        System.out.println("| what | median | best | worst | bytes allocated |");
        System.out.println("|---|---|---|---|---|");
        snapshot();
        RouteTable table = table();
        Router router = new Router();
        router.replace(services);
        perRequest("nothing (baseline)", i -> hosts[i].length() + paths[i].length());
        perRequest("match a host and a path", i -> table.match(hosts[i], paths[i]) == null ? 0 : 1);
        perRequest("open a request and take its endpoint", i -> {
            Delivery delivery = router.open(hosts[i], paths[i], "GET");
            if (delivery == null || delivery.next() == null) {
                throw new AssertionError(hosts[i] + paths[i] + " fits nothing");
            }
            delivery.report(Outcome.DELIVERED);
            delivery.close();
            return 1;
        });
    }

    private RouteTable table() {
        List<Pool.Member> members = new ArrayList<>();
        for (Service service : services) {
            EndpointState[] targets = service.endpoints().stream()
                    .map(endpoint -> new EndpointState(endpoint, 0, false))
                    .toArray(EndpointState[]::new);
            members.add(new Pool.Member(
                    service, targets, new ServiceState(System.nanoTime()), LoadBalancer.roundRobin(), null));
        }
        return new RouteTable(members, route -> new AtomicInteger());
    }

    /** A router that already knows the services gets them again, as on every event of an engine. */
    private void snapshot() {
        Router router = new Router();
        router.replace(services);
        List<Double> millis = new ArrayList<>();
        for (int i = 0; i < ROUNDS; i++) {
            List<Service> again = new ArrayList<>(services);
            Collections.shuffle(again, new Random(i));
            long began = System.nanoTime();
            router.replace(again);
            millis.add((System.nanoTime() - began) / 1e6);
        }
        row("build and swap a snapshot", millis, "ms", "");
    }

    private void perRequest(String what, IntUnaryOperator operation) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        List<Double> nanos = new ArrayList<>();
        int sum = 0;
        long allocated = 0;
        for (int round = -ROUNDS; round < ROUNDS; round++) {
            long bytes = threads.getCurrentThreadAllocatedBytes();
            long began = System.nanoTime();
            for (int i = 0; i < REQUESTS; i++) {
                sum += operation.applyAsInt(i);
            }
            double each = (double) (System.nanoTime() - began) / REQUESTS;
            allocated = threads.getCurrentThreadAllocatedBytes() - bytes;
            if (round >= 0) { // those before warm the compiler up
                nanos.add(each);
            }
        }
        if (sum == 0) {
            throw new AssertionError("nothing was measured");
        }
        row(what, nanos, "ns", String.valueOf(allocated / REQUESTS));
    }

    private static void row(String what, List<Double> figures, String unit, String bytes) {
        double[] sorted = figures.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        System.out.printf(
                "| %s | %.1f %s | %.1f | %.1f | %s |%n",
                what, sorted[sorted.length / 2], unit, sorted[0], sorted[sorted.length - 1], bytes);
    }
}
