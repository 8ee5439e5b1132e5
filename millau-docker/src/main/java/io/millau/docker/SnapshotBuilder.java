package io.millau.docker;

import io.millau.core.Endpoint;
import io.millau.core.Problem;
import io.millau.core.Service;
import io.millau.core.Snapshot;
import io.millau.core.internal.LabelReader;
import io.millau.core.internal.LabelText;
import io.millau.core.internal.ServiceLabels;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Makes a snapshot of services from the state of an engine. Everything is sorted, so that the same state makes an equal
 * snapshot in whatever order the engine lists it. Remembers each service's last valid settings, and each service while
 * nothing of it changes. For one thread.
 */
final class SnapshotBuilder {

    /** What the ids of Swarm services begin with. */
    static final String SWARM = "swarm:";

    // Not Comparator.comparing, whose lambdas would be linked at start, outside of the class archive.
    private static final Comparator<Service> BY_NAME = (a, b) -> {
        int byName = a.name().compareTo(b.name());
        return byName != 0 ? byName : a.id().compareTo(b.id());
    };

    private static final Comparator<Container> BY_AGE = (a, b) -> {
        int byTime = Long.compare(a.created(), b.created());
        return byTime != 0 ? byTime : a.id().compareTo(b.id());
    };

    private final String engine;
    private final RequiredLabel required;
    private final LabelReader labels = new LabelReader();

    /** By id; made with these addresses. */
    private Map<String, Made> made = Map.of();

    private Addresses madeFor = new Addresses(Interfaces.of(), List.of());

    SnapshotBuilder(String engine) {
        this(engine, RequiredLabel.NONE);
    }

    SnapshotBuilder(String engine, RequiredLabel required) {
        this.engine = engine;
        this.required = required;
    }

    Snapshot build(EngineView view, Interfaces own) {
        return new Build(view, own).snapshot();
    }

    /** A running task or container. */
    private record Instance(
            String id,
            List<Attachment> attachments,
            @Nullable HostNetwork hostNetwork) {}

    /** Marks an instance on its host's network. The host's address may be unknown. */
    private record HostNetwork(Optional<InetAddress> address) {}

    /** A service, with what it was made of and what is wrong with it. */
    private record Made(LabelReader.Route route, List<Instance> instances, Service service, Set<String> mismatches) {

        boolean isOf(LabelReader.Route other, List<Instance> instances) {
            return route.name().equals(other.name())
                    && route.settings() == other.settings()
                    && this.instances.equals(instances);
        }
    }

    /** Builds one snapshot. */
    private final class Build {
        private final EngineView view;
        private final Addresses addresses;
        private final boolean sameAddresses;
        private final Map<String, List<SwarmTask>> running;
        private final LabelReader.Batch batch = labels.batch();
        private final List<Service> services = new ArrayList<>();
        private final Map<String, Made> nowMade = new HashMap<>();

        /** How many services have labels of ours, and lack the required one. */
        private int withoutRequired;

        Build(EngineView view, Interfaces own) {
            this.view = view;
            this.addresses = new Addresses(own, view.networks());
            this.sameAddresses = addresses.equals(madeFor);
            madeFor = addresses;
            this.running = view.tasks().stream()
                    .filter(SwarmTask::running)
                    .collect(Collectors.groupingBy(SwarmTask::serviceId));
        }

        Snapshot snapshot() {
            reportRole();
            view.services().stream()
                    .sorted((a, b) -> a.name().compareTo(b.name()))
                    .forEach(this::addSwarmService);
            Map<String, List<Container>> replicas = view.containers().stream()
                    .filter(container -> !container.isTask() && !container.isOneOff())
                    .collect(Collectors.groupingBy(Container::serviceId, TreeMap::new, Collectors.toList()));
            replicas.forEach(this::addContainers);
            if (nowMade.isEmpty() && withoutRequired > 0) {
                batch.problem(
                        engine,
                        "none of its services with labels that begin with " + ServiceLabels.PREFIX + " ("
                                + withoutRequired + ") has the label " + required + ", which DOCKER_LABEL asks for");
            }
            made = nowMade;
            services.sort(BY_NAME);
            return new Snapshot(services, batch.finish());
        }

        private void reportRole() {
            switch (view.role()) {
                case WORKER ->
                    batch.problem(
                            engine,
                            "this engine is a Swarm worker, where services can't be read: only its containers are"
                                    + " served; expected a manager");
                case FORBIDDEN ->
                    batch.problem(
                            engine,
                            "this engine's Swarm services may not be read: only its containers are served; expected to be"
                                    + " allowed GET of /services, /tasks and /nodes");
                case ALONE, MANAGER -> {}
            }
        }

        private boolean hasRequired(Map<String, String> labels) {
            boolean has = required.isIn(labels);
            withoutRequired += has || !ServiceLabels.concern(labels) ? 0 : 1;
            return has;
        }

