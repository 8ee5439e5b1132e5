package io.millau.server.internal.proxy;

import io.millau.core.Delivery;
import io.millau.core.Endpoint;
import io.millau.core.FailurePage;
import io.millau.core.Outcome;
import io.millau.core.Router;
import io.millau.core.Service;
import io.millau.core.internal.Labels;
import io.millau.core.internal.LogText;
import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.io.EventLoop;
import io.millau.server.internal.text.Throttle;
import io.millau.server.internal.upstream.HealthChecks;
import io.millau.server.internal.upstream.UpstreamPool;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds pages for this proxy's own failures at the services that give them: {@code millau.errors}. However many requests fail, a page
 * is asked for once a second at most, and once in 5 s if there was none. Its requests say nothing of an endpoint's health. For one I/O
 * thread alone.
 */
final class ErrorPages {

    private static final Logger LOG = LoggerFactory.getLogger(ErrorPages.class);

    private static final long LONGEST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long PAGE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long NO_PAGE_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** How many are known at the same time; each has up to {@link PageRequest#MAX_BYTES}. */
    private static final int MOST = 100;

    private final Router router;
    private final EventLoop loop;
    private final UpstreamPool upstream;
    private final Map<Key, Search> searches = new HashMap<>();
    private final Throttle warnings = new Throttle();

    /** @param host of the services that give the page */
    private record Key(String host, int status) {}

    ErrorPages(Router router, EventLoop loop, UpstreamPool upstream) {
        this.router = router;
        this.loop = loop;
        this.upstream = upstream;
    }

    /**
     * Finds the page for a failure.
     *
     * @param host the host of the request that failed
     * @param taker gets the page, now or within a second; null if there is none
     */
    void find(String host, int status, Consumer<FailurePage.@Nullable Page> taker) {
        Delivery delivery = router.openErrorPage(host);
        if (delivery == null) {
            taker.accept(null);
            return;
        }
        Key key = new Key(delivery.route().host(), status);
        long now = loop.deadlines.now();
        Search known = searches.get(key);
        if (known != null && !known.isOutdated(now)) {
            delivery.close();
            known.take(taker);
            return;
        }
        searches.values().removeIf(search -> search.isOutdated(now));
        if (searches.size() >= MOST) {
            delivery.close();
            taker.accept(null);
            return;
        }
        Search search = new Search(delivery, status);
        searches.put(key, search);
        search.take(taker);
        search.tryNext();
    }

    /** Asks one endpoint after the other, until one has the page or the time is over. */
    private final class Search extends Deadlines.Deadline implements PageRequest.Asker {
        private final Delivery delivery;
        private final int status;
        private final List<Consumer<FailurePage.@Nullable Page>> takers = new ArrayList<>(1);
        private boolean over;
        private long outdated;
        private FailurePage.@Nullable Page page;
        private @Nullable PageRequest request;
        private String lastReason = "no place at an instance";

        Search(Delivery delivery, int status) {
            this.delivery = delivery;
            this.status = status;
            loop.deadlines.set(this, LONGEST_WAIT_NANOS);
        }

        boolean isOutdated(long now) {
            return over && now - outdated >= 0;
        }

        void take(Consumer<FailurePage.@Nullable Page> taker) {
            if (over) {
                taker.accept(page);
            } else {
                takers.add(taker);
            }
        }

        void tryNext() {
            Endpoint next = delivery.next();
            if (next == null) {
                end(null);
                return;
            }
            Service service = delivery.service();
            String path = Objects.requireNonNull(service.errors()).replace(Labels.STATUS, String.valueOf(status));
            request = new PageRequest(loop, this, status);
            request.begin(upstream, next, HealthChecks.host(service, next), path);
        }

        @Override
        public void found(FailurePage.Page found) {
            end(found);
        }

        @Override
        public void notFound(String reason) {
            lastReason = reason;
            request = null;
            delivery.report(Outcome.CLIENT_GONE);
            tryNext();
        }

        @Override
        public void passed() {
            lastReason = "no page within 1 s";
            end(null);
        }

        private void end(FailurePage.@Nullable Page found) {
            over = true;
            page = found;
            outdated = loop.deadlines.now() + (found == null ? NO_PAGE_NANOS : PAGE_NANOS);
            loop.deadlines.cancel(this);
            if (request != null) {
                request.end();
                request = null;
            }
            Service service = delivery.service();
            delivery.close();
            if (found == null) {
                warnings.warn(
                        LOG,
                        () -> "No error page service=" + LogText.value(service.name()) + " status=" + status
                                + " reason=" + LogText.value(lastReason) + " meanwhile=\"plain texts\"");
            }
            takers.forEach(taker -> taker.accept(found));
            takers.clear();
        }
    }
}
