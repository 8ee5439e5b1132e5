package io.millau.server.internal.proxy;

import io.millau.core.FilterRequest;
import io.millau.core.FilterResponse;
import io.millau.core.RequestFilter;
import io.millau.core.Verdict;
import io.millau.core.internal.LabelFilter;
import io.millau.server.internal.frontend.Downstream;
import io.millau.server.internal.frontend.RequestChanges;
import io.millau.server.internal.http.AskedNames;
import io.millau.server.internal.http.FieldRules;
import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.tls.ClientIdentity;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.HttpString;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way through filters: what they see of it, and whose turn it is. Used again for the filters of services. For the
 * request's I/O thread, and for another thread while a filter has deferred its verdict.
 */
final class FilteredRequest implements FilterRequest {

    /** How long a filter may defer its verdict. */
    private static final Duration LONGEST = Duration.ofSeconds(60);

    private static final Verdict PROCEED = new Verdict() {};

    /** What follows the filters. Called on the request's I/O thread, once for each run. */
    interface Next {

        void proceed(FilteredRequest request);

        void reply(FilteredRequest request, FilterReply reply);

        /** A filter decides later. Called once for each run, before one of the other methods. */
        void waits(FilteredRequest request);
    }

    private record Deferred(CompletionStage<? extends Verdict> stage) implements Verdict {}

    final Downstream downstream;

    /** When the request began, on the clock of the event loop, in nanoseconds. */
    final long began;

    final ProxyThread thread;
    private final Filters guard;
    private List<RequestFilter> filters = List.of();
    private int done;
    private boolean waited;
    private boolean decided;
    private @Nullable Next next;

    FilteredRequest(Downstream downstream, ProxyThread thread, Filters guard, long began) {
        this.downstream = downstream;
        this.thread = thread;
        this.guard = guard;
        this.began = began;
    }

    // ---- The filters' turns

    /** Runs filters one after the other until one responds. */
    void run(List<RequestFilter> these, Next then) {
        filters = these;
        done = 0;
        waited = false;
        decided = false;
        next = then;
        goOn();
    }

    /** Whether a filter of this run deferred its verdict. */
    boolean waited() {
        return waited;
    }

    private void goOn() {
        while (done < filters.size()) {
            RequestFilter filter = filters.get(done++);
            Verdict verdict;
            try {
                verdict = filter.filter(this);
            } catch (RuntimeException | Error e) {
                failed(filter, e);
                return;
            }
            if (!proceeds(filter, verdict)) {
                return;
            }
        }
        decided().proceed(this);
    }

    /** Whether the next filter is to be asked now. If not, the verdict was carried out, or is waited for. */
    private boolean proceeds(RequestFilter filter, @Nullable Verdict verdict) {
        Verdict known = verdict;
        while (known instanceof Deferred deferred) {
            Wait wait = new Wait(filter);
            known = wait.verdictOf(deferred.stage());
            if (known == null) {
                return false;
            }
        }
        if (known == PROCEED) {
            return true;
        }
        if (known instanceof FilterReply reply) {
            if (filter instanceof LabelFilter label) {
                reply.becauseOf(label);
            }
            decided().reply(this, reply);
        } else if (known != Wait.FAILED) {
            failed(
                    filter,
                    new IllegalStateException("verdict " + known + ": expected what a method of the request returned"));
        }
        return false;
    }

    private void failed(RequestFilter filter, Throwable failure) {
        guard.failed(filter, done, downstream, failure);
        decided().reply(this, FilterReply.failed());
    }

    private Next decided() {
        decided = true;
        return next();
    }

    private Next next() {
        return Objects.requireNonNull(next);
    }

    /** Waits for the verdict of a filter. */
    private final class Wait extends Deadlines.Deadline {

        /** Says that the failure was dealt with. */
        private static final Verdict FAILED = new Verdict() {};

        private final RequestFilter filter;
        private final Thread ioThread = Thread.currentThread();
        private boolean registering = true;
        private boolean over;
        private @Nullable Verdict verdict;
        private @Nullable Throwable failure;

        Wait(RequestFilter filter) {
            this.filter = filter;
        }

        /** Returns the verdict if it is known already; null if it comes later. */
        @Nullable
        Verdict verdictOf(CompletionStage<? extends Verdict> stage) {
            try {
                stage.whenComplete(this::completed);
            } catch (RuntimeException e) {
                over = true;
                failed(filter, e);
                return FAILED;
            }
            registering = false;
            if (over) {
                return outcome();
            }
            thread.loop.longDeadlines.set(this, LONGEST.toNanos());
            if (!waited) {
                waited = true;
                next().waits(FilteredRequest.this);
            }
            return null;
        }

        /** Called by any thread. */
        private void completed(@Nullable Verdict known, @Nullable Throwable reason) {
            if (Thread.currentThread() == ioThread && registering) {
                verdict = known;
                failure = reason;
                over = true;
                return;
            }
            try {
                thread.loop.execute(() -> resume(known, reason));
            } catch (RejectedExecutionException stopped) {
                // The proxy stops, and its connections end.
            }
        }

