package io.millau.server.internal.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Endpoint;
import io.millau.core.Route;
import io.millau.core.Service;
import io.millau.core.TrafficListener.Ingress;
import io.millau.core.testing.MadeUpFailure;
import io.millau.server.RecordedEnd;
import io.millau.server.RecordedOverview;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LiveTrafficTest {

    private static final Ingress HTTP = new Ingress(80, "http");
    private static final Ingress HTTPS = new Ingress(443, "https");
    private static final Endpoint ONE = endpoint("one");
    private static final Endpoint TWO = endpoint("two");
    private static final Route ROUTE = new Route("shop.example", "/");
    private static final long MILLI = 1_000_000;

    private final LiveTraffic traffic = new LiveTraffic();
    private Service shop = Service.named("shop")
            .hosts("shop.example", "www.shop.example")
            .endpoints(ONE, TWO)
            .build();

    private static Endpoint endpoint(String id) {
        return Endpoint.http(id, InetAddress.getLoopbackAddress(), 80);
    }

    @BeforeEach
    void begin() {
        RecordedOverview overview = new RecordedOverview();
        overview.ingresses = List.of(HTTP, HTTPS);
        traffic.servicesReplaced(List.of(shop));
        traffic.started(overview);
    }

    private static RecordedEnd ended(Service service, Ingress ingress, Route route, Endpoint endpoint, int status) {
        return new RecordedEnd(ingress, service, route, endpoint, true, false, status, 5 * MILLI);
    }

    private static RecordedEnd failed(Service service, Endpoint endpoint) {
        return new RecordedEnd(HTTP, service, ROUTE, endpoint, false, false, 502, 5 * MILLI);
    }

    private LiveTraffic.OfService counted() {
        return traffic.of(shop);
    }

    @Test
    void aRequestCountsForItsServiceRoutePortAndEndpoint() {
        traffic.requestEnded(ended(shop, HTTP, ROUTE, ONE, 200));
        traffic.requestEnded(ended(shop, HTTPS, ROUTE, ONE, 404));
        traffic.requestEnded(ended(shop, HTTPS, new Route("www.shop.example", "/"), TWO, 200));

        assertThat(counted().requests.total()).isEqualTo(3);
        assertThat(counted().errors.total()).isZero();
        assertThat(counted().endpoint(ONE).requests.total()).isEqualTo(2);
        assertThat(counted().endpoint(TWO).requests.total()).isEqualTo(1);
        assertThat(counted().route(ROUTE)).extracting(Meter::total).containsExactly(1L, 1L);
        assertThat(counted().route(new Route("www.shop.example", "/")))
                .extracting(Meter::total)
                .containsExactly(0L, 1L);
        assertThat(counted().latencies.quantile(0.5)).isBetween(5.0, 5.7);
    }

    @Test
    void onlyFailuresOfTheServiceAreErrors() {
        traffic.requestEnded(ended(shop, HTTP, ROUTE, ONE, 500));
        traffic.requestEnded(ended(shop, HTTP, ROUTE, ONE, 404));
        traffic.requestEnded(failed(shop, ONE));
        traffic.requestEnded(new RecordedEnd(HTTP, shop, ROUTE, ONE, false, true, 200, MILLI));

        assertThat(counted().requests.total()).isEqualTo(3);
        assertThat(counted().errors.total()).isEqualTo(2);
        assertThat(counted().endpoint(ONE).requests.total())
                .as("a failed attempt is counted separately")
                .isEqualTo(2);
        assertThat(counted().endpoint(ONE).errors.total()).isEqualTo(1);
    }

    @Test
    void aRequestWithoutAResponseHasNoLatency() {
        traffic.requestEnded(failed(shop, ONE));

        assertThat(counted().latencies.quantile(0.5)).isNull();
    }

    @Test
    void aFailedAttemptCountsOnlyForItsEndpoint() {
        traffic.attemptFailed(new MadeUpFailure(shop, ONE, true));
        traffic.requestEnded(ended(shop, HTTP, ROUTE, TWO, 200));

        assertThat(counted().requests.total()).isEqualTo(1);
        assertThat(counted().errors.total()).isZero();
        assertThat(counted().endpoint(ONE).requests.total()).isEqualTo(1);
        assertThat(counted().endpoint(ONE).errors.total()).isEqualTo(1);
        assertThat(counted().endpoint(TWO).errors.total()).isZero();
    }

    @Test
    void countsSurviveAChangeOfTheService() {
        traffic.requestEnded(ended(shop, HTTP, ROUTE, ONE, 200));
        LiveTraffic.OfService before = counted();
        shop = shop.toBuilder()
                .hosts("shop.example", "new.example")
                .endpoints(ONE, endpoint("three"))
                .build();
        traffic.servicesReplaced(List.of(shop));

        assertThat(counted()).isSameAs(before);
        assertThat(counted().requests.total()).isEqualTo(1);
        assertThat(counted().endpoint(ONE).requests.total()).isEqualTo(1);
        assertThat(counted().endpoint(TWO)).as("it was removed").isNull();
        assertThat(counted().endpoint(endpoint("three")).requests.total()).isZero();
        assertThat(counted().route(ROUTE)[0].total()).isEqualTo(1);
        assertThat(counted().route(new Route("www.shop.example", "/"))).isEmpty();
        assertThat(counted().route(new Route("new.example", "/"))).hasSize(2);
    }

    @Test
    void unknownServicesEndpointsAndPortsAreIgnored() {
        Service other = Service.named("other").endpoints(ONE).build();
        traffic.requestEnded(ended(other, HTTP, ROUTE, ONE, 200));
        traffic.requestEnded(new RecordedEnd(HTTP, null, null, null, false, false, 502, 0));
        traffic.requestEnded(new RecordedEnd(HTTP, shop, ROUTE, null, false, false, 502, 0));
        traffic.requestEnded(ended(shop, new Ingress(81, "http"), new Route("else", "/"), endpoint("else"), 200));
        traffic.attemptFailed(new MadeUpFailure(other, ONE, false));
        traffic.attemptFailed(new MadeUpFailure(shop, endpoint("else"), false));

        assertThat(traffic.of(other)).isNull();
        assertThat(counted().requests.total()).isEqualTo(2);
        assertThat(counted().route(ROUTE)).extracting(Meter::total).containsExactly(1L, 0L);
        assertThat(counted().endpoint(ONE).requests.total()).isZero();
    }

    @Test
    void ratesCoverTheLastSeconds() {
        for (int i = 0; i < 30; i++) {
            for (int j = 0; j < 10; j++) {
                traffic.requestEnded(ended(shop, HTTP, ROUTE, ONE, 200));
            }
            traffic.tick(1);
        }

        assertThat(Math.round(counted().requests.perSecond())).isEqualTo(10);
        assertThat(Math.round(counted().endpoint(ONE).requests.perSecond())).isEqualTo(10);
        assertThat(Math.round(counted().route(ROUTE)[0].perSecond())).isEqualTo(10);
        assertThat(counted().errors.perSecond()).isZero();
    }

    /** A source may replace all services for a change of one: the others must not look idle because of that. */
    @Test
    void aRequestThatBeganBeforeItsServiceChangedIsCounted() {
        Service before = shop;
        shop = shop.toBuilder().weight(3).build();
        traffic.servicesReplaced(List.of(shop));
        traffic.requestEnded(ended(before, HTTP, ROUTE, ONE, 200));

        assertThat(counted().requests.total()).isEqualTo(1);
        assertThat(counted().route(ROUTE)[0].total()).isEqualTo(1);
    }

    @Test
    void theDurationOfATunnelIsNotALatency() {
        traffic.requestEnded(ended(shop, HTTP, ROUTE, ONE, 101));

        assertThat(counted().requests.total()).isEqualTo(1);
        assertThat(counted().latencies.quantile(0.99)).isNull();
    }

    @Test
    void requestsWithoutAMatchingServiceAreCounted() {
        traffic.requestEnded(new RecordedEnd(HTTP, null, null, null, false, false, 502, MILLI));
        traffic.requestEnded(new RecordedEnd(HTTP, null, null, null, false, false, 400, MILLI));
        traffic.tick(1);

        assertThat(traffic.unmatchedPerSecond()).isEqualTo(0.25);
    }

    /** Services and endpoints change for years: removed ones must be forgotten. */
    @Test
    void nothingIsKeptOfRemovedServices() {
        Service first = shop;
        for (int i = 0; i < 1000; i++) {
            Service next = Service.named("shop" + i)
                    .hosts("host" + i)
                    .endpoints(endpoint("e" + i))
                    .build();
            shop = shop.toBuilder()
                    .hosts("host" + i)
                    .endpoints(endpoint("e" + i))
                    .build();
            traffic.servicesReplaced(List.of(shop, next));
        }

        assertThat(traffic.of(first))
                .as("a request that began before the change")
                .isSameAs(counted());
        assertThat(traffic.size()).isEqualTo(2);
        assertThat(counted().endpoint(ONE)).isNull();
        assertThat(counted().size()).as("its endpoint and its route").isEqualTo(2);
    }
}
