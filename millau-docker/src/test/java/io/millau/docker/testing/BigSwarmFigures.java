package io.millau.docker.testing;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * A program that measures the standalone server with a {@linkplain BigSwarm big Swarm}: 2,000 services with 10 tasks each. Arguments: options
 * of the JVM, {@code -jar}, the runnable jar.
 */
public final class BigSwarmFigures {

    private static final int SERVICES = 2_000;
    private static final int TASKS = 10;

    private final BigSwarm swarm;
    private final int http;
    private final int telemetry;
    private final Process proxy;
    private final long started = System.nanoTime();

    private BigSwarmFigures(BigSwarm swarm, List<String> arguments) throws IOException {
        this.swarm = swarm;
        this.http = freePort();
        this.telemetry = freePort();
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(arguments);
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(new File("/dev/null"));
        builder.environment()
                .putAll(Map.of(
                        "DOCKER_HOST",
                        swarm.host(),
                        "HTTP",
                        "127.0.0.1:" + http,
                        "HTTPS",
                        "off",
                        "ACME",
                        "off",
                        "TELEMETRY",
                        "127.0.0.1:" + telemetry));
        this.proxy = builder.start();
    }

    public static void main(String[] arguments) throws Exception {
        try (BigSwarm swarm = new BigSwarm(SERVICES, TASKS, ownAddress())) {
            warmUp(swarm);
            BigSwarmFigures figures = new BigSwarmFigures(swarm, Arrays.asList(arguments));
            try {
                figures.measure();
            } finally {
                figures.proxy.destroy();
            }
        }
    }

    /** A real engine is no JVM that has just started. */
    private static void warmUp(BigSwarm swarm) throws IOException {
        URI tasks = URI.create(swarm.host().replace("tcp", "http") + "/tasks");
        for (int i = 0; i < 5; i++) {
            try (InputStream list = tasks.toURL().openStream()) {
                list.transferTo(OutputStream.nullOutputStream());
            }
        }
        swarm.takeSent();
    }

    private void measure() throws Exception {
        until(() -> serves("s0.example"), 60);
        say(
                "first snapshot: %d ms after the start of the process, %d ms of CPU, %s",
                millisSince(started), cpu().toMillis(), sent());
        say("then: %s", memory());
        TimeUnit.SECONDS.sleep(60);
        swarm.takeSent();
        Duration before = cpu();
        TimeUnit.SECONDS.sleep(60);
        say("at rest: %.1f %% of a core, in 60 s %s", cpu().minus(before).toMillis() / 600.0, sent());
        say("at rest: %s", memory());
        for (int i = 1; i <= 3; i++) {
            long changed = System.nanoTime();
            swarm.change(i);
            String host = "s" + i + "-2.example";
            until(() -> serves(host), 10);
            say("a change: seen after %d ms", millisSince(changed));
            TimeUnit.SECONDS.sleep(1);
            swarm.takeSent();
        }
        TimeUnit.SECONDS.sleep(10);
        swarm.takeSent();
        Duration beforeChanges = cpu();
        for (int i = 100; i < 189; i++) {
            swarm.change(i);
            TimeUnit.MILLISECONDS.sleep(112);
        }
        say(
                "89 changes in 10 s: %.1f %% of a core, %s",
                cpu().minus(beforeChanges).toMillis() / 100.0, sent());
        say("then: %s", memory());
        say("after a collection: %s", collected());
    }

    private boolean serves(String host) {
        try {
            HttpURLConnection explain = (HttpURLConnection)
                    URI.create("http://127.0.0.1:" + telemetry + "/explain?url=http://" + host + "/")
                            .toURL()
                            .openConnection();
            return explain.getResponseCode() == 200
                    && new String(explain.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                            .contains(host + "/ goes to ");
        } catch (IOException e) {
            return false;
        }
    }

    private static void until(BooleanSupplier condition, int seconds) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                throw new IllegalStateException("not within " + seconds + " s");
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
    }

    private String sent() {
        return "sent " + swarm.takeSent();
    }

    private Duration cpu() {
        return proxy.info().totalCpuDuration().orElseThrow();
    }

    private String memory() throws IOException {
        return run("grep", "VmRSS", "/proc/" + proxy.pid() + "/status") + "; "
                + run("jcmd", "" + proxy.pid(), "GC.heap_info");
    }

    private String collected() throws IOException {
        run("jcmd", "" + proxy.pid(), "GC.run");
        return run("jcmd", "" + proxy.pid(), "GC.heap_info");
    }

    private static String run(String... command) throws IOException {
        Process process = new ProcessBuilder(command).start();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            return lines.lines()
                    .filter(line -> line.contains("used") || line.contains("RSS"))
                    .map(String::strip)
                    .toList()
                    .toString();
        }
    }

    private static long millisSince(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
    }

    private static void say(String format, Object... values) {
        System.out.printf(format + "%n", values);
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    /** An address of this machine: the proxy shares its network, and no request is sent there. */
    private static String ownAddress() throws IOException {
        return NetworkInterface.networkInterfaces()
                .flatMap(device -> device.getInterfaceAddresses().stream())
                .filter(own -> own.getAddress() instanceof Inet4Address
                        && !own.getAddress().isLoopbackAddress())
                .map(own -> own.getAddress().getHostAddress() + "/" + own.getNetworkPrefixLength())
                .findFirst()
                .orElseThrow(() -> new IOException("this machine has loopback addresses only"));
    }
}
