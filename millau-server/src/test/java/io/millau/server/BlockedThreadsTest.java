package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.testing.CapturedLog;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** A filter that waits for something stops all requests of its thread. Nothing said so, and nothing said where. */
class BlockedThreadsTest extends ProxyTest {

    private final CountDownLatch database = new CountDownLatch(1);

    private void askTheDatabase() {
        awaitQuietly(database);
    }

    @Test
    void aFilterThatBlocksIsReportedOnceWithWhereItIs() throws Exception {
        services.replace(app(endpointThatSays("ok").endpoint()).build());
        millau = closing(builder()
                .filter(request -> {
                    askTheDatabase();
                    return request.proceed();
                })
                .start());
        try (CapturedLog log = new CapturedLog()) {
            RawClient client = client().send("GET / HTTP/1.1\r\nHost: app\r\n\r\n");

            await().atMost(Duration.ofSeconds(60))
                    .until(() -> log.about("Blocked thread=").size() == 1);
            assertThat(log.about("io.millau.server.BlockedThreadsTest.askTheDatabase(BlockedThreadsTest.java"))
                    .hasSize(1);
            assertThat(log.about("ERROR")).hasSize(1);

            database.countDown();
            assertThat(client.read().body()).isEqualTo("ok");
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> !log.about("Unblocked thread=").isEmpty());
        } finally {
            database.countDown();
        }
    }
}
