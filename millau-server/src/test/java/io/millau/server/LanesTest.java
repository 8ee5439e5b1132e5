package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.Ticker;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

class LanesTest {

    private static final Endpoint ENDPOINT = Endpoint.http("e", InetAddress.getLoopbackAddress(), 80);
    private static final Service SERVICE =
            Service.named("app").endpoints(ENDPOINT).build();

    private final Lanes lanes = new Lanes(Ticker.system());

    /** Connections drain while their endpoint is gone; when it was back they were counted nowhere any more. */
    @Test
    void connectionsOfAnEndpointThatComesBackAreCounted() {
        lanes.replace(List.of(SERVICE), () -> {});
        lanes.countConnections(ENDPOINT, 1);
        lanes.replace(List.of(), () -> {});
        lanes.replace(List.of(SERVICE), () -> {});
        assertThat(lanes.connections(ENDPOINT)).isEqualTo(1);

        lanes.countConnections(ENDPOINT, 1);
        lanes.countConnections(ENDPOINT, -1);
        lanes.countConnections(ENDPOINT, -1);
        assertThat(lanes.connections(ENDPOINT)).isZero();
    }
}
