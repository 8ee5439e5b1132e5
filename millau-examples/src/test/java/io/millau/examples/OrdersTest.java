package io.millau.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Service;
import io.millau.testing.Fault;
import io.millau.testing.MillauExtension;
import io.millau.testing.ScriptedUpstream;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

// README: the same stands there
class OrdersTest {

    @RegisterExtension
    final MillauExtension millau = MillauExtension.create(builder -> builder.debugHeaders());

    @Test
    void anOrderSurvivesAReset() {
        ScriptedUpstream bad = millau.upstream("orders").fails(Fault.RESET_AFTER_HEAD);
        ScriptedUpstream good = millau.upstream("orders").responds(200, "good");

        assertThat(millau.get("/orders/7").body()).isEqualTo("good");
        assertThat(good.takeRequest(Duration.ofSeconds(1)).path()).isEqualTo("/orders/7");
        assertThat(bad.requests()).hasSize(1);

        bad.heals();
        millau.advance(Duration.ofSeconds(60)); // no sleeping
        millau.routes(Service.named("orders").path("/orders/").build());
        assertThat(millau.get("/orders/7").headers().firstValue("X-Backend-Server"))
                .contains("orders");
        assertThat(millau.get("http://shop.example/").statusCode()).isEqualTo(502);
    }
}
