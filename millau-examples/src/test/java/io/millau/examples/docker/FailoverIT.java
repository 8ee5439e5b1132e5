package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code stacks/failover.yml}. */
@RequiresImages
@ExtendWith(Stage.Provider.class)
class FailoverIT {

    private static final Duration TIMEOUT = Duration.ofSeconds(2);

    @Test
    void nobodySeesThatAServiceIsTooSlow(Stage stage) throws Exception {
        try (Stack stack = stage.deploy("failover.yml", "failover")) {
            Front front = stack.front();
            front.await("localhost", "/", answer -> answer.status() == 200);
            // A request that took this long was with the slow service first.
            await().atMost(Duration.ofSeconds(120)).until(() -> {
                long start = System.nanoTime();
                checkIsQuick(front.get("localhost", "/"));
                return System.nanoTime() - start > TIMEOUT.toNanos();
            });

            List<CompletableFuture<Void>> clients = Stream.generate(() -> CompletableFuture.runAsync(() -> {
                        try {
                            front.get("localhost", "/", 3).forEach(FailoverIT::checkIsQuick);
                        } catch (Exception e) {
                            throw new AssertionError(e);
                        }
                    }))
                    .limit(5)
                    .toList();
            clients.forEach(CompletableFuture::join);
        }
    }

    private static void checkIsQuick(Answer answer) {
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.name()).isEqualTo("quick");
    }
}
