package io.millau.examples;

import io.millau.core.Endpoint;
import io.millau.core.FailurePage;
import io.millau.core.LoadBalancer;
import io.millau.core.PolledServices;
import io.millau.core.RetryPolicy;
import io.millau.core.Service;
import io.millau.core.ServiceSource;
import io.millau.core.Ticker;
import io.millau.core.TrafficListener;
import io.millau.examples.echo.Echo;
import io.millau.server.Filter;
import io.millau.server.Millau;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcConnectionPool;

/**
 * A gateway of one's own: Millau inside an application. Its routes stand in a database and change while it runs; clients need an API
 * key and have a limit of requests; a header sends requests to a canary; prefixes of paths are stripped; failures have pages of
 * the gateway's own; and a fallback gets what no route matches.
 *
 * <p>Try it, after {@code mvn -DskipTests package}:
 *
 * <pre>
 * H2=$(find ~/.m2 -name 'h2-*.jar')
 * java -cp "millau-examples/target/millau-examples.jar:$H2:millau-server/target/millau-server.jar:millau-server/target/lib/*" \
 *     io.millau.examples.CustomGateway
 * curl http://localhost:8080/
 * curl -H "X-Api-Key: secret" http://localhost:8080/orders/7
 * curl -H "X-Api-Key: secret" -H "X-Canary: yes" http://localhost:8080/orders/7
 * </pre>
 *
 * <p>Each line of its standard input is SQL, with which routes can be changed: {@code DELETE FROM service WHERE name = 'canary'}.
 */
public final class CustomGateway {

    private CustomGateway() {}

    /**
     * Makes a gateway of a proxy. A test passes a builder of its own.
     *
     * @param routes which service gets what
     * @param fallback gets requests that no other service matches, or whose service has no instance
     * @param limit runs first, so that it also limits who guesses keys
     * @param log gets a line for each request; called on I/O threads, so it must not block
     */
    static Millau.Builder configure(
            Millau.Builder builder, ServiceSource routes, Endpoint fallback, RateLimit limit, Consumer<String> log) {
        return builder.source(routes)
                .source(ServiceSource.of(
                        Service.named("fallback").endpoints(fallback).build()))
                .filter(limit)
                .filter(Canary.CHOOSE)
                .failurePage(CustomGateway::page)
                .balancer(LoadBalancer.leastConnections())
                .retryPolicy(RetryPolicy.standard().alsoOn(503).atMost(3))
                .listener(new RequestLog(log));
    }

    /**
     * Lets clients with a key pass, whose names services get as {@code X-Client}; the others get {@code 401}. A filter of services,
     * since it must not depend on how a client writes a path whether a key is asked for.
     *
     * @param clients their names, by key
     */
    static Filter apiKeys(Map<String, String> clients) {
        return request -> {
            String key = request.header("X-Api-Key");
            String client = key == null ? null : clients.get(key);
            return client == null
                    ? request.respond(401, "X-Api-Key: expected a key of this gateway\n")
                            .header("WWW-Authenticate", "ApiKey")
                    : request.removeHeader("X-Api-Key")
                            .setHeader("X-Client", client)
                            .proceed();
        };
    }

    /** The page for a failure. The id of a request has no character with a meaning in HTML. */
    private static FailurePage.Page page(FailurePage.Failure failure) {
        String title = failure.status() == 502 || failure.status() == 503 || failure.status() == 504
                ? "This part of the site is being repaired"
                : "This request can't be served";
        return FailurePage.Page.html("<!DOCTYPE html><title>" + title + "</title><h1>" + title + "</h1><p>Status "
                + failure.status() + ", request " + failure.requestId() + "\n");
    }

    /** A line for each request, and for each attempt that failed. */
    private record RequestLog(Consumer<String> lines) implements TrafficListener {

        @Override
        public void attemptFailed(Failed attempt) {
            lines.accept(attempt.service().name() + " " + attempt.outcome()
                    + (attempt.retried() ? ", goes on to the next" : ""));
        }

        @Override
        public void requestEnded(Ended request) {
            Service service = request.service();
            lines.accept(request.method() + " " + (service == null ? "-" : service.name()) + " " + request.status());
        }
    }

    /** Runs it on port 8080 with two servers for {@code /orders/}, a canary and a fallback, until Ctrl-C. */
    public static void main(String[] args) throws IOException, SQLException {
        DataSource database = JdbcConnectionPool.create("jdbc:h2:mem:gateway;DB_CLOSE_DELAY=-1", "", "");
        execute(database, DatabaseServices.SCHEMA);
        execute(database, """
                INSERT INTO service (name, path, strip, canary) VALUES
                    ('orders', '/orders/', TRUE, FALSE), ('orders-canary', '/orders/', TRUE, TRUE);
                INSERT INTO endpoint (service, host, port) VALUES
                    ('orders', '127.0.0.1', %d), ('orders', '127.0.0.1', %d), ('orders-canary', '127.0.0.1', %d)
                """.formatted(serve("blue"), serve("green"), serve("canary")));
        PolledServices routes = DatabaseServices.of(database, Duration.ofSeconds(2), apiKeys(Map.of("secret", "me")));

        Millau gateway = configure(
                        Millau.builder().http(":8080"),
                        routes,
                        Endpoint.http("127.0.0.1", serve("fallback")),
                        RateLimit.of(20, Duration.ofSeconds(10), Ticker.system()),
                        System.out::println)
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(gateway::close));
        System.out.println("http://localhost:8080/ and, with X-Api-Key: secret, http://localhost:8080/orders/7");
        executeInput(database, routes);
    }

    private static int serve(String name) throws IOException {
        return new Echo(name, 0, Duration.ZERO).port();
    }

    private static void executeInput(DataSource database, PolledServices routes) throws IOException {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset()));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            try {
                execute(database, line);
                routes.readNow();
            } catch (SQLException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    private static void execute(DataSource database, String sql) throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
