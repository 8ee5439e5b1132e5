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
    void twoServicesOfOneIdAreRejected() {
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
    void twoServicesOfOneNameAreRejectedWhateverTheirIds() {
        InMemoryServices services = ServiceSource.of();
        List<Snapshot> delivered = new ArrayList<>();
        services.subscribe(delivered::add);

        assertThatThrownBy(() -> services.replace(a, b.toBuilder().id("green").build()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("two services have the name app, by which logs and metrics tell them apart:"
                        + " expected different names");
        assertThat(delivered).hasSize(1);
    }
}
