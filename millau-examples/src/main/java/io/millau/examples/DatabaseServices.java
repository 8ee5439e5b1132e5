package io.millau.examples;

import io.millau.core.Endpoint;
import io.millau.core.Problem;
import io.millau.core.RequestFilter;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Snapshot;
import io.millau.core.SourceStatus;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The services in two tables of a database, which are read again and again, and at once after {@link #changed}. A service with a
 * value that can't be is a {@link Problem}: it stays as it was, or is left out if it is new; such an endpoint is left out. While
 * the database is away, all services stay as they are.
 *
 * <p>Safe for use by several threads. Each subscription reads on a thread of its own.
 */
public final class DatabaseServices implements ServiceSource {

    /** Makes the tables. A service without endpoints is passed over in favour of the next best one. */
    public static final String SCHEMA = """
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

    private static final Logger LOG = LoggerFactory.getLogger(DatabaseServices.class);

    private record Row(
            String name,
            String path,
            boolean strip,
            boolean canary,
            @Nullable String host,
            int port) {}

    private final DataSource database;
    private final Duration interval;
    private final List<RequestFilter> filters;
    private final List<Reader> readers = new CopyOnWriteArrayList<>();

    /**
     * Doesn't read yet.
     *
     * @param interval from one time of reading to the next
     * @param filters run for each service, before its path is stripped
     */
    public DatabaseServices(DataSource database, Duration interval, RequestFilter... filters) {
        this.database = database;
        this.interval = interval;
        this.filters = List.of(filters);
    }

    /** Has the tables read soon: for the program that changed them. */
    public void changed() {
        readers.forEach(Reader::lookNow);
    }

    @Override
    public Subscription subscribe(Consumer<Snapshot> consumer) {
        Reader reader = new Reader(consumer);
        readers.add(reader);
        reader.start();
        return reader;
    }

    @Override
    public String toString() {
        return "database";
    }

    /** Reads the tables for one consumer. */
    private final class Reader implements Subscription {

        private final Consumer<Snapshot> consumer;
        private final AtomicBoolean isAsked = new AtomicBoolean();
        private final ScheduledThreadPoolExecutor thread = new ScheduledThreadPoolExecutor(
                1,
                task -> {
                    Thread t = new Thread(task, "database-services");
                    t.setDaemon(true);
                    return t;
                },
                new ThreadPoolExecutor.DiscardPolicy());
        private volatile SourceStatus status =
                SourceStatus.of(DatabaseServices.this.toString(), null, null, 0, 0, Duration.ZERO);

        // For the thread alone.
        private Map<String, Service> known = Map.of();
        private @Nullable Snapshot delivered;

        Reader(Consumer<Snapshot> consumer) {
            this.consumer = consumer;
        }

        void start() {
            thread.scheduleWithFixedDelay(this::look, 0, interval.toNanos(), TimeUnit.NANOSECONDS);
        }

        @Override
        public void lookNow() {
            if (isAsked.compareAndSet(false, true)) {
                thread.execute(this::look);
            }
        }

        @Override
        public SourceStatus status() {
            return status;
        }

        @Override
        public void close() {
            readers.remove(this);
            thread.shutdown();
            try {
                thread.awaitTermination(5, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        /** An exception would end the scheduled task, and with it all changes. */
        private void look() {
            isAsked.set(false);
            SourceStatus before = status;
            long start = System.nanoTime();
            try {
                Snapshot now = snapshot(rows());
                if (!now.equals(delivered)) {
                    consumer.accept(now);
                    delivered = now;
                }
                Duration took = Duration.ofNanos(System.nanoTime() - start);
                status = SourceStatus.of(before.name(), Instant.now(), null, 0, before.errors(), took);
            } catch (SQLException | RuntimeException e) {
                if (before.trouble() == null) {
                    LOG.error("Services can't be read and stay as they are", e);
                }
                status = SourceStatus.of(
                        before.name(), before.lastSuccess(), e.toString(), 0, before.errors() + 1, before.buildTime());
            }
        }

        private Map<String, List<Row>> rows() throws SQLException {
            Map<String, List<Row>> byService = new LinkedHashMap<>();
            try (Connection connection = database.getConnection();
                    PreparedStatement statement = connection.prepareStatement(QUERY)) {
                statement.setQueryTimeout(10);
                ResultSet rows = statement.executeQuery();
                while (rows.next()) {
                    byService
                            .computeIfAbsent(rows.getString(1), name -> new ArrayList<>())
                            .add(new Row(
                                    rows.getString(1),
                                    rows.getString(2),
                                    rows.getBoolean(3),
                                    rows.getBoolean(4),
                                    rows.getString(5),
                                    rows.getInt(6)));
                }
            }
            return byService;
        }

        private Snapshot snapshot(Map<String, List<Row>> rows) {
            Map<String, Service> services = new TreeMap<>();
            List<Problem> problems = new ArrayList<>();
            rows.forEach((name, endpoints) -> {
                Service before = known.get(name);
                try {
                    services.put(name, service(endpoints.get(0), endpoints(endpoints, problems)));
                } catch (IllegalArgumentException e) {
                    problems.add(new Problem(
                            name,
                            "path " + endpoints.get(0).path + ": " + e.getMessage()
                                    + (before == null ? " (left out)" : " (it stays as it was)")));
                    if (before != null) {
                        services.put(name, before);
                    }
                }
            });
            known = services;
            return new Snapshot(List.copyOf(services.values()), problems);
        }
    }

    private Service service(Row row, List<Endpoint> endpoints) {
        Service.Builder service = Service.named(row.name).path(row.path).endpoints(endpoints);
        if (row.canary) {
            service.hosts(Canary.HOST);
        }
        service.filter(Canary.RESTORE_HOST);
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
        return endpoints.stream().distinct().toList();
    }
}
