package io.millau.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.FreePorts;
import io.millau.core.testing.RequiresCommands;
import io.millau.core.testing.StandaloneServer;
import io.millau.core.testing.TrustAll;
import io.millau.server.ProxyTest;
import io.millau.server.RawClient;
import io.millau.testing.ScriptedEndpoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged server behind a real HAProxy and a real nginx, each with its configuration in {@code docs/how-to/behind-a-proxy.md}. */
class ProxiesInFrontIT extends ProxyTest {

    /** Another address of the loopback interface than that of the proxies. */
    private static final String CLIENT = "127.0.0.9";

    private static final String REQUEST = "GET / HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n";

    @TempDir
    private Path folder;

    private final int front = FreePorts.next();
    private ScriptedEndpoint endpoint;
    private StandaloneServer server;

    @BeforeEach
    void startEndpoint() {
        endpoint = endpointThatSays("ok");
    }

    private void startServer(String variable) throws IOException {
        Path services = folder.resolve("services.properties");
        Files.writeString(services, "app.endpoints = " + endpoint.endpoint() + "\n");
        server = closing(new StandaloneServer(
                folder.resolve("server.log"),
                Map.of("SERVICES", services.toString(), "ACME", "off", variable, "127.0.0.1")));
        server.awaitLine("Listens on");
    }

    /** The configuration of the page, with the addresses of this test in place of others. */
    private String configuration(String language, String listen, String millau, int port) throws IOException {
        Matcher block = Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("..", "docs", "how-to", "behind-a-proxy.md")));
        assertThat(block.find()).isTrue();
        assertThat(block.group(1)).contains(listen, millau);
        return block.group(1)
                .replace(listen, listen.replaceFirst(":?[0-9]+", "127.0.0.1:" + front))
                .replace(millau, "127.0.0.1:" + port);
    }

    private void startProxy(String... command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("proxy.log").toFile())
                .start();
        closing(() -> {
            process.destroy();
            process.waitFor();
        });
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> {
            assertThat(process.isAlive())
                    .as(Files.readString(folder.resolve("proxy.log")))
                    .isTrue();
            try {
                new Socket(InetAddress.getLoopbackAddress(), front).close();
                return true;
            } catch (IOException e) {
                return false;
            }
        });
    }

    private Socket connection() throws IOException {
        Socket socket = closing(new Socket());
        socket.bind(new InetSocketAddress(CLIENT, 0));
        socket.connect(new InetSocketAddress("127.0.0.1", front));
        return socket;
    }

    @Test
    @RequiresCommands("haproxy")
    void haproxyTellsTheClientByItsHeader() throws Exception {
        startServer("PROXY_PROTOCOL");
        Path file = folder.resolve("haproxy.cfg");
        Files.writeString(
                file,
                "defaults\n    timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n\n"
                        + configuration("haproxy", "bind :443", "10.0.0.3:443", server.httpsPort()));
        startProxy("haproxy", "-db", "-f", file.toString());

        Socket tls = TrustAll.context().getSocketFactory().createSocket(connection(), "shop.example", 443, true);
        assertThat(closing(new RawClient(tls)).send(REQUEST).read().body()).isEqualTo("ok");
        assertThat(endpoint.requests.get(0).field("X-Forwarded-For")).isEqualTo(CLIENT);
        assertThat(endpoint.requests.get(0).field("X-Forwarded-Proto")).isEqualTo("https");
    }

    @Test
    @RequiresCommands("nginx")
    void nginxTellsTheClientByXForwardedFor() throws Exception {
        startServer("TRUSTED");
        Path file = folder.resolve("nginx.conf");
        Files.writeString(
                file,
                "daemon off;\nerror_log stderr;\npid " + folder.resolve("nginx.pid")
                        + ";\nevents {}\nhttp {\naccess_log off;\n"
                        + List.of("client_body", "proxy", "fastcgi", "uwsgi", "scgi").stream()
                                .map(kind -> kind + "_temp_path " + folder + ";\n")
                                .reduce("", String::concat)
                        + configuration("nginx", "listen 80;", "10.0.0.3:80", server.httpPort())
                        + "}\n");
        startProxy("nginx", "-c", file.toString());

        assertThat(closing(new RawClient(connection())).send(REQUEST).read().body())
                .isEqualTo("ok");
        assertThat(endpoint.requests.get(0).field("X-Forwarded-For")).isEqualTo("6.6.6.6, " + CLIENT + ", 127.0.0.1");
        assertThat(endpoint.requests.get(0).field("X-Real-IP")).isEqualTo(CLIENT);
    }
}
