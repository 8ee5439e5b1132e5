package io.millau.bench;

import com.sun.net.httpserver.HttpServer;
import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.TrafficListener;
import io.millau.core.UpstreamTls;
import io.millau.metrics.PrometheusMetrics;
import io.millau.server.BuffersInUse;
import io.millau.server.Millau;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * Millau as {@code bench/run soak} needs it: with endpoints that fail among those that work, and a new snapshot every 100
 * ms, in which those that fail are new ones, so that they are tried again. Some endpoints speak TLS and h2c: those are a second
 * Millau in the same process. On another port it tells what it holds after a full collection: {@code /census}. {@code /end}
 * takes all services away.
 */
public final class Soak {

    private static final int PERIOD_MILLIS = 100;

    private final int good;
    private final int closing;
    private final int silent;
    private final int refusing;
    private final Pem pem;
    private final InMemoryServices services = ServiceSource.of();
    private final AtomicBoolean ended = new AtomicBoolean();
    private final LongAdder failures = new LongAdder();
    private int snapshots;

    private int innerHttp;
    private int innerHttps;
    private int echo;

    private Soak(int good, int closing, int silent, int refusing, Pem pem) {
        this.pem = pem;
        this.good = good;
        this.closing = closing;
        this.silent = silent;
        this.refusing = refusing;
    }

    /**
     * Arguments: the ports to listen on for HTTP, HTTPS and the census; of the backend the port that answers, the one that
     * closes, the one that is silent and one where nobody listens; and the folder of the certificate.
     */
    public static void main(String[] arguments) throws IOException, GeneralSecurityException {
        int[] ports = List.of(arguments).subList(0, 7).stream()
                .mapToInt(Integer::parseInt)
                .toArray();
        Pem pem = Pem.read(Path.of(arguments[7]));
        new Soak(ports[3], ports[4], ports[5], ports[6], pem).run(ports[0], ports[1], ports[2]);
    }

