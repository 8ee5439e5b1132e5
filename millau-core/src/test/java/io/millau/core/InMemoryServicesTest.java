package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InMemoryServicesTest {

    private final Service a = Service.named("app").path("/a/").build();
    private final Service b = Service.named("app").path("/b/").build();

    /** One of the routes vanished, and nobody was told. */
    @Test
    void twoServicesOfOneNameAreRejected() {
        InMemoryServices services = ServiceSource.of(a);
        List<Snapshot> delivered = new ArrayList<>();
        services.subscribe(delivered::add);

        assertThatThrownBy(() -> ServiceSource.of(a, b))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("two services have the id app, which is the name if none is set:"
                        + " expected different names, or ids");
        assertThatThrownBy(() -> services.replace(a, b)).isInstanceOf(IllegalArgumentException.class);
        assertThat(delivered).containsExactly(new Snapshot(List.of(a), List.of()));
    }

    @Test
    void servicesOfOneNameMayHaveDifferentIds() {
        InMemoryServices services = ServiceSource.of();
        List<Snapshot> delivered = new ArrayList<>();
        services.subscribe(delivered::add);
        services.replace(a, b.toBuilder().id("green").build());

        assertThat(delivered.get(1).services()).hasSize(2);
    }
}