        private void addSwarmService(SwarmService service) {
            if (!hasRequired(service.labels())) {
                return;
            }
            String id = SWARM + service.id();
            List<LabelReader.Route> routes = batch.read(id, service.name(), service.labels(), service.ports());
            if (!service.ignored().isEmpty()) {
                batch.problem(
                        service.name(),
                        String.join(", ", service.ignored())
                                + ": labels of containers have no effect beside those of the"
                                + " service; expected all of them under deploy.labels");
            }
            List<Instance> instances = running.getOrDefault(service.id(), List.of()).stream()
                    .map(task -> new Instance(
                            task.id(),
                            task.attachments(),
                            task.onHost()
                                    ? new HostNetwork(
                                            Optional.ofNullable(view.nodes().get(task.nodeId())))
                                    : null))
                    .toList();
            routes.forEach(route -> add(id, route, instances));
            String failure = view.failures().get(service.id());
            if (failure != null && isAnyEnabled(routes)) {
                problemOfInstance(
                        service.name(),
                        "a task does not run: " + failure + " (more: docker service ps --no-trunc " + service.name()
                                + ")");
            }
        }

        private static boolean isAnyEnabled(List<LabelReader.Route> routes) {
            return routes.stream().anyMatch(route -> route.settings().enabled());
        }

        private void addContainers(String id, List<Container> replicas) {
            // While Compose replaces containers, old and new ones exist. The labels of the newest apply.
            Container newest = replicas.stream().max(BY_AGE).orElseThrow();
            if (!ServiceLabels.mayConcern(newest.labels()) || !hasRequired(newest.labels())) {
                return;
            }
            List<LabelReader.Route> routes = batch.read(id, newest.serviceName(), newest.labels(), newest.ports());
            List<Instance> instances = replicas.stream()
                    .filter(Container::isReady)
                    .map(this::instance)
                    .toList();
            routes.forEach(route -> add(id, route, instances));
            if (isAnyEnabled(routes)) {
                replicas.stream()
                        .filter(container -> instances.isEmpty() || !container.hasExited())
                        .forEach(this::reportFailure);
            }
        }

        private void reportFailure(Container container) {
            String failure = container.failure();
            if (failure != null) {
                problemOfInstance(
                        container.serviceName(),
                        "container " + container.name() + " " + failure + " (more: docker logs " + container.name()
                                + ")");
            }
        }

        private void problemOfInstance(String service, String message) {
            batch.problem(new Problem(service, message, List.of(), true));
        }

        private Instance instance(Container container) {
            Container network = networkOwner(container);
            return new Instance(
                    container.id(), network.attachments(), network.onHost() ? new HostNetwork(addresses.host()) : null);
        }

        private Container networkOwner(Container container) {
            String owner = container.networkOwner();
            if (owner == null) {
                return container;
            }
            return view.containers().stream()
                    .filter(other -> other.id().equals(owner) || other.name().equals(owner))
                    .findFirst()
                    .orElse(container);
        }

        private void add(String ofService, LabelReader.Route route, List<Instance> instances) {
            String id = route.id(ofService);
            Made before = made.get(id);
            Made now = before != null && sameAddresses && before.isOf(route, instances)
                    ? before
                    : make(ofService, route, instances, before);
            nowMade.put(id, now);
            now.mismatches().forEach(message -> batch.problem(route.service(), message));
            services.add(now.service());
        }

        private Made make(String ofService, LabelReader.Route route, List<Instance> instances, @Nullable Made before) {
            Set<String> mismatches = new TreeSet<>();
            if (instances.isEmpty() && before != null && before.route().settings() == route.settings()) {
                mismatches.addAll(before.mismatches()); // those in a crash loop will be back
            }
            // A service that is not enabled needs neither a port nor a shared network.
            List<Endpoint> endpoints = route.settings().enabled() ? endpoints(route, instances, mismatches) : List.of();
            Service service = route.toService(ofService).endpoints(endpoints).build();
            return new Made(route, instances, service, mismatches);
        }

        private List<Endpoint> endpoints(LabelReader.Route route, List<Instance> instances, Set<String> mismatches) {
            List<Endpoint> endpoints = new ArrayList<>();
            for (Instance instance : instances) {
                address(instance, route.settings().network(), mismatches)
                        .ifPresent(address -> endpoints.add(
                                route.settings().endpoint(route.endpointId(instance.id()), address, route.service())));
            }
            endpoints.sort((a, b) -> a.id().compareTo(b.id()));
            return endpoints;
        }

        private Optional<InetAddress> address(Instance instance, @Nullable LabelText network, Set<String> mismatches) {
            HostNetwork hostNetwork = instance.hostNetwork();
            if (hostNetwork != null) {
                if (hostNetwork.address().isEmpty()) {
                    mismatches.add("runs on its host's network, and the host's address is unknown here;"
                            + " expected the proxy on a bridge of that host, or on the host's network too");
                }
                return hostNetwork.address();
            }
            String preferred = network == null ? null : network.value();
            List<Attachment> reachable = addresses.reachable(instance.attachments(), preferred);
            if (reachable.isEmpty()) {
                mismatches.add(addresses.mismatch(instance.attachments()));
                return Optional.empty();
            }
            Attachment best = reachable.get(0);
            if (network != null && !best.network().equals(preferred)) {
                mismatches.add(network.label() + "=" + preferred
                        + ": expected a network that it shares with"
                        + " the proxy: "
                        + reachable.stream().map(Attachment::network).distinct().collect(Collectors.joining(", "))
                        + " (the first is used)");
            }
            return Optional.of(best.subnet().address());
        }
    }
}
