package io.millau.testing;

import io.millau.core.CertificateSource;
import io.millau.core.Overview;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.TrafficListener;
import io.millau.server.Millau;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A proxy for a test, with upstreams that do what the test says, and time that the test advances. {@link MillauExtension} starts and
 * ends one with JUnit; without JUnit:
 *
 * <pre>{@code
 * RetryPolicy policy = RetryPolicy.standard().alsoOn(503);
 * try (TestGateway millau = TestGateway.start(builder -> builder.retryPolicy(policy))) {
 *     ScriptedUpstream busy = millau.upstream("orders").responds(503, "later");
 *     ScriptedUpstream orders = millau.upstream("orders").responds(200, "good");
 *     assert millau.get("/orders/7").body().equals("good");
 * }
 * }</pre>
 *
 * <p>Its builder is that of {@link Millau#builder}, with these differences, all of which a test can set in another way except time:
 * it listens for plain HTTP on a free port of the loopback address, has the services of {@link #upstream} and {@link #routes}, one I/O
 * thread, so that requests take turns predictably, the time of {@link #advance}, and on {@link #close} waits for no request in
 * progress. With {@code builder.https("127.0.0.1:0")} it listens for HTTPS, too, see {@link #httpsUri}.
 *
 * <p>Safe for use by several threads; not for I/O threads.
 */
public class TestGateway implements AutoCloseable {

    /** For requests without their own limit: longer than the proxy waits for an upstream, so that a test sees what it does then. */
    static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Consumer<Millau.Builder> settings;
    private @Nullable Running running;
    private boolean closed;

    /** What lives from the start to the end. */
    private static final class Running {
        final TestTime time = new TestTime();
        final TestServices services = new TestServices(time);
        final List<TrafficListener.Ingress> ingresses = new CopyOnWriteArrayList<>();
        final Millau proxy;
        private @Nullable TestClient client;
        private boolean isSet;

        Running(Consumer<Millau.Builder> settings) {
            Millau.Builder builder = Millau.builder()
                    .http(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                    .source(new OwnServices())
                    .certificates(ownCertificate())
                    .ioThreads(1)
                    .drain(Duration.ZERO)
                    .listener(new TrafficListener() {
                        @Override
                        public void started(Overview overview) {
                            ingresses.addAll(overview.ingresses());
                        }
                    });
            settings.accept(builder);
            isSet = true;
            try {
                proxy = builder.ticker(time.ticker).start();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Those of the upstreams, for the one proxy that is closed in the end. */
        private final class OwnServices implements ServiceSource {

            @Override
            public Subscription subscribe(Consumer<Snapshot> consumer) {
                if (!isSet) {
                    throw new IllegalStateException("the settings start the builder: expected that they only change it,"
                            + " it is started after them");
                }
                return services.source.subscribe(consumer);
            }

            @Override
            public String toString() {
                return services.source.toString();
            }
        }

        /** Made for the first client that wants it. A valid one of the test is used in its place, since it expires later. */
        private static CertificateSource ownCertificate() {
            return name -> name == null || TestCertificates.LOCALHOST.fits(name)
                    ? List.of(TestCertificates.LOCALHOST)
                    : List.of();
        }

        /** The first address with this protocol; null if there is none. */
        @Nullable
        URI uri(String protocol) {
            String host = protocol.equals("https") ? "localhost" : "127.0.0.1";
            return ingresses.stream()
                    .filter(ingress -> ingress.protocol().equals(protocol))
                    .findFirst()
                    .map(ingress -> URI.create(protocol + "://" + host + ":" + ingress.port()))
                    .orElse(null);
        }

        synchronized HttpClient client() {
            TestClient known = client;
            if (known == null) {
                known = TestClient.of(proxy.port());
                client = known;
            }
            return known.http;
        }

        HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
            HttpResponse<String> response = client().send(request, text());
            time.ticker.awaitTurns(); // the proxy may be about to tell its listeners of the end
            return response;
        }

        void close() {
            proxy.close();
            services.close();
            synchronized (this) {
                if (client != null) {
                    client.free();
                    client = null;
                }
            }
        }
    }

    TestGateway(Consumer<Millau.Builder> settings) {
        this.settings = Objects.requireNonNull(settings, "settings");
    }

    /** Starts a proxy with the settings of the class description. */
    public static TestGateway start() {
        return start(builder -> {});
    }

    /**
     * Starts a proxy.
     *
     * @param settings changes its builder
     * @throws UncheckedIOException if it can't listen
     * @throws IllegalStateException if the settings start the builder
     */
    public static TestGateway start(Consumer<Millau.Builder> settings) {
        TestGateway gateway = new TestGateway(settings);
        gateway.begin();
        return gateway;
    }

    final synchronized void begin() {
        running = new Running(settings);
        closed = false;
    }

    private synchronized Running running() {
        if (running == null) {
            throw new IllegalStateException(
                    closed
                            ? "the proxy is closed: expected a call before that"
                            : "the proxy does not run: expected a call within a test, and @RegisterExtension at the field");
        }
        return running;
    }

    /** Returns the proxy itself. */
    public final Millau proxy() {
        return running().proxy;
    }

    /** Returns where the proxy listens for plain HTTP, without a slash at its end. */
    public final URI uri() {
        return uri("http");
    }

    /**
     * Returns where the proxy listens for HTTPS, without a slash at its end. The host is {@code localhost}, for which the proxy has a
     * certificate that {@link #get} and {@link #send} trust. They trust no other one: a test that adds a certificate of its own for {@code
     * localhost}, with {@code builder.certificates}, gets that in a client of its own.
     *
     * @throws IllegalStateException if the test did not ask for HTTPS with {@code builder.https("127.0.0.1:0")}
     */
    public final URI httpsUri() {
        return uri("https");
    }

    private URI uri(String protocol) {
        URI uri = running().uri(protocol);
        if (uri == null) {
            throw new IllegalStateException("no address for " + protocol.toUpperCase(Locale.ROOT)
                    + ": expected builder." + protocol + "(\"127.0.0.1:0\")");
        }
        return uri;
    }

    /**
     * Starts a request to the proxy.
     *
     * @param target a path, with or without a query; or a whole {@code http} URL, of which the proxy gets the host, but which is sent
     *     to the proxy whatever that resolves to; or a URL below {@link #httpsUri}
     * @throws IllegalArgumentException if it is something else
     */
    public final HttpRequest.Builder request(String target) {
        Objects.requireNonNull(target, "target");
        URI uri = URI.create(target.startsWith("/") ? uri() + target : target);
        boolean known = "http".equals(uri.getScheme())
                || "https".equals(uri.getScheme())
                        && httpsUri().getRawAuthority().equals(uri.getRawAuthority());
        if (!known || uri.getHost() == null) {
            throw new IllegalArgumentException(
                    target + ": expected a path that begins with /, an http URL, or one below httpsUri()");
        }
        return HttpRequest.newBuilder(uri);
    }

    /**
     * Sends a GET request over HTTP/1.1 and waits for the response, of which redirects are not followed. When it returns, the
     * listeners of the proxy have been told of the end of the request, too; if an application of {@code wrap} responds on a thread of its
     * own, that may come later.
     *
     * @param target as in {@link #request}
     * @throws UncheckedIOException if there is none
     */
    public final HttpResponse<String> get(String target) {
        return send(request(target));
    }

    /**
     * Sends a POST request with text in UTF-8, as {@link #get} does.
     *
     * @param target as in {@link #request}
     * @throws UncheckedIOException if there is no response
     */
    public final HttpResponse<String> post(String target, String body) {
        Objects.requireNonNull(body, "body");
        return send(request(target)
                .header("Content-Type", "text/plain; charset=utf-8")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    /**
     * Sends a request, as {@link #get} does. One without a timeout waits for 60 s of the system's time, and the proxy by default for 30 s
     * of it for an upstream; with {@link #sendAsync} and {@link #advance} a test does not wait.
     *
     * @throws UncheckedIOException if there is no response
     */
    public final HttpResponse<String> send(HttpRequest.Builder request) {
        Running now = running();
        HttpRequest limited = limited(request);
        now.services.checkNames();
        try {
            return now.send(limited);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for the response", e);
        }
    }

    /**
     * Sends a request without waiting: for tests that {@link #advance} time while it is in progress. First wait until it has
     * arrived, with {@link ScriptedUpstream#awaitRequests(int)}, or the time passes before the request begins. The response may be there
     * before the listeners of the proxy are told of its end: after {@code advance(Duration.ZERO)} they were.
     */
    public final CompletableFuture<HttpResponse<String>> sendAsync(HttpRequest.Builder request) {
        Running now = running();
        HttpRequest limited = limited(request);
        now.services.checkNames();
        return now.client().sendAsync(limited, text());
    }

    private static HttpRequest limited(HttpRequest.Builder request) {
        HttpRequest built = Objects.requireNonNull(request, "request").build();
        return built.timeout().isPresent()
                ? built
                : request.copy().timeout(PATIENCE).build();
    }

    private static HttpResponse.BodyHandler<String> text() {
        return HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8);
    }

    /**
     * Adds an endpoint to a service. The service gets the requests for every host and path, unless {@link #routes} has one of that
     * name without endpoints of its own. The endpoint counts as one that runs for long: none that is only starting.
     *
     * @param service its name
     * @return the endpoint, which speaks HTTP/1.1
     * @throws IllegalArgumentException if the name is empty or blank, or a service of {@link #routes} with another name has it as its id
     */
    public final ScriptedUpstream upstream(String service) {
        return running().services.upstream(service, ScriptedUpstream.Protocol.HTTP);
    }

    /** As {@link #upstream}, with an endpoint that speaks HTTP/2 without TLS, one request at a time on each connection. */
    public final ScriptedUpstream h2cUpstream(String service) {
        return running().services.upstream(service, ScriptedUpstream.Protocol.H2C);
    }

    /** As {@link #upstream}, with an endpoint that speaks HTTP/1.1 over TLS, with a certificate that the proxy verifies. */
    public final ScriptedUpstream tlsUpstream(String service) {
        return running().services.upstream(service, ScriptedUpstream.Protocol.HTTPS);
    }

    /**
     * Adds services, or replaces those of the same {@link Service#id}, the name if none is set; the others stay. A service without
     * endpoints gets those of {@link #upstream} with its name, also those added later. To take a service away, replace it by one that
     * is not {@link Service#enabled}. Requests that follow this call are routed by it.
     *
     * <p>A service's own endpoints count as running for long, too: one that refuses connections is ejected at once, while a proxy waits up
     * to 10 s for one that joined while it ran.
     *
     * @throws IllegalArgumentException if two have the same name; nothing is changed then
     */
    public final void routes(Service... services) {
        running().services.routes(services);
    }

    /**
     * Lets time pass: for the timeouts, ejections, health checks and idle clients of the proxy, and for what an upstream does {@link
     * ScriptedUpstream#after} a time or at so many {@link ScriptedUpstream#bytesPerSecond}. It passes in steps, each to what is due next,
     * and stands in between until the proxy and the upstreams have done what follows from that. So everything happens in its order, however
     * long the time is: an upstream that responds after 20 s does so before a timeout of 30 s, and of twelve health checks in a minute
     * each gets its response. When this method returns, all that was due has happened; a client may still be reading its response.
     *
     * <p>Between two calls time goes on by itself, as the system's does. Where the proxy looks at files and host names, for
     * {@link io.millau.core.ServiceSource#polling}, in handshakes of its clients, and for {@link Fault#SLOW_HEAD}, the system's time counts. Of the test's own servers, scripts of {@link
     * ScriptedEndpoint} among them, only responses to health checks are waited for; of its own clients, and of filters that wait,
     * nothing: while time passes in a call, they may have no time to respond. An upstream that is busy for 10 s of the system's time, because
     * nobody reads what it sends, for instance, and a server that owes such a response for that long, are not waited for any longer.
     * A request that was sent but has not arrived yet begins after that time: see {@link #sendAsync}.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public final void advance(Duration by) {
        running().time.advance(Objects.requireNonNull(by, "by"));
    }

    /** Ends the proxy and its upstreams. Requests in progress are ended, too. Further calls have no effect. */
    @Override
    public void close() {
        Running ended;
        synchronized (this) {
            ended = running;
            running = null;
            closed |= ended != null;
        }
        if (ended != null) {
            ended.close();
        }
    }
}
