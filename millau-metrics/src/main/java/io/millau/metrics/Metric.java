package io.millau.metrics;

import java.util.List;
import java.util.Locale;

/** The metrics that are Millau's own. {@code docs/metrics.md} shows them in this order. */
enum Metric {
    OPEN_CONNECTIONS(
            Type.GAUGE,
            "millau_ingress_open_connections",
            "Connections with a request in progress, or upgraded.",
            "port",
            "protocol"),
    REQUESTS(Type.COUNTER, "millau_ingress_requests_total", "Requests that came in.", "method", "port", "protocol"),
    REQUESTS_BYTES(
            Type.COUNTER,
            "millau_ingress_requests_bytes_total",
            "Bytes of the bodies of requests.",
            "method",
            "port",
            "protocol"),
    RESPONSES_BYTES(
            Type.COUNTER,
            "millau_ingress_responses_bytes_total",
            "Bytes of the bodies of services' answers that were passed on.",
            "method",
            "port",
            "protocol"),

    SUCCESSFUL_REQUESTS(
            Type.COUNTER,
            "millau_lb_successful_requests_total",
            "Requests that an answer of the service was passed on for, whatever its status.",
            "code",
            "method",
            "service"),
    FAILED_REQUESTS(
            Type.COUNTER,
            "millau_lb_failed_requests_total",
            "Requests that no answer could be had for, on the last service tried.",
            "method",
            "service"),
    SERVICE_REQUESTS_BYTES(
            Type.COUNTER,
            "millau_lb_requests_bytes_total",
            "Bytes of the bodies of requests to the service.",
            "method",
            "service"),
    SERVICE_RESPONSES_BYTES(
            Type.COUNTER,
            "millau_lb_responses_bytes_total",
            "Bytes of the bodies of the service's answers that were passed on.",
            "method",
            "service"),
    RETRIES(
            Type.COUNTER,
            "millau_lb_retries_total",
            "Attempts on the service that failed and were followed by another, there or elsewhere.",
            "service"),
    BUDGET_EXHAUSTED(
            Type.COUNTER,
            "millau_lb_retry_budget_exhausted_total",
            "Requests that were not retried because their service had used up its retry budget.",
            "service"),
    EJECTIONS(
            Type.COUNTER,
            "millau_lb_ejections_total",
            "Times that an endpoint was taken out of rotation, by a request or a check.",
            "service"),
    ENDPOINTS(
            Type.GAUGE,
            "millau_lb_endpoints",
            "Endpoints by state: up and recovering ones are in rotation, ejected, unhealthy and joining ones are not.",
            "service",
            "state"),
    SERVICE_OPEN_CONNECTIONS(
            Type.GAUGE,
            "millau_lb_open_connections",
            "Connections to endpoints that are open, idle ones too.",
            "service"),
    STATUS(Type.GAUGE, "millau_lb_status", "Whether an endpoint is in rotation: 1 up, 0 down.", "service"),
    DURATION(
            Type.HISTOGRAM,
            "millau_lb_request_duration_seconds",
            "From the head of a request to the end of the service's answer.",
            "method",
            "service"),

    TOPOLOGY_STATUS(
            Type.GAUGE,
            "millau_topology_status",
            "A node for each port and each service: 1 up, 0 down.",
            "id",
            "mainstat",
            "title"),
    TOPOLOGY_REQUESTS(
            Type.COUNTER,
            "millau_topology_requests_total",
            "An edge: requests from a port to a service that ended.",
            "id",
            "source",
            "target"),

    CERTIFICATES_EXPIRY(
            Type.GAUGE,
            "millau_certificates_expiry_seconds",
            "Unix time from which on clients refuse the certificate for the name; of several the latest.",
            "name"),

    DISCOVERY_UP(
            Type.GAUGE,
            "millau_discovery_up",
            "Whether the source sees its origin: 1, or 0 while it is in trouble, with the last services in force.",
            "source"),
    DISCOVERY_LAST_SUCCESS(
            Type.GAUGE,
            "millau_discovery_last_success_timestamp_seconds",
            "Unix time at which the source last saw all of its origin; none before the first time.",
            "source"),
    DISCOVERY_AGE(
            Type.GAUGE,
            "millau_discovery_age_seconds",
            "Time since the last success; none before the first.",
            "source"),
    DISCOVERY_EVENTS(
            Type.COUNTER,
            "millau_discovery_events_total",
            "Events that the source heard of and that may have changed something.",
            "source"),
    DISCOVERY_ERRORS(Type.COUNTER, "millau_discovery_errors_total", "Looks at the origin that failed.", "source"),
    DISCOVERY_SNAPSHOT_BUILD(
            Type.GAUGE,
            "millau_discovery_snapshot_build_seconds",
            "How long the last look took, from the first question to the snapshot.",
            "source"),

    ACCESS_LOG_DROPPED(
            Type.COUNTER,
            "millau_access_log_dropped_total",
            "Lines of the access log that were dropped because nobody took them fast enough.");

    /** What Prometheus makes of it. */
    enum Type {
        COUNTER,
        GAUGE,
        HISTOGRAM;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    final Type type;
    final String id;
    final String help;

    /** In alphabetical order. */
    final List<String> labels;

    Metric(Type type, String id, String help, String... labels) {
        this.type = type;
        this.id = id;
        this.help = help;
        this.labels = List.of(labels);
    }
}
