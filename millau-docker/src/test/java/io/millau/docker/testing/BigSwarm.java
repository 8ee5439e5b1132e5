package io.millau.docker.testing;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The Docker Engine of a manager of a big Swarm, by script: services {@code s0}, {@code s1} and so on for hosts such as
 * {@code s0.example}, with running tasks of about the size that a real engine sends. It filters by service as an engine does, and counts what it
 * sends.
 */
public final class BigSwarm implements AutoCloseable {

    private static final Pattern QUERY = Pattern.compile("\"(id|service)\":\\[([^]]*)]");

    /** What real services and tasks have and Millau doesn't read: environment, mounts, resources, platforms. */
    private static final String BALLAST = IntStream.range(0, 22)
            .mapToObj(i -> "\"SETTING_NUMBER_" + i + "=a value of a common length\"")
            .toList()
            .toString();

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "big-swarm");
        thread.setDaemon(true);
        return thread;
    });
    private final List<BlockingQueue<String>> streams = new CopyOnWriteArrayList<>();
    private final Map<Integer, Entry> services = new ConcurrentHashMap<>();
    private final Map<String, AtomicLong> sent = new ConcurrentHashMap<>();
    private final AtomicLong bytes = new AtomicLong();
    private final int tasksOfEach;
    private final String address;

    private record Entry(int version, byte[] service, List<byte[]> tasks) {}

    /** @param address of all tasks, for example {@code 10.0.1.3/24} */
    public BigSwarm(int services, int tasksOfEach, String address) throws IOException {
        this.tasksOfEach = tasksOfEach;
        this.address = address;
        for (int i = 0; i < services; i++) {
            set(i, 1);
        }
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::respond);
        server.start();
    }

    /** Its address, as {@code DOCKER_HOST} is written. */
    public String host() {
        return "tcp://127.0.0.1:" + server.getAddress().getPort();
    }

    /** Replaces the tasks of a service, and its hosts by {@code sNUMBER-VERSION.example}; sends an event. */
    public void change(int number) {
        Entry before = services.get(number);
        set(number, before == null ? 1 : before.version + 1);
        String event = """
                {"Type":"service","Action":"update","Actor":{"ID":"%s","Attributes":{"name":"s%d"}},"scope":"swarm"}
                """.formatted(id("service", number, 0), number);
        streams.forEach(stream -> stream.add(event));
    }

    /** The version of a service, which is in its host name from the second on. */
    public int version(int number) {
        Entry entry = services.get(number);
        return entry == null ? 0 : entry.version;
    }

    /** The paths that were asked for, with the number of bytes sent; then empties the list. */
    public Map<String, Long> takeSent() {
        Map<String, Long> taken = new TreeMap<>();
        sent.forEach((path, count) -> taken.put(path, count.get()));
        sent.clear();
        return taken;
    }

    /** How many bytes were sent so far. */
    public long bytes() {
        return bytes.get();
    }

    private void set(int number, int version) {
        String host = version == 1 ? "s" + number : "s" + number + "-" + version;
        String service = """
                {"ID":"%s","Version":{"Index":%d},"CreatedAt":"2026-11-01T10:00:00.0Z","UpdatedAt":"2026-11-01T10:00:00.0Z",\
                "Spec":{"Name":"s%d","Labels":{"com.docker.stack.namespace":"shop","millau.enabled":"true","millau.port":"8080","millau.hosts":"%s.example"},\
                "TaskTemplate":{"ContainerSpec":{"Image":"shop:1","Labels":{"com.docker.stack.namespace":"shop"},"Env":%s},"Networks":[{"Target":"net"}],"ForceUpdate":0},\
                "Mode":{"Replicated":{"Replicas":%d}}},\
                "PreviousSpec":{"Name":"s%d","TaskTemplate":{"ContainerSpec":{"Image":"shop:0","Env":%s}}},\
                "Endpoint":{"Spec":{"Mode":"vip"},"VirtualIPs":[{"NetworkID":"net","Addr":"%s"}]}}""".formatted(
                id("service", number, 0), version, number, host, BALLAST, tasksOfEach, number, BALLAST, address);
        List<byte[]> tasks = IntStream.range(0, tasksOfEach)
                .mapToObj(i -> task(number, version, i).getBytes(StandardCharsets.UTF_8))
                .toList();
        services.put(number, new Entry(version, service.getBytes(StandardCharsets.UTF_8), tasks));
    }

    private String task(int number, int version, int i) {
        return """
                {"ID":"%s","Version":{"Index":4711},"CreatedAt":"2026-11-01T10:00:00.0Z","UpdatedAt":"2026-11-01T10:00:00.0Z","Labels":{},\
                "Spec":{"ContainerSpec":{"Image":"shop:1","Labels":{"com.docker.stack.namespace":"shop"},"Env":%s},"Networks":[{"Target":"net"}],"ForceUpdate":0},\
                "ServiceID":"%s","Slot":%d,"NodeID":"%s",\
                "Status":{"Timestamp":"2026-11-01T10:00:00.0Z","State":"running","Message":"started","ContainerStatus":{"ContainerID":"%s","PID":4711,"ExitCode":0},"PortStatus":{}},\
                "DesiredState":"running","NetworksAttachments":[{"Network":{"ID":"net","Version":{"Index":11},"CreatedAt":"2026-11-01T10:00:00.0Z",\
                "Spec":{"Name":"shop","Labels":{"com.docker.stack.namespace":"shop"},"DriverConfiguration":{"Name":"overlay"},"IPAMOptions":{"Driver":{"Name":"default"}},"Scope":"swarm"},\
                "DriverState":{"Name":"overlay","Options":{"com.docker.network.driver.overlay.vxlanid_list":"4097"}},\
                "IPAMOptions":{"Driver":{"Name":"default"},"Configs":[{"Subnet":"10.0.1.0/16","Gateway":"10.0.1.1"}]}},"Addresses":["%s"]}],"Volumes":null}""".formatted(
                        id("task" + i, number, version),
                        BALLAST,
                        id("service", number, 0),
                        i + 1,
                        id("node", i, 0),
                        id("container", number, i).repeat(2),
                        address);
    }

    /** 25 characters, as Swarm has them. */
    private static String id(String kind, int number, int version) {
        return "%-25s".formatted(kind + number + "v" + version).replace(' ', 'x');
    }

    private void respond(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        String query = exchange.getRequestURI().getRawQuery();
        Matcher filter = QUERY.matcher(query == null ? "" : URLDecoder.decode(query, StandardCharsets.UTF_8));
        String ids = filter.find() ? filter.group(2) : null;
        switch (path) {
            case "/events" -> stream(exchange);
            case "/info" ->
                send(exchange, path, "{\"Swarm\":{\"LocalNodeState\":\"active\",\"ControlAvailable\":true}}");
            case "/services" -> sendList(exchange, path, ids, entry -> List.of(entry.service));
            case "/tasks" -> sendList(exchange, path, ids, Entry::tasks);
            default -> send(exchange, path, "[]");
        }
    }

    private interface Elements {
        List<byte[]> of(Entry entry);
    }

    private void sendList(HttpExchange exchange, String path, @Nullable String ids, Elements elements)
            throws IOException {
        long count = 2;
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream out = new BufferedOutputStream(exchange.getResponseBody(), 32 * 1024)) {
            out.write('[');
            for (Map.Entry<Integer, Entry> entry : services.entrySet()) {
                if (ids == null || ids.contains(id("service", entry.getKey(), 0))) {
                    for (byte[] element : elements.of(entry.getValue())) {
                        if (count > 2) {
                            out.write(',');
                        }
                        out.write(element);
                        count += element.length + 1;
                    }
                }
            }
            out.write(']');
        }
        sent(path + (ids == null ? "" : " of some services"), count);
    }

    private void send(HttpExchange exchange, String path, String body) throws IOException {
        byte[] bytesOfBody = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, bytesOfBody.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(bytesOfBody);
        }
        sent(path, bytesOfBody.length);
    }

    private void sent(String path, long count) {
        bytes.addAndGet(count);
        sent.computeIfAbsent(path, p -> new AtomicLong()).addAndGet(count);
    }

    private void stream(HttpExchange exchange) throws IOException {
        BlockingQueue<String> stream = new LinkedBlockingQueue<>();
        streams.add(stream);
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream out = exchange.getResponseBody()) {
            out.flush();
            while (true) {
                out.write(stream.take().getBytes(StandardCharsets.UTF_8));
                out.flush();
            }
        } catch (InterruptedException e) {
            // Closed.
        } finally {
            streams.remove(stream);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
