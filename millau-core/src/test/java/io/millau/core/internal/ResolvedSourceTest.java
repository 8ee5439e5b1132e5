package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millau.core.Endpoint;
import io.millau.core.InMemoryServices;
import io.millau.core.Problem;
import io.millau.core.Router;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Host names as endpoints in code. */
class ResolvedSourceTest {

    private static final String KEPT = "app: endpoint http://orders.internal:8080: the name can't be resolved;"
            + " its last addresses stay, and it is retried every 30 s";

    private final AtomicLong now = new AtomicLong();
    private final AtomicInteger lookups = new AtomicInteger();
    private final Map<String, String> names = new ConcurrentHashMap<>();
    private final InMemoryServices services = ServiceSource.of();
    private final List<Snapshot> delivered = new CopyOnWriteArrayList<>();
    private final ServiceSource.Subscription subscription =
            new ResolvedSource(services, this::resolve, now::get).subscribe(delivered::add);

    @AfterEach
    void close() {
        subscription.close();
    }

    private InetAddress[] resolve(String host) throws UnknownHostException {
        lookups.incrementAndGet();
        String known = names.get(host);
        if (known == null) {
            throw new UnknownHostException(host);
        }
        String[] texts = known.split(" ");
        InetAddress[] all = new InetAddress[texts.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = InetAddress.getByName(texts[i]);
        }
        return all;
    }

    private void replaceWith(Endpoint... endpoints) {
        services.replace(Service.named("app").endpoints(endpoints).build());
    }

    private Snapshot last() {
        return delivered.get(delivered.size() - 1);
    }

    private List<String> endpoints() {
        return last().services().get(0).endpoints().stream()
                .map(Endpoint::toString)
                .toList();
    }

    private void passes(Duration time) {
        now.addAndGet(time.toNanos());
    }

    private void awaitLookups(int number) {
        await().atMost(Duration.ofSeconds(60)).until(() -> lookups.get() >= number);
    }

    @Test
    void eachAddressIsAnEndpointWhenTheCallReturns() {
        names.put("orders.internal", "10.0.0.6 10.0.0.5 fd00::1");
        replaceWith(
                Endpoint.http("orders.internal", 8080), Endpoint.http("10.0.0.9", 80), Endpoint.h2c("10.0.0.9", 81));

        assertThat(endpoints())
                .containsExactly(
                        "http://10.0.0.5:8080",
                        "http://10.0.0.6:8080",
                        "http://[fd00::1]:8080",
                        "http://10.0.0.9:80",
                        "h2c://10.0.0.9:81");
        assertThat(last().problems()).isEmpty();
        assertThat(last().services().get(0).endpoints()).allMatch(Endpoint::isResolved);
    }

    @Test
    void namesAreResolvedAgainEvery30Seconds() {
        names.put("orders.internal", "10.0.0.5");
        replaceWith(Endpoint.http("orders.internal", 8080));
        names.put("orders.internal", "10.0.0.7");
        passes(Duration.ofSeconds(29));
        assertThat(endpoints()).containsExactly("http://10.0.0.5:8080");

        passes(Duration.ofSeconds(1));

        await().atMost(Duration.ofSeconds(60)).until(() -> endpoints().equals(List.of("http://10.0.0.7:8080")));
        int before = delivered.size();
        passes(Duration.ofSeconds(30));
        awaitLookups(3);
        passes(Duration.ofSeconds(30));
        awaitLookups(4);
        assertThat(delivered).as("nothing has changed").hasSize(before);
    }

    @Test
    void theLastAddressesStayWhileANameIsNotResolved() {
        names.put("orders.internal", "10.0.0.5");
        replaceWith(Endpoint.http("orders.internal", 8080));
        names.clear();
        passes(Duration.ofSeconds(30));

        await().atMost(Duration.ofSeconds(60)).until(() -> !last().problems().isEmpty());
        assertThat(last().problems()).extracting(Problem::toString).containsExactly(KEPT);
        assertThat(endpoints()).containsExactly("http://10.0.0.5:8080");

        names.put("orders.internal", "10.0.0.8");
        passes(Duration.ofSeconds(30));
        await().atMost(Duration.ofSeconds(60)).until(() -> last().problems().isEmpty());
        assertThat(endpoints()).containsExactly("http://10.0.0.8:8080");
    }

    @Test
    void aNameThatWasNeverResolvedCostsItsEndpointAlone() {
        replaceWith(Endpoint.http("orders.internal", 8080), Endpoint.http("10.0.0.9", 80));

        assertThat(endpoints()).containsExactly("http://10.0.0.9:80");
        assertThat(last().problems())
                .extracting(Problem::toString)
                .containsExactly(
                        "app: endpoint http://orders.internal:8080: the name can't be resolved; it is left out,"
                                + " and it is retried every 30 s");
    }

    @Test
    void servicesWithoutNamesAreDeliveredAsTheyAre() {
        replaceWith(Endpoint.http("10.0.0.9", 80));

        assertThat(lookups).hasValue(0);
        assertThat(endpoints()).containsExactly("http://10.0.0.9:80");
    }

    @Test
    void closingEndsIt() {
        names.put("orders.internal", "10.0.0.5");
        replaceWith(Endpoint.http("orders.internal", 8080));
        int before = delivered.size();
        subscription.close();
        names.put("orders.internal", "10.0.0.7");
        replaceWith(Endpoint.http("orders.internal", 8080));
        passes(Duration.ofSeconds(30));

        await().atMost(Duration.ofSeconds(60))
                .until(() -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().equals("millau-resolver")));
        assertThat(delivered).hasSize(before);
    }

    @Test
    void mistakesAreNamed() {
        assertThatThrownBy(() -> Endpoint.http("orders.internal:8080", 80))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("host orders.internal:8080: expected a host name or an IP address, without a port");
        assertThatThrownBy(() -> Endpoint.http("http://orders", 80)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Endpoint.http("orders.internal", 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("port 0: expected 1 to 65535");
        assertThatThrownBy(() -> Endpoint.http("orders.internal", 80).address())
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("endpoint http://orders.internal:80 has no address yet: expected a resolved one");
        Service unresolved = Service.named("app")
                .endpoints(Endpoint.http("orders.internal", 80))
                .build();
        assertThatThrownBy(() -> new Router().replace(List.of(unresolved)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("service app has the endpoint http://orders.internal:80: expected an address, as a router"
                        + " resolves no host names");
    }
}
