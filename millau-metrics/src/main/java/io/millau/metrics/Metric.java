package io.millau.metrics;

import java.util.List;
import java.util.Locale;

/** Millau's own metrics. {@code docs/reference/metrics.md} lists them in this order. */
enum Metric {
    OPEN_CONNECTIONS(
            Type.GAUGE,
            "millau_ingress_open_connections",
            "Connections with a request in progress, or upgraded.",
            "port",
            "protocol"),
    CLIENT_CONNECTIONS(
            Type.GAUGE,
            "millau_ingress_client_connections",
            "Connections of clients, including idle ones.",
            "port",
            "protocol"),
    MAX_CLIENT_CONNECTIONS(
            Type.GAUGE,
            "millau_ingress_max_client_connections",
            "How many connections of clients there may be; then no more are accepted.",
            "port",
            "protocol"),
    REFUSED_CONNECTIONS(
            Type.COUNTER,
            "millau_ingress_refused_connections_total",
            "Connections that were closed at once, because their client had too many.",
            "port",
            "protocol"),
    REQUESTS(Type.COUNTER, "millau_ingress_requests_total", "Requests received.", "method", "port", "protocol"),
    REQUESTS_BYTES(
            Type.COUNTER,
            "millau_ingress_requests_bytes_total",
            "Bytes of request bodies received.",
            "method",
            "port",
            "protocol"),
    RESPONSES_BYTES(
            Type.COUNTER,
            "millau_ingress_responses_bytes_total",
            "Bytes of response bodies sent, without local replies.",
            "method",
            "port",
            "protocol"),
    LOCAL_RESPONSES(
            Type.COUNTER,
            "millau_ingress_local_responses_total",
            "Responses that Millau made itself, by their reason; client_stalled: it ended the response of a service; malformed: it ended an HTTP/2 stream or a connection without one.",
            "port",
            "protocol",
            "reason"),

    SUCCESSFUL_REQUESTS(
            Type.COUNTER,
            "millau_lb_successful_requests_total",
            "Requests for which a response of the service, with any status, was relayed to the client.",
            "code",
            "method",
            "service"),
    FAILED_REQUESTS(
            Type.COUNTER,
            "millau_lb_failed_requests_total",
            "Requests without a complete response of a service. Counted for the last service tried.",
            "method",
            "service"),
    SERVICE_REQUESTS_BYTES(
            Type.COUNTER,
            "millau_lb_requests_bytes_total",
            "Bytes of request bodies received for the service.",
            "method",
            "service"),
    SERVICE_RESPONSES_BYTES(
            Type.COUNTER,
            "millau_lb_responses_bytes_total",
            "Bytes of the service's response bodies relayed to clients.",
            "method",
            "service"),
    RETRIES(
            Type.COUNTER,
            "millau_lb_retries_total",
            "Failed attempts on the service that were followed by another attempt, on this or another service.",
            "service"),
    BUDGET_EXHAUSTED(
            Type.COUNTER,
            "millau_lb_retry_budget_exhausted_total",
            "Requests that were not retried because the retry budget of their service was exhausted.",
            "service"),
    EJECTIONS(
            Type.COUNTER,
            "millau_lb_ejections_total",
            "Ejections of endpoints, after a failed request or health check.",
            "service"),
    ENDPOINTS(
            Type.GAUGE,
            "millau_lb_endpoints",
            "Endpoints by state. Only up and recovering ones are in rotation.",
            "service",
            "state"),
    SERVICE_OPEN_CONNECTIONS(
            Type.GAUGE, "millau_lb_open_connections", "Open connections to endpoints, including idle ones.", "service"),
    WAITING_REQUESTS(
            Type.GAUGE,
            "millau_lb_waiting_requests",
            "Requests that wait for a place at an endpoint, see millau.max-requests.",
            "service"),
    STATUS(
            Type.GAUGE,
            "millau_lb_status",
            "1 if at least one endpoint is in rotation, else 0. If services have the same name, 0 if one of them has endpoints and none in rotation.",
            "service"),
    DURATION(
            Type.HISTOGRAM,
            "millau_lb_request_duration_seconds",
            "Time from the head of a request to the end of the service's response.",
            "method",
            "service"),

    TOPOLOGY_STATUS(
            Type.GAUGE,
            "millau_topology_status",
            "A node for each port and each service. 1 if up, 0 if down.",
            "id",
            "mainstat",
            "title"),
    TOPOLOGY_REQUESTS(
            Type.COUNTER,
            "millau_topology_requests_total",
            "An edge from a port to a service. Counts completed requests.",
            "id",
            "source",
            "target"),

    CERTIFICATES_EXPIRY(
            Type.GAUGE,
            "millau_certificates_expiry_seconds",
            "Unix time when the certificate for the name expires. If there are several, the latest.",
            "name"),

    CERTIFICATES_TROUBLE(
            Type.GAUGE,
            "millau_certificates_trouble",
            "1 while the certificate for the name is missing, can't be read or is not renewed; the status page says why. 0 else.",
            "name"),

    DISCOVERY_UP(
            Type.GAUGE,
            "millau_discovery_up",
            "1 if the source can read its services, 0 while it can't and the last known services stay in use.",
            "source"),
    DISCOVERY_LAST_SUCCESS(
            Type.GAUGE,
            "millau_discovery_last_success_timestamp_seconds",
            "Unix time of the source's last successful read. Absent before the first.",
            "source"),
    DISCOVERY_AGE(
            Type.GAUGE,
            "millau_discovery_age_seconds",
            "Time since the source's last successful read. Absent before the first.",
            "source"),
    DISCOVERY_EVENTS(
            Type.COUNTER, "millau_discovery_events_total", "Change events that the source received.", "source"),
    DISCOVERY_ERRORS(Type.COUNTER, "millau_discovery_errors_total", "Failed reads of the source.", "source"),
    DISCOVERY_SNAPSHOT_BUILD(
            Type.GAUGE,
            "millau_discovery_snapshot_build_seconds",
            "Duration of the last full read, from the first request to the snapshot.",
            "source"),
    DISCOVERY_PROBLEMS(
            Type.GAUGE,
            "millau_discovery_problems",
            "Problems of a service that the status page names: mistakes in its labels, tasks or containers that do not run."
                    + " Absent if it has none.",
            "service"),

    ACCESS_LOG_DROPPED(
            Type.COUNTER,
            "millau_access_log_dropped_total",
            "Access log lines that were dropped because the output failed or was too slow.");

    /** The type of a Prometheus metric. */
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
