package io.millau.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.PolledServices;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DatabaseServicesTest {

    private final TestDatabase database = new TestDatabase();
    private final List<Snapshot> delivered = new CopyOnWriteArrayList<>();

    @AfterEach
    void stop() {
        database.close();
    }

    private static ConditionFactory eventually() {
        return await().atMost(Duration.ofSeconds(60));
    }

    private List<String> names() {
        return delivered.isEmpty()
                ? List.of()
                : delivered.get(delivered.size() - 1).services().stream()
                        .map(Service::name)
                        .toList();
    }

    @Test
    void theTablesAreReadAgainAndAgainAndOnlyChangesAreDelivered() {
        PolledServices services = DatabaseServices.of(database.source(), Duration.ofMillis(1));
        ServiceSource.Subscription subscription = services.subscribe(delivered::add);
        eventually().until(() -> delivered.size() == 1);

        database.execute("INSERT INTO service (name, path, strip) VALUES ('orders', '/orders/', TRUE)");
        eventually().until(() -> names().equals(List.of("orders")));
        database.execute("INSERT INTO endpoint VALUES ('orders', 'orders.internal', 8080)");
        eventually().until(() -> delivered.size() > 2);
        database.execute("DELETE FROM service");
        eventually().until(() -> names().isEmpty());

        assertThat(delivered).hasSize(4);
        subscription.close();
    }

    @Test
    void whileTheDatabaseIsAwayServicesStayAndItsStatusSaysWhy() {
        database.execute("INSERT INTO service (name) VALUES ('orders')");
        PolledServices services = DatabaseServices.of(database.source(), Duration.ofHours(1));
        ServiceSource.Subscription subscription = services.subscribe(delivered::add);
        eventually().until(() -> names().equals(List.of("orders")));
        eventually().until(() -> subscription.status().lastSuccess() != null);

        database.execute("ALTER TABLE service RENAME TO other");
        services.readNow();
        eventually().until(() -> subscription.status().trouble() != null);
        assertThat(subscription.status().trouble()).contains("SERVICE");
        assertThat(delivered).hasSize(1);

        database.execute("ALTER TABLE other RENAME TO service");
        database.execute("INSERT INTO service (name) VALUES ('shop')");
        services.readNow();
        eventually().until(() -> names().equals(List.of("orders", "shop")));
        eventually().until(() -> subscription.status().trouble() == null);
        subscription.close();
    }
}
