package io.millau.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.testing.Fault;
import io.millau.testing.MillauExtension;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

// docs/start/tests.md: the same stands there
class ReasonTest {

    @RegisterExtension
    final MillauExtension millau = MillauExtension.create();

    @Test
    void aFailureSaysWhyThereWasNoResponse() {
        millau.upstream("orders").fails(Fault.GARBAGE);

        assertThatThrownBy(() -> {
                    HttpResponse<String> response = millau.get("/orders/7");
                    assertThat(response.statusCode())
                            .as(() -> millau.proxy().explain(response.uri()))
                            .isEqualTo(200);
                })
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("orders: matches by host * and path /")
                .hasMessageContaining("s ago: no HTTP/1.1: “SSH-2.0-OpenSSH_9.2??”)");
    }
}
