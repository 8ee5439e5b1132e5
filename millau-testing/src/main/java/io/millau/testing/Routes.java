package io.millau.testing;

import io.millau.core.Endpoint;
import io.millau.core.Explanation;
import io.millau.core.LoadBalancer;
import io.millau.core.RetryPolicy;
import io.millau.core.Router;
import io.millau.core.Service;
import io.millau.core.Ticker;
import io.millau.server.internal.compose.ComposeFile;
import io.millau.server.internal.compose.EnvFile;
import io.millau.server.internal.compose.NotComposeException;
import io.millau.server.internal.status.RequestUrl;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The routes that the labels in a Compose or stack file make, for tests: without a proxy, and without Docker. Needs SnakeYAML, which
 * {@code millau-testing} does not bring along. For one thread.
 *
 * <pre>{@code
 * Routes.of(Path.of("compose.yml")).sends("http://localhost/").to("blue", "green");
 * }</pre>
 */
public final class Routes {

    private final String file;
    private final Router router = new Router(RetryPolicy.standard(), LoadBalancer.roundRobin(), Ticker.system());

    private Routes(String file, List<Service> services) {
        this.file = file;
        Endpoint anywhere = Endpoint.http("anywhere", InetAddress.getLoopbackAddress(), 80);
        router.replace(services.stream()
                .map(service -> service.withEndpoints(List.of(anywhere)))
                .toList());
    }

    /**
     * Reads a file. Its variables come from the environment, and from the file {@code .env} beside it.
     *
     * @throws AssertionError if a label has a mistake; the message is that of the command {@code check}
     * @throws IllegalArgumentException if it is no Compose or stack file; the message has the line
     * @throws UncheckedIOException if it can't be read
     */
    public static Routes of(Path compose) {
        try {
            Map<String, String> variables = new HashMap<>();
            Path beside = compose.resolveSibling(".env");
            if (Files.isRegularFile(beside)) {
                variables.putAll(EnvFile.read(Files.readString(beside)));
            }
            variables.putAll(System.getenv());
            String name = String.valueOf(compose.getFileName());
            ComposeFile file = ComposeFile.check(name, Files.readString(compose), variables::get);
            if (file.findings().problems() > 0) {
                throw new AssertionError(String.join("\n", file.findings().lines(name)));
            }
            return new Routes(name, file.routed());
        } catch (NotComposeException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Starts an assertion about a URL.
     *
     * @param url such as {@code https://shop.example/orders/7}
     * @throws IllegalArgumentException if it has no host, or another scheme than http, https, ws or wss (none means http)
     */
    public Sent sends(String url) {
        return new Sent(RequestUrl.parse(url));
    }

    /** Where a request for a URL goes to. */
    public final class Sent {

        private final RequestUrl url;

        private Sent(RequestUrl url) {
            this.url = url;
        }

        /**
         * Asserts that it goes to these services: to one, or to several that share it.
         *
         * @throws AssertionError if it doesn't; the message says where it goes to, and why not to the others
         */
        public void to(String... services) {
            Explanation explanation = router.explain(url.host(), url.path());
            List<String> chosen =
                    explanation.chosen().stream().map(Service::name).sorted().toList();
            if (!chosen.equals(List.of(services).stream().sorted().toList())) {
                throw new AssertionError(file + ": expected " + url.text() + " to go " + where(List.of(services))
                        + ", but it goes " + where(chosen) + "\n"
                        + explanation.verdicts().stream()
                                .map(verdict -> verdict.service().name() + ": " + verdict.reason())
                                .collect(Collectors.joining("\n")));
            }
        }

        private static String where(List<String> services) {
            return services.isEmpty() ? "nowhere" : "to " + String.join(", ", services);
        }

        /**
         * Asserts that no service gets it.
         *
         * @throws AssertionError if one does; the message says why
         */
        public void nowhere() {
            to();
        }
    }
}
