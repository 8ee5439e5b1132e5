package io.millau.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.testing.Fault;
import io.millau.testing.MillauExtension;
import io.millau.testing.ScriptedUpstream;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

// docs/start/tests.md: the same stands there
class TimeoutTest {

    @RegisterExtension
    final MillauExtension millau = MillauExtension.create();

    @Test
    void anotherInstanceIsAskedWhenOneIsSilent() throws Exception {
        ScriptedUpstream silent = millau.upstream("orders").fails(Fault.HANG);
        millau.upstream("orders").responds(200, "good");

        CompletableFuture<HttpResponse<String>> response = millau.sendAsync(millau.request("/orders/7"));
        silent.awaitRequests(1); // it has arrived
        millau.advance(Duration.ofSeconds(30)); // the default timeout

        assertThat(response.get(10, TimeUnit.SECONDS).body()).isEqualTo("good");
    }
}
