package io.millau.examples.docker;

import io.millau.core.testing.FreePorts;
import io.millau.docker.testing.Engine;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * A Swarm of one node, or of three, that has the images of what was just built.
 *
 * <p>It is made of engines of our own, into which the images are copied from the one that they were built in. That one may be
 * somebody's daily engine: to make a Swarm of it, publish ports on it, restart it or remove what one believes to be one's
 * own would all be rude. All tests share one stage of each size, since starting it takes longer than most of them; each has
 * a stack, a proxy and a port of its own.
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
    static final class Provider extends Shared {
        Provider() {
            super(1);
        }
    }

    /** Gives tests the one stage of three nodes. */
    static final class OfThreeNodes extends Shared {
        OfThreeNodes() {
            super(3);
        }
    }

    private abstract static class Shared implements ParameterResolver {
        private final int nodes;

        Shared(int nodes) {
            this.nodes = nodes;
        }

        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == Stage.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return context.getRoot()
                    .getStore(ExtensionContext.Namespace.GLOBAL)
                    .computeIfAbsent("stage of " + nodes, key -> open(nodes), Stage.class);
        }
    }
}
