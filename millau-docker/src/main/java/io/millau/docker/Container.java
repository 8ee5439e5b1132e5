package io.millau.docker;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A container of this engine. Immutable.
 *
 * @param created seconds since 1970
 * @param state what it does
 * @param failure what is wrong with it, after its name; null if nothing is, or if it was stopped
 * @param ports TCP ports that it exposes
 * @param networkMode {@code host}, {@code container:ID} or another value; empty if the list doesn't tell, as Podman's
 * @param attachments its addresses, except those on Docker's internal networks
 */
record Container(
        String id,
        String name,
        Map<String, String> labels,
        long created,
        State state,
        @Nullable String failure,
        Set<Integer> ports,
        String networkMode,
        List<Attachment> attachments) {

    /** What a container does. */
    enum State {
        /** It runs, and is healthy where it has a health check. */
        READY,
        /** It runs, and its health check says that it is unhealthy, or nothing yet. */
        UNREADY,
        /** It has failed, and the engine starts it again. */
        RESTARTING,
        /** It does not run: it ended, is paused, or has not begun. */
        NOT_RUNNING
    }

    static final Fields FIELDS = Fields.of(
            "Id",
            "Names",
            "Labels",
            "Created",
            "State",
            "Status",
            "Ports",
            "HostConfig/NetworkMode",
            "NetworkSettings/Networks");

    private static final String COMPOSE_PROJECT = "com.docker.compose.project";
    private static final String COMPOSE_SERVICE = "com.docker.compose.service";
    private static final String COMPOSE_ONE_OFF = "com.docker.compose.oneoff";

    /** Swarm's label on the container of a task, also in its events. */
    static final String SWARM_TASK = "com.docker.swarm.task.id";

    /** "Restarting (1) 3 seconds ago", "Exited (1) 3 seconds ago". */
    private static final Pattern EXIT = Pattern.compile("(?:Restarting|Exited) \\((?<code>[0-9]+)\\)");

    /** The exit codes of a container that has ended by itself, or by {@code docker stop}: SIGKILL, SIGTERM. */
    private static final Set<String> STOPPED = Set.of("0", "137", "143");

    private static final String UNHEALTHY = "(unhealthy)";
    private static final String SHARED_NETWORK = "container:";

    static Container of(Json json) {
        String id = json.text("Id");
        State state = state(json);
        return new Container(
                id,
                name(json, id),
                json.path("Labels").strings(),
                json.path("Created").asLong(),
                state,
                failure(state, json.path("Status").asText()),
                ports(json.path("Ports")),
                json.path("HostConfig").path("NetworkMode").asText(),
                attachments(json.path("NetworkSettings").path("Networks")));
    }

    /** The name without a second slash. Names with one are links from other containers. */
    private static String name(Json json, String id) {
        for (Json name : json.path("Names")) {
            String plain = name.asText().replaceFirst("^/", "");
            if (!plain.isEmpty() && !plain.contains("/")) {
                return plain;
            }
        }
        return id.substring(0, Math.min(12, id.length()));
    }

    /** The list has the health only in its status text: "Up 5 seconds (health: starting)". */
    private static State state(Json json) {
        String status = json.path("Status").asText();
        return switch (json.path("State").asText()) {
            case "running" ->
                status.contains(UNHEALTHY) || status.contains("(health: starting)") ? State.UNREADY : State.READY;
            case "restarting" -> State.RESTARTING;
            default -> State.NOT_RUNNING;
        };
    }

    private static @Nullable String failure(State state, String status) {
        if (status.contains(UNHEALTHY)) {
            return "is unhealthy";
        }
        Matcher exit = EXIT.matcher(status);
        if (!exit.lookingAt()) {
            return null;
        }
        String code = exit.group("code");
        if (state == State.RESTARTING) {
            return "exits with code " + code + " and is restarted";
        }
        return STOPPED.contains(code) ? null : "has exited with code " + code;
    }

    private static Set<Integer> ports(Json json) {
        Set<Integer> ports = new TreeSet<>();
        for (Json port : json) {
            if (port.path("Type").asText().equals("tcp")) {
                ports.add(port.path("PrivatePort").asInt());
            }
        }
        return ports;
    }

    private static List<Attachment> attachments(Json networks) {
        List<Attachment> attachments = new ArrayList<>();
        networks.fields().forEach((network, at) -> {
            if (!Network.isDockerInternal(network)) {
                attach(attachments, network, at.path("IPAddress"), at.path("IPPrefixLen"));
                attach(attachments, network, at.path("GlobalIPv6Address"), at.path("GlobalIPv6PrefixLen"));
            }
        });
        return attachments;
    }

    private static void attach(List<Attachment> attachments, String network, Json address, Json prefix) {
        if (!address.asText().isEmpty()) {
            attachments.add(new Attachment(network, new Subnet(Subnet.literal(address.asText()), prefix.asInt())));
        }
    }

    Container withPorts(Set<Integer> ports) {
        return new Container(id, name, labels, created, state, failure, ports, networkMode, attachments);
    }

    Container withNetworkMode(String networkMode) {
        return new Container(id, name, labels, created, state, failure, ports, networkMode, attachments);
    }

    Container withFailure(@Nullable String failure) {
        return new Container(id, name, labels, created, state, failure, ports, networkMode, attachments);
    }

    /** The containers of a Compose service are one service. Any other container is a service by itself. */
    String serviceId() {
        String project = labels.get(COMPOSE_PROJECT);
        String service = labels.get(COMPOSE_SERVICE);
        return project == null || service == null ? "container:" + id : "compose:" + project + "/" + service;
    }

    /** Testcontainers sets the label of the service without that of a project. */
    String serviceName() {
        String service = labels.get(COMPOSE_SERVICE);
        return service == null ? name : service;
    }

    boolean isReady() {
        return state == State.READY;
    }

    /** Whether it ended by itself with an error: whoever stops one of several may make it exit with any code. */
    boolean hasExited() {
        return state == State.NOT_RUNNING && failure != null;
    }

    boolean isTask() {
        return labels.containsKey(SWARM_TASK);
    }

    /** Whether {@code docker compose run} started it: such a container is no replica. */
    boolean isOneOff() {
        return Boolean.parseBoolean(labels.get(COMPOSE_ONE_OFF));
    }

    boolean onHost() {
        return networkMode.equals("host");
    }

    /** The id or name of the container whose network it uses; null if it has its own. */
    @Nullable
    String networkOwner() {
        return networkMode.startsWith(SHARED_NETWORK) ? networkMode.substring(SHARED_NETWORK.length()) : null;
    }
}
