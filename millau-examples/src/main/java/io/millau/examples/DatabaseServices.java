package io.millau.examples;

import io.millau.core.Endpoint;
import io.millau.core.PolledServices;
import io.millau.core.Problem;
import io.millau.core.RequestFilter;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The services in two tables of a database. A service with a value that can't be is a {@link Problem}: it stays as it was, or is
 * left out if it is new; such an endpoint is left out. For one thread.
 */
final class DatabaseServices {

    /** Makes the tables. A service without endpoints is passed over in favour of the next best one. */
    static final String SCHEMA = """
            CREATE TABLE service (
                name VARCHAR(63) PRIMARY KEY,
                path VARCHAR(255) DEFAULT '/' NOT NULL,
                strip BOOLEAN DEFAULT FALSE NOT NULL,
                canary BOOLEAN DEFAULT FALSE NOT NULL
            );
            CREATE TABLE endpoint (
                service VARCHAR(63) NOT NULL REFERENCES service ON DELETE CASCADE,
                host VARCHAR(253) NOT NULL,
                port INTEGER NOT NULL,
                PRIMARY KEY (service, host, port)
            );
            """;

    /** All at once, so that what is read was there at one moment. */
    private static final String QUERY = """
            SELECT s.name, s.path, s.strip, s.canary, e.host, e.port
            FROM service s LEFT JOIN endpoint e ON e.service = s.name
            ORDER BY s.name, e.host, e.port
            """;

    private record Row(
            String name,
            String path,
            boolean strip,
            boolean canary,
            @Nullable String host,
            int port) {}

    private final DataSource database;
    private final List<RequestFilter> filters;
    private Map<String, Service> known = Map.of();

    private DatabaseServices(DataSource database, List<RequestFilter> filters) {
        this.database = database;
        this.filters = filters;
    }

    /**
     * Reads the tables again and again.
     *
     * @param filters run for each service, before its path is stripped
     */
    static PolledServices of(DataSource database, Duration pause, RequestFilter... filters) {
        return ServiceSource.polling("database", pause, new DatabaseServices(database, List.of(filters))::read);
    }

    private Snapshot read() throws SQLException {
        Map<String, Service> services = new LinkedHashMap<>();
        List<Problem> problems = new ArrayList<>();
        rows().forEach((name, rows) -> {
            Row first = rows.get(0);
            Service before = known.get(name);
            try {
                services.put(name, service(first, endpoints(rows, problems)));
            } catch (IllegalArgumentException e) {
                String instead = before == null ? " (left out)" : " (it stays as it was)";
                problems.add(new Problem(name, e.getMessage() + instead));
                if (before != null) {
                    services.put(name, before);
                }
            }
        });
        known = services;
        return new Snapshot(List.copyOf(services.values()), problems);
    }

    private Map<String, List<Row>> rows() throws SQLException {
        Map<String, List<Row>> byService = new LinkedHashMap<>();
        try (Connection connection = database.getConnection();
                PreparedStatement statement = connection.prepareStatement(QUERY)) {
            statement.setQueryTimeout(10);
            ResultSet rows = statement.executeQuery();
            while (rows.next()) {
                Row row = new Row(
                        rows.getString(1),
                        rows.getString(2),
                        rows.getBoolean(3),
                        rows.getBoolean(4),
                        rows.getString(5),
                        rows.getInt(6));
                byService.computeIfAbsent(row.name, name -> new ArrayList<>()).add(row);
            }
        }
        return byService;
    }

    private Service service(Row row, List<Endpoint> endpoints) {
        Service.Builder service = Service.named(row.name).path(row.path).endpoints(endpoints);
        if (row.canary) {
            service.hosts(Canary.HOST);
        }
        filters.forEach(service::filter);
        if (row.strip) {
            service.filter(new StripPrefix(row.path));
        }
        return service.build();
    }

    private static List<Endpoint> endpoints(List<Row> rows, List<Problem> problems) {
        List<Endpoint> endpoints = new ArrayList<>();
        for (Row row : rows) {
            if (row.host != null) {
                try {
                    endpoints.add(Endpoint.http(row.host, row.port));
                } catch (IllegalArgumentException e) {
                    problems.add(new Problem(
                            row.name, "endpoint " + row.host + " " + row.port + ": " + e.getMessage() + " (left out)"));
                }
            }
        }
        return endpoints;
    }
}
