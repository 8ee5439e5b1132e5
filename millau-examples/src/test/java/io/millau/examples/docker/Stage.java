package io.millau.examples.docker;

import static java.util.stream.Collectors.joining;

import io.millau.core.testing.FreePorts;
import io.millau.docker.testing.Engine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.opentest4j.TestAbortedException;

/**
 * A Swarm of one node, or of three, that has the images of what was just built.
 *
 * <p>It is made of engines of our own, into which the images are copied from the one that they were built in. That one may be
 * somebody's daily engine: to make a Swarm of it, publish ports on it, restart it or remove what one believes to be one's
 * own would all be rude. Tests share one stage of each size, since starting it takes longer than most of them; each has
 * a stack, a proxy and a port of its own. After a failure the stage says what its Swarm, proxies and engines say.
 */
final class Stage implements AutoCloseable {

    private final List<Engine> engines = new ArrayList<>();

    /** One for a test alone, that sees all services and counts what comes of them; to be closed by the caller. */
    static Stage open(int nodes) {
        Stage stage = new Stage();
        try {
            stage.engines.add(withImages());
            stage.engine().initSwarm();
            for (int i = 1; i < nodes; i++) {
                Engine worker = withImages();
                stage.engines.add(worker);
                worker.joinSwarm(stage.engine());
            }
            return stage;
        } catch (RuntimeException | Error e) {
            stage.close();
            throw e;
        }
    }

    /** An engine of one's own, not in a Swarm, that has the images; to be closed by the caller. */
    static Engine withImages(String... options) {
        Engine engine = Engine.start(options);
        try {
            for (String image : new String[] {"millau:latest", "millau-echo:latest"}) {
                engine.load(Engine.ofEnvironment(), image);
            }
            return engine;
        } catch (RuntimeException | Error e) {
            engine.close();
            throw e;
        }
    }

    /** The manager. */
    Engine engine() {
        return engines.get(0);
    }

    /** The nodes that are no managers. */
    List<Engine> workers() {
        return engines.subList(1, engines.size());
    }

    /** Deploys a stack from a file of this module's folder {@code stacks}. */
    Stack deploy(String file, String name) {
        return deployText(read("stacks/" + file), name);
    }

    /** The same, but the proxy runs on a worker and has the folder of the manager's socket, as it may be a new one. */
    Stack deployWithProxyOn(Engine worker, String file, String name) {
        Path socket = Path.of(socket(engine()));
        String text = read("stacks/" + file)
                .replace("node.role == manager", "node.hostname == " + nodeName(worker))
                .replace("- /var/run/docker.sock:/var/run/docker.sock:ro", "- " + socket.getParent() + ":/engine:ro")
                .replace(
                        "    image: millau:latest\n",
                        "    image: millau:latest\n    environment:\n      DOCKER_HOST: unix:///engine/"
                                + socket.getFileName() + "\n");
        return deployText(text, name, worker);
    }

    /** What a node is called in the Swarm. */
    static String nodeName(Engine node) {
        return node.docker("info", "--format={{.Name}}");
    }

    /** Deploys a stack from the text of a stack file. */
    Stack deployText(String text, String name) {
        return deployText(text, name, engine());
    }

