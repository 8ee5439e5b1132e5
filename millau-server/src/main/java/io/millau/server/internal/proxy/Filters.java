package io.millau.server.internal.proxy;

import io.millau.core.Endpoint;
import io.millau.core.FailurePage;
import io.millau.core.FilterResponse;
import io.millau.core.Request;
import io.millau.core.RequestFilter;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.internal.FirstFailures;
import io.millau.core.internal.LogText;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.frontend.RequestChanges;
import io.millau.server.internal.http.FieldRules;
import io.millau.server.internal.text.Throttle;
import io.undertow.util.StatusCodes;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The filters of a proxy, and its failure page. What they throw is logged with its stack trace the first time for each
 * place in their code, and then in one line, at most every 10 s. Safe for use by several threads.
 */
public final class Filters {

    private static final Logger LOG = LoggerFactory.getLogger(Filters.class);

    private final List<RequestFilter> ofProxy;
    private final @Nullable FailurePage page;
    private final FirstFailures failures = new FirstFailures(LOG);
    private final Throttle further = new Throttle();

    /** @param page null for plain texts */
    public Filters(List<RequestFilter> ofProxy, @Nullable FailurePage page) {
        this.ofProxy = List.copyOf(ofProxy);
        this.page = page;
    }

    /** Those that run before a service is chosen. */
    List<RequestFilter> ofProxy() {
        return ofProxy;
    }

    /** @param number its place among the filters of the proxy or the service, from 1: lambdas of one class have one name */
    void failed(RequestFilter filter, int number, Downstream downstream, Throwable failure) {
        log("Filter failed number=" + number, filter, filter.getClass(), downstream, failure);
    }

    private void log(String event, Object key, Class<?> of, Downstream downstream, Throwable failure) {
        if (failures.isFirst(key, failure)) {
            LOG.error("{} class={} request={}", event, FirstFailures.name(of), downstream.id(), failure);
        } else {
            further.warn(
                    LOG,
                    () -> event + " class=" + FirstFailures.name(of) + " request=" + downstream.id() + " reason="
                            + LogText.value(failure));
        }
    }

    /**
     * Lets filters change the head of a response that is about to be sent.
     *
     * @param endpoint null if the response is not a service's
     * @return false if one failed, so that the response must not be sent
     */
    boolean changeResponse(Downstream downstream, @Nullable Service service, @Nullable Endpoint endpoint) {
        RequestChanges changes = downstream.changes();
        if (changes == null) {
            return true;
        }
        ResponseView view = new ResponseView(downstream.exchange, service, endpoint);
        for (Consumer<FilterResponse> change : changes.ofResponse()) {
            try {
                change.accept(view);
            } catch (RuntimeException | Error e) {
                // The same code is another object for each request.
                log("Filter failed", change.getClass(), change.getClass(), downstream, e);
                return false;
            }
        }
        return true;
    }

    /** Whether it is this proxy itself that failed a request, and no filter and no server that was asked. */
    static boolean isOwnFailure(TrafficListener.Ended report) {
        TrafficListener.LocalReason reason = report.localReason();
        return report.status() >= StatusCodes.BAD_REQUEST
                && reason != TrafficListener.LocalReason.FILTER
                && reason != TrafficListener.LocalReason.AUTH;
    }

    /** The program's page for a failure of this proxy itself; null for another one. */
    FailurePage.@Nullable Page pageFor(TrafficListener.Ended report, Downstream downstream) {
        FailurePage pages = page;
        if (pages == null) {
            return null;
        }
        try {
            FailurePage.Page made = pages.page(new FailureView(report));
            if (made != null) {
                FieldRules.value("Content-Type", made.contentType());
            }
            return made;
        } catch (RuntimeException | Error e) {
            log("Failure page failed", pages, pages.getClass(), downstream, e);
            return null;
        }
    }

    private record FailureView(TrafficListener.Ended ended) implements FailurePage.Failure {
        @Override
        public int status() {
            return ended.status();
        }

        @Override
        public TrafficListener.LocalReason reason() {
            return Objects.requireNonNull(ended.localReason());
        }

        @Override
        public @Nullable Service service() {
            return ended.service();
        }

        @Override
        public String requestId() {
            return ended.request().id();
        }

        @Override
        public Request request() {
            return ended.request();
        }
    }
}
