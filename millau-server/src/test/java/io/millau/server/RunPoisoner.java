package io.millau.server;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;

/**
 * The client of a random run that now and then sends a poison request to {@link RunRoute#STEADY}, and records what it did
 * to the service. There is one, so that each ejection is the work of the request that is running.
 */
final class RunPoisoner implements Callable<Void> {

    private final RunDice dice;
    private final RunRequests requests;
    private final RunTraffic traffic;
    private final RunClock clock;
    private final RunClient.Line line;
    private final BooleanSupplier over;

    RunPoisoner(
            RunDice dice,
            RunRequests requests,
            RunTraffic traffic,
            RunClock clock,
            RunClient.Line line,
            BooleanSupplier over) {
        this.dice = dice;
        this.requests = requests;
        this.traffic = traffic;
        this.clock = clock;
        this.line = line;
        this.over = over;
    }

    @Override
    public Void call() throws Exception {
        for (int i = 1; !over.getAsBoolean(); i++) {
            // Mostly shorter than an ejection, so that the harm of several requests adds up. But ten seconds allow 100
            // retries, and a poison request takes up to seven: three on other endpoints, four after stale connections.
            clock.pass(Duration.ofMillis(dice.between(750, 2000)));
            send(dice.poison("poison." + i));
        }
        return null;
    }

    private void send(RunRequest.Plan plan) throws IOException, InterruptedException {
        RunConnection connection = line.connection();
        int before = traffic.steadyEjections();
        RunRequest request = requests.begin(plan);
        RunRequest.Seen seen = connection.exchange(request);
        request.harmed(traffic.steadyEjections() - before, traffic.steadyOut());
        requests.end(request, seen);
    }
}
