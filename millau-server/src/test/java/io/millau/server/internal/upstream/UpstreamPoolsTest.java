package io.millau.server.internal.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.Ticker;
import io.millau.server.internal.io.EventLoops;
import io.millau.server.internal.tls.TlsThreads;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

class UpstreamPoolsTest {

    private static final Endpoint ENDPOINT = Endpoint.http("e", InetAddress.getLoopbackAddress(), 80);
    private static final Service SERVICE =
            Service.named("app").endpoints(ENDPOINT).build();

    private final UpstreamPools pools = new UpstreamPools(new EventLoops(Ticker.system()), new TlsThreads());

    /** An endpoint was removed and returned while its connections drained: they were no longer counted. */
    @Test
    void connectionsOfAReturningEndpointAreCounted() {
        pools.replace(List.of(SERVICE), () -> {});
        pools.countConnections(ENDPOINT, 1);
        pools.replace(List.of(), () -> {});
        pools.replace(List.of(SERVICE), () -> {});
        assertThat(pools.connections(ENDPOINT)).isEqualTo(1);

        pools.countConnections(ENDPOINT, 1);
        pools.countConnections(ENDPOINT, -1);
        pools.countConnections(ENDPOINT, -1);
        assertThat(pools.connections(ENDPOINT)).isZero();
    }
}