    private Stack deployText(String text, String name, Engine proxy) {
        int port = FreePorts.next();
        int securePort = FreePorts.next();
        // The kernel that tests run on may have no routing mesh, so the node's own port it is; and the engine isn't at
        // the usual place.
        String ours = text.replace("      - \"80:80\"\n", published(80, port))
                .replace("      - \"443:443\"\n", published(443, securePort))
                .replace("- /var/run/docker.sock:", "- " + socket(engine()) + ":");
        try {
            Path file = Files.createTempFile("millau-stack-", ".yml");
            try {
                Files.writeString(file, ours);
                engine().docker("stack", "deploy", "--resolve-image", "never", "--compose-file", file.toString(), name);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Stack(engine(), name, new Front(proxy.address(), port), securePort);
    }

    private static String published(int target, int port) {
        return "      - target: " + target + "\n        published: " + port + "\n        mode: host\n";
    }

    /** The text of a file of this module. */
    static String read(String file) {
        try {
            return Files.readString(Path.of(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The path of an engine's socket. */
    static String socket(Engine engine) {
        return engine.host().substring("unix://".length());
    }

    @Override
    public void close() {
        engines.forEach(Engine::close);
    }

    /** Gives tests the one stage of one node, opened when the first asks for it, closed after the last. */
    static final class Provider extends Opener {
        Provider() {
            super(1, ExtensionContext::getRoot);
        }
    }

    /** Gives tests the one stage of three nodes. */
    static final class OfThreeNodes extends Opener {
        OfThreeNodes() {
            super(3, ExtensionContext::getRoot);
        }
    }

    /**
     * Gives a class three nodes that no other class gets: for tests that restart or crash engines. The nodes may need minutes to
     * get over that, or never get over it.
     */
    static final class OfThreeOwnNodes extends Opener {
        OfThreeOwnNodes() {
            super(3, context -> context);
        }
    }

    /** What its Swarm, its proxies and its engines say; to be read after a test has failed. */
    private String report() {
        StringBuilder report = new StringBuilder("What the stage says\n");
        say(report, () -> engine().docker("node", "ls"));
        say(report, () -> {
            List<String> services =
                    engine().docker("service", "ls", "--quiet").lines().toList();
            return services.isEmpty() ? "no service" : tasks(services);
        });
        for (Engine engine : engines) {
            say(report, () -> engine + "\n" + tail(engine.log().lines().filter(line -> !line.contains("level=info"))));
            say(
                    report,
                    () -> engine.docker("ps", "--all", "--quiet", "--filter=ancestor=millau:latest")
                            .lines()
                            .map(proxy -> "proxy " + proxy + "\n"
                                    + tail(engine.docker("logs", proxy).lines()))
                            .collect(joining("\n")));
        }
        return report.toString();
    }

    private String tasks(List<String> services) {
        List<String> command = new ArrayList<>(List.of(
                "service",
                "ps",
                "--no-trunc",
                "--format={{.Name}} on {{.Node}}: {{.DesiredState}}, {{.CurrentState}} {{.Error}}"));
        command.addAll(services);
        return engine().docker(command.toArray(new String[0]));
    }

    private static void say(StringBuilder report, Supplier<String> what) {
        try {
            report.append(what.get());
        } catch (RuntimeException | AssertionError e) {
            report.append(e);
        }
        report.append('\n');
    }

    private static String tail(Stream<String> lines) {
        List<String> all = lines.toList();
        return String.join("\n", all.subList(Math.max(0, all.size() - 20), all.size()));
    }

    private abstract static class Opener
            implements ParameterResolver, TestExecutionExceptionHandler, LifecycleMethodExecutionExceptionHandler {
        private final int nodes;
        private final UnaryOperator<ExtensionContext> owner;

        Opener(int nodes, UnaryOperator<ExtensionContext> owner) {
            this.nodes = nodes;
            this.owner = owner;
        }

        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == Stage.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return stages(context).computeIfAbsent(key(), key -> open(nodes), Stage.class);
        }

        @Override
        public void handleTestExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
            report(context, failure);
            throw failure;
        }

        @Override
        public void handleBeforeEachMethodExecutionException(ExtensionContext context, Throwable failure)
                throws Throwable {
            report(context, failure);
            throw failure;
        }

        private void report(ExtensionContext context, Throwable failure) {
            Stage stage = stages(context).get(key(), Stage.class);
            if (stage != null && !(failure instanceof TestAbortedException)) {
                System.out.println(context.getDisplayName() + " failed: " + failure + "\n" + stage.report());
            }
        }

        private String key() {
            return "stage of " + nodes;
        }

        private ExtensionContext.Store stages(ExtensionContext context) {
            return owner.apply(context).getStore(ExtensionContext.Namespace.GLOBAL);
        }
    }
}