        private void resume(@Nullable Verdict known, @Nullable Throwable reason) {
            if (over) {
                return; // too late
            }
            over = true;
            thread.loop.longDeadlines.cancel(this);
            verdict = known;
            failure = reason;
            Verdict outcome = outcome();
            if (outcome != FAILED && proceeds(filter, outcome)) {
                goOn();
            }
        }

        private @Nullable Verdict outcome() {
            if (failure != null) {
                failed(filter, failure);
                return FAILED;
            }
            if (verdict == null) {
                failed(filter, new NullPointerException("deferred verdict"));
                return FAILED;
            }
            return verdict;
        }

        @Override
        public void passed() {
            over = true;
            failed(filter, new TimeoutException("no verdict within " + LONGEST.toSeconds() + " s"));
        }
    }

    // ---- Verdicts

    @Override
    public Verdict proceed() {
        return PROCEED;
    }

    @Override
    public Verdict.Response respond(int status, String text) {
        return FilterReply.of(status, text);
    }

    @Override
    public Verdict.Response respond(int status, String contentType, byte[] body) {
        return FilterReply.of(status, contentType, body);
    }

    @Override
    public Verdict.Response redirect(int status, String location) {
        return FilterReply.redirect(status, location);
    }

    @Override
    public Verdict defer(CompletionStage<? extends Verdict> verdict) {
        return new Deferred(Objects.requireNonNull(verdict, "verdict"));
    }

    // ---- What the request says

    @Override
    public String method() {
        return downstream.exchange.getRequestMethod().toString();
    }

    @Override
    public String host() {
        return downstream.routedHost();
    }

    @Override
    public String path() {
        return downstream.routedPath();
    }

    @Override
    public String query() {
        RequestChanges changes = downstream.changes();
        return changes == null || changes.query() == null ? downstream.exchange.getQueryString() : changes.query();
    }

    @Override
    public String scheme() {
        return downstream.exchange.getRequestScheme();
    }

    @Override
    public String clientAddress() {
        return downstream.address();
    }

    @Override
    public @Nullable String header(String name) {
        RequestChanges changes = downstream.changes();
        if (changes == null) {
            return AskedNames.first(sent(), name);
        }
        List<String> values = headers(name);
        return values.isEmpty() ? null : values.get(0);
    }

    @Override
    public List<String> headers(String name) {
        HttpString key = AskedNames.of(name);
        RequestChanges changes = downstream.changes();
        List<String> changed =
                changes == null || key == null ? null : changes.fields().get(key);
        if (changed != null) {
            return List.copyOf(changed);
        }
        HeaderValues values = key == null || changes != null && changes.replaces(key) ? null : sent().get(key);
        return values == null ? List.of() : List.copyOf(values);
    }

    @Override
    public Set<String> headerNames() {
        Set<String> names = new LinkedHashSet<>();
        RequestChanges changes = downstream.changes();
        for (HttpString name : sent().getHeaderNames()) {
            if (changes == null || !changes.replaces(name)) {
                names.add(name.toString());
            }
        }
        if (changes != null) {
            changes.fields().forEach((name, values) -> {
                if (!values.isEmpty()) {
                    names.add(name.toString());
                }
            });
        }
        return names;
    }

    private HeaderMap sent() {
        return downstream.exchange.getRequestHeaders();
    }

    @Override
    public long nanoTime() {
        return thread.loop.longDeadlines.now();
    }

    @Override
    public String requestId() {
        return downstream.id();
    }

    @Override
    public @Nullable String tlsVersion() {
        return downstream.tlsVersion();
    }

    @Override
    public @Nullable X509Certificate clientCertificate() {
        ClientIdentity proved = Downstream.provedBy(downstream.exchange);
        return proved == null ? null : proved.certificate();
    }

    @Override
    public @Nullable Object attribute(String key) {
        return downstream.attribute(key);
    }

    // ---- Changes

    @Override
    public FilterRequest attribute(String key, Object value) {
        downstream.setAttribute(key, value);
        return this;
    }

    @Override
    public FilterRequest setHeader(String name, String value) {
        change().set(FieldRules.ofRequest(name), FieldRules.value(name, value));
        return this;
    }

    @Override
    public FilterRequest addHeader(String name, String value) {
        change().add(FieldRules.ofRequest(name), FieldRules.value(name, value), sent());
        return this;
    }

    @Override
    public FilterRequest removeHeader(String name) {
        change().remove(FieldRules.ofRequest(name));
        return this;
    }

    @Override
    public FilterRequest rewritePath(String path) {
        change().rewritePath(path);
        return this;
    }

    @Override
    public FilterRequest rewriteQuery(String query) {
        change().rewriteQuery(query);
        return this;
    }

    @Override
    public FilterRequest rewriteHost(String host) {
        change().rewriteHost(host);
        return this;
    }

    @Override
    public FilterRequest preferHost(String host) {
        change().preferHost(host);
        return this;
    }

    @Override
    public FilterRequest onResponse(Consumer<FilterResponse> change) {
        change().changeResponse(Objects.requireNonNull(change, "change"));
        return this;
    }

    private RequestChanges change() {
        if (decided) {
            throw new IllegalStateException("the verdict is known: expected changes of the request before it");
        }
        return downstream.change();
    }
}
