package io.millau.docker.testing;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A Docker Engine for tests: that of the environment, or one started by the test, which may be stopped, frozen and put into
 * a Swarm.
 *
 * <p>A started engine has its own temporary folder and network namespace, so that several can run beside each other and
 * beside the machine's engine. Ports that its containers publish are at {@link #address()}. It needs root and {@code
 * dockerd} ({@link RequiresOwnDocker}), and is removed completely when it is closed, or when the JVM ends.
 *
 * <p>No registry can be reached: images come from {@link #hostImage} or {@link #load}.
 */
public final class Engine implements AutoCloseable {

    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration STOP = Duration.ofSeconds(30);

    private final String host;
    private final @Nullable Daemon daemon;

    private Engine(String host, @Nullable Daemon daemon) {
        this.host = host;
        this.daemon = daemon;
    }

    /** The engine at {@code DOCKER_HOST}, else at the default socket. */
    public static Engine ofEnvironment() {
        String host = System.getenv("DOCKER_HOST");
        return new Engine(host == null || host.isBlank() ? "unix:///var/run/docker.sock" : host, null);
    }

    /**
     * Starts an engine and waits until it responds.
     *
     * @param options additional options of {@code dockerd}
     */
    public static Engine start(String... options) {
        Daemon daemon = new Daemon(List.of(options));
        Engine engine = new Engine("unix://" + daemon.folder.resolve("docker.sock"), daemon);
        try {
            engine.startAgain();
            return engine;
        } catch (RuntimeException | Error e) {
            engine.close();
            throw e;
        }
    }

    /** Its address, in the form of {@code DOCKER_HOST}. */
    public String host() {
        return host;
    }

    /** The IP address of the ports that its containers publish. */
    public String address() {
        return daemon == null ? "127.0.0.1" : daemon.site.address();
    }

    /** The IP address at which containers of a started engine reach this machine. */
    public String gateway() {
        return own().site.host();
    }

    /**
     * Runs the {@code docker} command against it.
     *
     * @return its output, without the last line break
     * @throws AssertionError if it fails, with its output
     */
    public String docker(String... arguments) {
        return docker(null, arguments);
    }

    private String docker(@Nullable Path input, String... arguments) {
        return Shell.run(command(arguments), Map.of("DOCKER_HOST", host), input);
    }

    private static List<String> command(String... arguments) {
        List<String> command = new ArrayList<>(List.of("docker"));
        command.addAll(List.of(arguments));
        return command;
    }

    /** Whether it responds. */
    public boolean answers() {
        return problem().isEmpty();
    }

    /** Why it does not respond; empty if it does. */
    Optional<String> problem() {
        try {
            Shell.Result result = Shell.attempt(
                    command("version", "--format", "{{.Server.Version}}"), Map.of("DOCKER_HOST", host), null);
            return result.status() == 0
                    ? Optional.empty()
                    : Optional.of(result.err().strip());
        } catch (AssertionError e) {
            return Optional.of(e.getMessage() + (e.getCause() == null ? "" : ": " + e.getCause()));
        }
    }

    /** Makes it the first manager of a new Swarm. */
    public void initSwarm() {
        docker("swarm", "init", "--advertise-addr", address());
    }

    /** Makes it a worker of a manager's Swarm. */
    public void joinSwarm(Engine manager) {
        String token = manager.docker("swarm", "join-token", "--quiet", "worker");
        docker("swarm", "join", "--advertise-addr", address(), "--token", token, manager.address() + ":2377");
    }

    /**
     * Makes a small image of the machine's shell and a few tools; its container only waits until it is stopped.
     *
     * @param changes for {@code docker import --change}, for example {@code EXPOSE 8080/tcp}
     */
    public void hostImage(String name, String... changes) {
        List<String> all =
                new ArrayList<>(List.of("CMD [\"sh\", \"-c\", \"trap 'exit 0' TERM; sleep 2147483647 & wait\"]"));
        all.addAll(List.of(changes));
        hostImage(name, List.of("sh", "sleep", "touch", "rm", "cat"), all);
    }

    /** Makes an image of some of the machine's commands, and the libraries that they need. */
    public void hostImage(String name, List<String> commands, List<String> changes) {
        List<String> arguments = new ArrayList<>(List.of("import"));
        for (String change : changes) {
            arguments.add("--change");
            arguments.add(change);
        }
        arguments.add("-");
        arguments.add(name);
        try (HostFiles files = HostFiles.of(commands.toArray(new String[0]))) {
            docker(files.tar(), arguments.toArray(new String[0]));
        }
    }

    /** Copies an image from another engine. */
    public void load(Engine from, String image) {
        try {
            Path tar = Files.createTempFile("millau-image-", ".tar");
            try {
                from.docker("save", "--output", tar.toString(), image);
                docker("load", "--input", tar.toString());
            } finally {
                Files.delete(tar);
            }
        } catch (IOException e) {
            throw new AssertionError("copying " + image, e);
        }
    }

    /** Stops it as the machine's service manager would, and waits until it has ended. */
    public void stop() {
        own().end("TERM");
    }

    /** Kills it; its containers continue if it was started with {@code --live-restore}. */
    public void kill() {
        own().kill();
    }

    /** Kills it and all its containers, as if the machine had failed. */
    public void crash() {
        own().crash();
    }

    /** Starts it after {@link #stop}, {@link #kill} or {@link #crash}, with its data, and waits until it responds. */
    public void startAgain() {
        Daemon own = own();
        own.begin();
        await().atMost(START)
                .pollInterval(Duration.ofMillis(100))
                .conditionEvaluationListener(evaluated -> own.checkAlive())
                .until(this::answers);
    }

    /** Makes it hang: it accepts connections but does not respond. */
    public void freeze() {
        own().signal("STOP");
    }

    /** Ends {@link #freeze}. */
    public void thaw() {
        own().signal("CONT");
    }

    /** Its log so far. */
    public String log() {
        return own().log();
    }

    private Daemon own() {
        if (daemon == null) {
            throw new IllegalStateException(host + " is the environment's engine and not ours");
        }
        return daemon;
    }

    /** Stops a started engine and removes its data; the environment's engine is not changed. */
    @Override
    public void close() {
        if (daemon != null) {
            daemon.close();
        }
    }

    @Override
    public String toString() {
        return host;
    }

    /** The process of a started engine. */
    private static final class Daemon {
        private final Path folder;
        private final Site site;
        private final List<String> options;
        private final Thread atExit = new Thread(this::remove);
        private @Nullable Process process;
        private boolean closed;

        Daemon(List<String> options) {
            this.options = options;
            try {
                folder = Files.createTempDirectory("millau-engine-");
            } catch (IOException e) {
                throw new AssertionError("no temporary folder", e);
            }
            site = Site.open();
            Runtime.getRuntime().addShutdownHook(atExit);
        }

        void begin() {
            List<String> command = new ArrayList<>(List.of(
                    "nsenter",
                    "--net=/run/netns/" + site.name(),
                    "unshare",
                    "--uts",
                    "sh",
                    "-c",
                    "hostname \"$0\" && exec \"$@\"",
                    site.name(),
                    "dockerd",
                    "--data-root",
                    folder.resolve("data").toString(),
                    "--exec-root",
                    folder.resolve("exec").toString(),
                    "--pidfile",
                    folder.resolve("pid").toString(),
                    "--host",
                    "unix://" + folder.resolve("docker.sock")));
            command.addAll(options);
            try {
                // A killed daemon leaves its pid file, and the pid may belong to another process by now.
                Files.deleteIfExists(folder.resolve("pid"));
                process = new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(
                                folder.resolve("log").toFile()))
                        .start();
            } catch (IOException e) {
                throw new AssertionError("dockerd can't be started", e);
            }
        }

        void checkAlive() {
            if (process == null || !process.isAlive()) {
                throw new AssertionError("dockerd has ended:\n" + log());
            }
        }

        void signal(String name) {
            if (process != null && process.isAlive()) {
                Shell.run("kill", "-" + name, String.valueOf(process.pid()));
            }
        }

        void end(String signal) {
            signal(signal);
            try {
                if (process != null && !process.waitFor(STOP.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw new AssertionError("dockerd hasn't ended within " + STOP + ":\n" + log());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted", e);
            }
        }

        void kill() {
            end("KILL");
            // Its containerd must end too: one that is still ending prevents the next engine from starting its own.
            await().atMost(STOP).until(() -> processes().noneMatch(left -> left.contains("containerd.toml")));
            forgetContainerd();
        }

        void crash() {
            List<ProcessHandle> all = withContainers().toList();
            all.forEach(ProcessHandle::destroyForcibly);
            await().atMost(STOP).until(() -> all.stream().noneMatch(ProcessHandle::isAlive));
            forgetContainerd();
        }

        private void forgetContainerd() {
            try {
                Files.deleteIfExists(folder.resolve("exec/containerd/containerd.pid"));
            } catch (IOException e) {
                throw new AssertionError("containerd's pid file", e);
            }
        }

        /** The command lines of all running processes that were started for this engine. */
        private Stream<String> processes() {
            return ours().flatMap(process -> process.info().commandLine().stream());
        }

        private Stream<ProcessHandle> ours() {
            return ProcessHandle.allProcesses()
                    .filter(process -> process.info().commandLine().orElse("").contains(folder + "/"));
        }

        private Stream<ProcessHandle> withContainers() {
            return ours().flatMap(process -> Stream.concat(process.descendants(), Stream.of(process)))
                    .distinct();
        }

        String log() {
            try {
                return Files.readString(folder.resolve("log"));
            } catch (IOException e) {
                return "no log: " + e;
            }
        }

        void close() {
            remove();
            try {
                Runtime.getRuntime().removeShutdownHook(atExit);
            } catch (IllegalStateException e) {
                // The JVM is shutting down, and the hook has called this.
            }
        }

        private synchronized void remove() {
            if (closed) {
                return;
            }
            closed = true;
            try {
                signal("CONT");
                end("TERM");
            } catch (AssertionError e) {
                signal("KILL");
            }
            // Containers survive an engine that was killed, or that was started with --live-restore.
            withContainers().forEach(ProcessHandle::destroyForcibly);
            // The engine's mounts prevent the removal of its folder.
            Shell.attempt(
                    List.of(
                            "sh",
                            "-c",
                            "grep -F \" $0/\" /proc/mounts | cut -d' ' -f2 | sort -r | xargs -r umount -l; rm -rf \"$0\"",
                            folder.toString()),
                    Map.of(),
                    null);
            site.close();
        }
    }
}
