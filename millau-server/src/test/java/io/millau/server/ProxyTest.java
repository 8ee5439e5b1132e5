package io.millau.server;

import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Ticker;
import io.millau.testing.ScriptedEndpoint;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;

/** A proxy with one I/O thread, so that connections are reused predictably. What a test opens is closed after it. */
public abstract class ProxyTest {

    protected final InMemoryServices services = ServiceSource.of();
    protected final RecordedTraffic traffic = new RecordedTraffic();
    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    protected Millau millau;

    /** How far the proxy's clock is ahead, in nanoseconds. */
    protected final AtomicLong ahead = new AtomicLong();

    /** The proxy's clock; a test that needs a stopped clock sets {@code ahead::get} before the start. */
    protected Ticker clock = () -> System.nanoTime() + ahead.get();

    protected final void startWith(Service... declared) throws Exception {
        services.replace(declared);
        millau = closing(builder().start());
    }

    /** Starts with a service that responds, and four for which the proxy responds itself; each has its name as host. */
    protected final void startWithFailures(Service... more) throws Exception {
        List<Service> all = new ArrayList<>(List.of(
                Service.named("app")
                        .hosts("app")
                        .endpoints(endpointThatSays("ok").endpoint())
                        .build(),
                Service.named("moved")
                        .hosts("moved")
                        .endpoints(endpointThatSays("ok").endpoint())
                        .redirectToHttps(true)
                        .build(),
                Service.named("empty").hosts("empty").build(),
                Service.named("down")
                        .hosts("down")
                        .endpoints(endpointThatRefuses())
                        .build(),
                Service.named("slow")
                        .hosts("slow")
                        .endpoints(endpointThatHangs(new CountDownLatch(1)).endpoint())
                        .timeout(Duration.ofMillis(50))
                        .build()));
        all.addAll(List.of(more));
        startWith(all.toArray(Service[]::new));
    }

    protected Millau.Builder builder() {
        return Millau.builder()
                .http("127.0.0.1:0")
                .ioThreads(1)
                .ticker(clock)
                .source(services)
                .listener(traffic);
    }

    /** Replaces the services, and returns when the I/O thread has applied the change. */
    protected final void replaceWith(Service... declared) throws Exception {
        services.replace(declared);
        client().get("/");
    }

    /** Starts with one service that matches every request. */
    protected final void startWith(ScriptedEndpoint... endpoints) throws Exception {
        Endpoint[] of = new Endpoint[endpoints.length];
        for (int i = 0; i < of.length; i++) {
            of[i] = endpoints[i].endpoint();
        }
        startWith(app(of).build());
    }

    protected static Service.Builder app(Endpoint... endpoints) {
        return Service.named("app").endpoints(endpoints);
    }

    protected final ScriptedEndpoint endpoint(ScriptedEndpoint.Script script) {
        return closing(ScriptedEndpoint.that(script));
    }

    /** Reads a request, counts {@code arrived} down, and does not respond. */
    protected final ScriptedEndpoint endpointThatHangs(CountDownLatch arrived) {
        return endpoint(connection -> {
            connection.readRequest();
            arrived.countDown();
            connection.hang();
        });
    }

    protected final ScriptedEndpoint endpointThatSays(String body) {
        return closing(ScriptedEndpoint.thatSays(body));
    }

    protected final ScriptedEndpoint endpointThatResponds(String response) {
        return closing(ScriptedEndpoint.thatResponds(response));
    }

    protected final Endpoint endpointThatRefuses() {
        return closing(ScriptedEndpoint.thatRefuses()).endpoint();
    }

    protected final RawClient client() throws Exception {
        return closing(new RawClient(millau.port()));
    }

    /** For the code of a filter or listener that blocks on purpose. */
    protected static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    protected final <T extends AutoCloseable> T closing(T what) {
        open.push(what);
        return what;
    }

    @AfterEach
    final void closeAll() throws Exception {
        while (!open.isEmpty()) {
            open.pop().close();
        }
    }
}
