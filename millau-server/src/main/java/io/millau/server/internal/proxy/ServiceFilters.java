package io.millau.server.internal.proxy;

import io.millau.core.Service;
import io.millau.server.internal.frontend.RequestChanges;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The filters of the services that a request is sent to. Those of a service run once, before the request is first sent to it, and
 * what they change is for that service alone. For the request's I/O thread alone.
 */
final class ServiceFilters implements FilteredRequest.Next {

    private final ProxiedRequest request;
    private final FilteredRequest view;

    /** What the filters of the proxy changed. */
    private final @Nullable RequestChanges ofProxy;

    /** What the filters of services that let the request pass changed, by the service's id. */
    private final Map<String, @Nullable RequestChanges> passed = new HashMap<>(4);

    private String running = "";

    ServiceFilters(ProxiedRequest request, FilteredRequest view) {
        this.request = request;
        this.view = view;
        this.ofProxy = view.downstream.changes();
    }

    /** Leads to {@link ProxiedRequest#filtered} or {@link ProxiedRequest#reply(FilterReply)}, now or later. */
    void run(Service service) {
        if (passed.containsKey(service.id())) {
            view.downstream.resetChanges(passed.get(service.id()));
            request.filtered();
            return;
        }
        forgetService();
        running = service.id();
        view.run(service.filters(), this);
    }

    /** Leaves what the filters of the proxy changed. */
    void forgetService() {
        view.downstream.resetChanges(ofProxy == null ? null : ofProxy.copy());
    }

    @Override
    public void proceed(FilteredRequest view) {
        passed.put(running, view.downstream.changes());
        request.filtered();
    }

    @Override
    public void reply(FilteredRequest view, FilterReply reply) {
        request.reply(reply);
    }

    @Override
    public void waits(FilteredRequest view) {
        // The request counts as in progress already.
    }
}
