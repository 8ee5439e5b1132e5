package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Certificate;
import io.millau.core.internal.Pem;
import io.millau.docker.testing.Shell;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code stacks/https.yml}. */
@RequiresImages
@ExtendWith(Stage.Provider.class)
class HttpsIT {

    private static final Duration PATIENCE = Duration.ofSeconds(120);

    @Test
    void aServiceIsReachableOverHttpsAndItsCertificateChangesByALabel(Stage stage) throws Exception {
        try (Stack web = stage.deploy("https.yml", "https")) {
            web.front().await("shop.example", "/", answer -> answer.status() == 308);
            assertThat(curl(web, "--http2", "--write-out", "%{http_version} %{response_code}"))
                    .contains("strict-transport-security: max-age=31536000")
                    .endsWith("2 200");
            assertThat(curl(web, "--http1.1", "--write-out", "%{http_version} %{response_code}"))
                    .endsWith("1.1 200");
            assertThat(shown(web)).contains("millau.invalid");

            AtomicBoolean over = new AtomicBoolean();
            AtomicInteger handshakes = new AtomicInteger();
            CompletableFuture<Void> load = CompletableFuture.runAsync(() -> {
                while (!over.get()) {
                    assertThat(curl(web, "--write-out", "%{response_code}")).endsWith("200");
                    handshakes.incrementAndGet();
                }
            });
            Certificate own = Certificate.selfSigned("shop.example");
            stage.engine()
                    .docker(
                            "service",
                            "update",
                            "--detach",
                            "--label-add=millau.cert=" + base64(Pem.text(own.chain())),
                            "--label-add=millau.key=" + base64(Pem.text(own.key())),
                            "https_shop");
            await().atMost(PATIENCE).until(() -> load.isDone() || shown(web).contains("CN = shop.example"));
            over.set(true);
            load.join();
            System.out.println("a certificate changed by a label: " + handshakes + " handshakes, 0 failed");
        }
    }

    private static String curl(Stack web, String... options) {
        String[] command = {
            "curl",
            "--silent",
            "--show-error",
            "--insecure",
            "--include",
            "--max-time",
            "60",
            "--connect-to",
            "shop.example:443:" + web.front().host() + ":" + web.securePort(),
            "https://shop.example/"
        };
        String[] all = Arrays.copyOf(command, command.length + options.length);
        System.arraycopy(options, 0, all, command.length, options.length);
        return Shell.run(all);
    }

    private static String shown(Stack web) {
        return Shell.run(
                "sh",
                "-c",
                "openssl s_client -connect " + web.front().host() + ":" + web.securePort()
                        + " -servername shop.example </dev/null 2>&1");
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
    }
}