    private void run(int http, int https, int census) throws IOException {
        Millau inner = millau("127.0.0.1:0", "127.0.0.1:0")
                .source(ServiceSource.of(Service.named("good")
                        .endpoints(endpoint("good", 1, good))
                        .build()))
                .start();
        innerHttp = inner.addresses().get(0).getPort();
        innerHttps = inner.addresses().get(1).getPort();
        echo = startEcho();
        change();
        Millau outer = millau("127.0.0.1:" + http, "127.0.0.1:" + https)
                .source(services)
                .listener(new PrometheusMetrics())
                .listener(new TrafficListener() {
                    @Override
                    public void attemptFailed(Failed attempt) {
                        failures.increment();
                    }
                })
                .start();
        ScheduledExecutorService changes = Executors.newSingleThreadScheduledExecutor();
        changes.scheduleAtFixedRate(this::change, PERIOD_MILLIS, PERIOD_MILLIS, TimeUnit.MILLISECONDS);

        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), census), 0);
        server.createContext("/", exchange -> {
            if (exchange.getRequestURI().getPath().equals("/end")) {
                ended.set(true);
                change();
            }
            int inUse = BuffersInUse.of(inner) + BuffersInUse.of(outer);
            byte[] answer = census(inUse).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
    }

    private Millau.Builder millau(String http, String https) {
        return Millau.builder()
                .http(http)
                .https(https)
                .certificates(CertificateSource.of(new Certificate(pem.key(), List.of(pem.certificate()))));
    }

    /** Accepts each upgrade and sends back what it gets, as a WebSocket could. */
    private static int startEcho() throws IOException {
        ServerSocket server = new ServerSocket(0, 100, InetAddress.getByName("127.0.0.1"));
        daemon(() -> {
            while (true) {
                Socket client = server.accept();
                daemon(() -> {
                    try (client) {
                        InputStream in = client.getInputStream();
                        int ends = 0;
                        while (ends < 4) { // CR LF CR LF
                            int next = in.read();
                            ends = next < 0 ? 4 : next == '\r' || next == '\n' ? ends + 1 : 0;
                        }
                        client.getOutputStream()
                                .write(
                                        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                                                .getBytes(StandardCharsets.US_ASCII));
                        in.transferTo(client.getOutputStream());
                    }
                });
            }
        });
        return server.getLocalPort();
    }

    private interface Task {
        void run() throws IOException;
    }

    private static void daemon(Task task) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (IOException e) {
                // the client is gone
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private synchronized void change() {
        if (ended.get()) {
            services.replace();
            return;
        }
        int change = snapshots++;
        List<Endpoint> mixed = new ArrayList<>();
        for (int i = 1; i <= 3; i++) {
            mixed.add(endpoint("good-" + i, i, good));
        }
        mixed.add(endpoint("good-4-" + change, 4, good));
        for (int i = 5; i <= 6; i++) {
            mixed.add(endpoint("refuses-" + i + "-" + change, i, refusing));
            mixed.add(endpoint("closes-" + i + "-" + change, i, closing));
        }
        mixed.add(Endpoint.h2c("h2c", loopback(1), innerHttp));
        mixed.add(Endpoint.https(
                "https", loopback(1), innerHttps, new UpstreamTls(Set.of(pem.certificate()), "localhost")));
        List<Service> all = new ArrayList<>();
        all.add(Service.named("echo")
                .hosts("echo.example")
                .endpoints(endpoint("echo", 1, echo))
                .build());
        all.add(Service.named("mixed")
                .hosts("mixed.example")
                .retryUnsafe(true)
                .retry(Duration.ofSeconds(1))
                .endpoints(mixed)
                .build());
        all.add(Service.named("slow")
                .hosts("slow.example")
                .timeout(Duration.ofMillis(500))
                .retry(Duration.ofSeconds(2))
                .endpoints(
                        endpoint("good-1", 1, good),
                        endpoint("good-2", 2, good),
                        endpoint("silent-" + change / 10, 7, silent))
                .build());
        for (int i = 0; i < 100; i++) {
            int number = change + i; // the oldest goes, a new one comes
            all.add(Service.named("other-" + number)
                    .hosts("other-" + number + ".example")
                    .endpoints(endpoint("other-" + number, 8, good))
                    .build());
        }
        services.replace(all);
    }

    private static Endpoint endpoint(String id, int lastByte, int port) {
        return Endpoint.http(id, loopback(lastByte), port);
    }

    private static InetAddress loopback(int lastByte) {
        try {
            return InetAddress.getByAddress(new byte[] {127, 0, 0, (byte) lastByte});
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What it holds, as JSON: heap and direct buffers after a full collection, and its objects by class. */
    private String census(int inUse) {
        BufferPoolMXBean direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .findFirst()
                .orElseThrow();
        long before = direct.getCount();
        System.gc();
        String objects = objects();
        System.gc();
        return String.format(
                Locale.ROOT,
                "{\"heap\": %d, \"inUse\": %d, \"direct\": %d, \"directBytes\": %d, \"directCollected\": %d,"
                        + " \"failures\": %d, \"snapshots\": %d, \"objects\": {%s}}",
                ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
                inUse,
                direct.getCount(),
                direct.getMemoryUsed(),
                before - direct.getCount(),
                failures.sum(),
                snapshots,
                objects);
    }

    /** How many live objects there are of each class of Millau, Undertow and XNIO. */
    private static String objects() {
        String histogram;
        try {
            histogram = (String) ManagementFactory.getPlatformMBeanServer()
                    .invoke(
                            new ObjectName("com.sun.management:type=DiagnosticCommand"),
                            "gcClassHistogram",
                            new Object[] {new String[0]},
                            new String[] {String[].class.getName()});
        } catch (JMException e) {
            throw new IllegalStateException(e);
        }
        return histogram
                .lines()
                .map(line -> line.strip().split("\\s+"))
                .filter(fields ->
                        fields.length >= 4 && fields[3].matches("(io\\.millau|io\\.undertow|org\\.xnio)\\..*"))
                .collect(Collectors.toMap(fields -> fields[3], fields -> fields[1], (a, b) -> a, TreeMap::new))
                .entrySet()
                .stream()
                .map(entry -> "\"" + entry.getKey() + "\": " + entry.getValue())
                .collect(Collectors.joining(", "));
    }
}
