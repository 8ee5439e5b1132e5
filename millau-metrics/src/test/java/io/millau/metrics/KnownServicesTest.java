package io.millau.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Service;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class KnownServicesTest {

    private final AtomicLong nanos = new AtomicLong();
    private final KnownServices services = new KnownServices(nanos::get);

    @Test
    void servicesWithOneNameShareTheirSeriesAlsoAfterAChange() {
        Service one = Service.named("app").build();
        Service other = Service.named("app").hosts("other").build();
        services.replace(List.of(one, other));
        ServiceSeries series = services.of(one);
        assertThat(services.of(other)).isSameAs(series);

        Service changed = Service.named("app").hosts("changed").build();
        services.replace(List.of(changed));
        assertThat(services.of(changed)).isSameAs(series);
        assertThat(services.of(one)).isSameAs(series);
    }

    /** Each snapshot also removes old entries, so that memory does not grow without scrapes. */
    @Test
    void removedServicesAreForgottenWithoutScrapes() {
        Service job = Service.named("job").build();
        services.replace(List.of(job));
        ServiceSeries series = services.of(job);
        services.replace(List.of());
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(61));
        services.replace(List.of());

        assertThat(services.of(job)).isNotSameAs(series);
    }
}
