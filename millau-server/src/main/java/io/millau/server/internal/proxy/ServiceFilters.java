package io.millau.server.internal.proxy;

import io.millau.core.Service;
import io.millau.server.internal.frontend.RequestChanges;
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

    /** The last service whose filters let the request pass, and those before it. Nearly always there is one. */
    private @Nullable Passed passed;

    /** @param changes what the filters of this service changed */
    private record Passed(
            String serviceId,
            @Nullable RequestChanges changes,
            @Nullable Passed before) {}

    private String running = "";

    ServiceFilters(ProxiedRequest request, FilteredRequest view) {
        this.request = request;
        this.view = view;
        this.ofProxy = view.downstream.changes();
    }

    /** Leads to {@link ProxiedRequest#filtered} or {@link ProxiedRequest#reply(FilterReply)}, now or later. */
    void run(Service service) {
        for (Passed known = passed; known != null; known = known.before) {
            if (known.serviceId.equals(service.id())) {
                view.downstream.resetChanges(known.changes);
                request.filtered();
                return;
            }
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
        passed = new Passed(running, view.downstream.changes(), passed);
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
