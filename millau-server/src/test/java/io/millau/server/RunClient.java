package io.millau.server;

import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;

/** A client of a random run: sends one request after the other. */
final class RunClient implements Callable<Void> {

    /** The connection of one or several clients; replaced when it is no longer usable. */
    static final class Line implements Closeable {

        /** Makes a connection. */
        interface Connector {
            RunConnection connect() throws IOException;
        }

        private final Connector connector;
        private RunConnection connection;

        Line(Connector connector) {
            this.connector = connector;
        }

        /** The connection, or a new one. */
        synchronized RunConnection connection() throws IOException {
            if (connection == null || !connection.usable()) {
                connection = connector.connect();
            }
            return connection;
        }

        @Override
        public synchronized void close() throws IOException {
            if (connection != null) {
                connection.close();
            }
        }
    }

    private final int number;
    private final RunDice dice;
    private final RunRequests requests;
    private final Line line;
    private final BooleanSupplier over;

    RunClient(int number, RunDice dice, RunRequests requests, Line line, BooleanSupplier over) {
        this.number = number;
        this.dice = dice;
        this.requests = requests;
        this.line = line;
        this.over = over;
    }

    @Override
    public Void call() throws Exception {
        for (int i = 1; !over.getAsBoolean(); i++) {
            RunRequest.Plan plan = dice.request(number + "." + i);
            RunConnection connection = line.connection();
            RunRequest request = requests.begin(plan);
            requests.end(request, connection.exchange(request));
        }
        return null;
    }
}
