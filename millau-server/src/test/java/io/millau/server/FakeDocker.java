package io.millau.server;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** A fake Docker Engine with some containers on the host's network, and without a Swarm. */
public final class FakeDocker implements AutoCloseable {

    private final HttpServer server;

    public FakeDocker(String containers) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        Map.of("/info", "{\"Swarm\":{}}", "/containers/json", containers, "/networks", "[]")
                .forEach((path, json) -> server.createContext(path, exchange -> {
                    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(200, bytes.length);
                    exchange.getResponseBody().write(bytes);
                    exchange.close();
                }));
        server.start();
    }

    public String host() {
        return "tcp://127.0.0.1:" + server.getAddress().getPort();
    }

    public static String container(String name, String labels) {
        return "{\"Id\":\"" + name + "0123456789ab\",\"Names\":[\"/" + name + "\"],\"Labels\":{" + labels
                + "},\"State\":\"running\",\"Status\":\"Up\",\"Ports\":[],\"HostConfig\":{\"NetworkMode\":\"none\"},"
                + "\"NetworkSettings\":{\"Networks\":{}}}";
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
