package io.millau.docker.testing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A socket in front of an engine's that passes on every byte, and keeps what is sent to the engine. Shows which requests a
 * program makes.
 */
public final class RecordingProxy implements AutoCloseable {

    private static final Pattern REQUEST_LINE = Pattern.compile("^([A-Z]+) (\\S+) HTTP/1\\.1\\r\\n", Pattern.MULTILINE);

    private final Path folder;
    private final Path socket;
    private final Path engine;
    private final ServerSocketChannel server;
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();
    private final Queue<ByteArrayOutputStream> sent = new ConcurrentLinkedQueue<>();

    /** A request that was sent to the engine; its path has no version and no query. */
    public record Request(String method, String path) {}

    /** Listens on a socket of its own, until it is closed. */
    public RecordingProxy(Engine of) {
        engine = Path.of(of.host().substring("unix://".length()));
        try {
            folder = Files.createTempDirectory("millau-proxy-");
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
            socket = folder.resolve("docker.sock");
            server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            server.bind(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        daemon(this::accept);
    }

    /** The path of its socket. */
    public Path socket() {
        return socket;
    }

    /** Its address, in the form of {@code DOCKER_HOST}. */
    public String host() {
        return "unix://" + socket;
    }

    /** What was sent to the engine so far. */
    public List<Request> requests() {
        return sent.stream()
                .flatMap(bytes -> REQUEST_LINE
                        .matcher(bytes.toString(StandardCharsets.ISO_8859_1))
                        .results())
                .map(line -> new Request(
                        line.group(1),
                        line.group(2).replaceFirst("^/v[0-9.]+", "").replaceFirst("\\?.*", "")))
                .toList();
    }

    /** The methods of these requests. */
    public Set<String> methods() {
        Set<String> methods = new TreeSet<>();
        requests().forEach(request -> methods.add(request.method));
        return methods;
    }

    private void accept() throws IOException {
        while (true) {
            SocketChannel client = server.accept();
            SocketChannel to = SocketChannel.open(UnixDomainSocketAddress.of(engine));
            open.add(client);
            open.add(to);
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            sent.add(bytes);
            daemon(() -> pass(client, to, bytes));
            daemon(() -> pass(to, client, null));
        }
    }

    private void pass(SocketChannel from, SocketChannel to, @Nullable ByteArrayOutputStream record) throws IOException {
        try (from;
                to) {
            ByteBuffer buffer = ByteBuffer.allocate(64 * 1024);
            while (from.read(buffer) >= 0) {
                buffer.flip();
                if (record != null) {
                    record.write(buffer.array(), 0, buffer.limit());
                }
                while (buffer.hasRemaining()) {
                    to.write(buffer);
                }
                buffer.clear();
            }
        } finally {
            open.remove(from);
            open.remove(to);
        }
    }

    private interface Task {
        void run() throws IOException;
    }

    private static void daemon(Task task) {
        Thread thread = new Thread(
                () -> {
                    try {
                        task.run();
                    } catch (IOException e) {
                        // one side has closed its connection, or the test is over
                    }
                },
                "recording-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (SocketChannel channel : open) {
            channel.close();
        }
        Files.delete(socket);
        Files.delete(folder);
    }
}
