package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Service;
import io.millau.testing.Message;
import io.millau.testing.ScriptedEndpoint;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code millau.health}: active health checks. */
class HealthChecksTest extends ProxyTest {

    private static final String HEALTHY = "HTTP/1.1 204 No Content\r\n\r\n";
    private static final String UNHEALTHY = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

    private final AtomicReference<String> health = new AtomicReference<>(HEALTHY);
    private final ScriptedEndpoint checked = endpoint(connection -> {
        for (Message request = connection.readRequest(); request != null; request = connection.readRequest()) {
            if (request.startLine().startsWith("GET /health?deep=1 ")) {
                connection.send(health.get());
                if (!health.get().endsWith("\r\n\r\n")) {
                    return; // closes the connection without a response
                }
            } else {
                connection.respond(request, "checked");
            }
        }
    });
    private final ScriptedEndpoint other = endpointThatSays("other");

    private Service.Builder service(ScriptedEndpoint... endpoints) {
        Service.Builder builder = Service.named("app").hosts("shop.example").health("/health?deep=1");
        return builder.endpoints(java.util.Arrays.stream(endpoints)
                .map(ScriptedEndpoint::endpoint)
                .toList());
    }

    /** Whether the checked endpoint is in rotation: then it gets one of two requests. */
    private boolean takesRequests() throws Exception {
        try (RawClient client = new RawClient(millau.port())) {
            String request = "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n";
            String first = client.send(request).read().body();
            String second = client.send(request).read().body();
            return first.equals("checked") || second.equals("checked");
        }
    }

    private long checks() {
        return checked.requests.stream()
                .filter(request -> request.startLine().contains("/health"))
                .count();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {UNHEALTHY, "", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"})
    void anUnhealthyEndpointIsOutOfRotationUntilItRecovers(String response) throws Exception {
        startWith(
                service(checked).build(),
                Service.named("other")
                        .hosts("shop.example")
                        .endpoints(endpointThatSays("other").endpoint())
                        .build());
        await().until(() -> checks() == 1);
        assertThat(takesRequests()).isTrue();
        health.set(response);
        assertThat(takesRequests()).as("not checked again yet").isTrue();

        for (int i = 0; i < 2; i++) {
            long before = checks();
            ahead.addAndGet(Duration.ofSeconds(5).toNanos());
            await().until(() -> checks() > before);
        }
        await().until(() -> !takesRequests());

        health.set(HEALTHY);
        ahead.addAndGet(Duration.ofSeconds(5).toNanos());
        await().until(this::takesRequests);
    }

    @Test
    void aNewEndpointIsCheckedAtOnceAndGetsNoRequestBeforeItIsHealthy() throws Exception {
        health.set(UNHEALTHY);
        startWith(service(other).build());
        services.replace(service(other, checked).build());
        await().until(() -> checks() >= 2);
        assertThat(takesRequests()).isFalse();

        health.set(HEALTHY);
        await().until(this::takesRequests);
    }

    @Test
    void checksUseTheFirstHostAndTheirOwnConnections() throws Exception {
        startWith(service(checked).build());
        await().until(() -> checks() == 1);

        Message asked = checked.requests.get(0);
        assertThat(asked.startLine()).isEqualTo("GET /health?deep=1 HTTP/1.1");
        assertThat(asked.field("Host")).isEqualTo("shop.example");
        assertThat(asked.field("User-Agent")).isEqualTo("millau");
        await().until(() -> checked.openConnections() == 0);
        assertThat(millau.buffersTaken()).isZero();
    }

    @Test
    void aHangingEndpointIsUnhealthy() throws Exception {
        ScriptedEndpoint hanging = endpoint(ScriptedEndpoint.Connection::hang);
        startWith(service(hanging, other).build());
        for (int i = 1; i <= 2; i++) {
            int check = i;
            await().until(() -> hanging.connections() == check);
            ahead.addAndGet(Duration.ofSeconds(6).toNanos()); // the check times out
            await().until(() -> hanging.openConnections() == 0);
            ahead.addAndGet(Duration.ofSeconds(6).toNanos()); // the next check is due
        }

        assertThat(client().send("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n")
                        .read()
                        .body())
                .isEqualTo("other");
    }

    @Test
    void aRemovedEndpointIsNotCheckedAnyMore() throws Exception {
        startWith(service(checked).build());
        await().until(() -> checks() == 1);
        replaceWith(service(other).build());
        int connections = other.connections();
        ahead.addAndGet(Duration.ofSeconds(6).toNanos());
        await().until(() -> other.connections() > connections);

        assertThat(checks()).isEqualTo(1);
    }
}
