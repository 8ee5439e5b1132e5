package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class AuthServerTest {

    /** A server that is down must not cost a connection for each request that comes meanwhile. */
    @Test
    void onlySoManyQuestionsAreInProgress() throws Exception {
        List<CompletableFuture<?>> asked = new ArrayList<>();
        boolean refused = false;
        try (ServerSocket silent = new ServerSocket(0, 500, InetAddress.getLoopbackAddress())) {
            AuthServer server = AuthServer.parse("http://127.0.0.1:" + silent.getLocalPort() + "/verify");
            for (int i = 0; i < 250; i++) {
                CompletionStage<HttpResponse<byte[]>> one =
                        server.ask(server.question().build());
                if (one == null) {
                    refused = true;
                } else {
                    asked.add(one.toCompletableFuture());
                }
                assertThat(asked).filteredOn(question -> !question.isDone()).hasSizeLessThanOrEqualTo(200);
            }
        }

        assertThat(refused || asked.stream().anyMatch(CompletableFuture::isDone))
                .as("the 201st has no place, unless an earlier one is over")
                .isTrue();
    }
}
