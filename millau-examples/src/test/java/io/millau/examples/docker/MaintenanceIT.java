package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code stacks/maintenance.yml}. */
@RequiresImages
@ExtendWith(Stage.Provider.class)
class MaintenanceIT {

    @Test
    void theMaintenancePageStandsInForASiteThatIsScaledToZero(Stage stage) throws Exception {
        try (Stack stack = stage.deploy("maintenance.yml", "site")) {
            Front front = stack.front();
            front.await("company.com", "/", answer -> answer.name().equals("home"));
            front.await("other.com", "/", answer -> answer.name().equals("maintenance"));

            try (Load load = Load.ofGets(front, "company.com", 4)) {
                // Returns when Swarm is done.
                stack.engine().docker("service", "scale", "site_home=0");
                assertThat(front.get("company.com", "/"))
                        .satisfies(answer -> assertThat(answer.name()).isEqualTo("maintenance"))
                        .satisfies(answer -> assertThat(answer.status()).isEqualTo(503));

                long start = System.nanoTime();
                stack.engine().docker("service", "scale", "--detach", "site_home=1");
                front.await("company.com", "/", answer -> answer.name().equals("home"));
                System.out.println(
                        "From docker service scale to the homepage, ms: " + (System.nanoTime() - start) / 1_000_000);

                stack.engine().docker("service", "rm", "site_home");
                front.await("company.com", "/", answer -> answer.name().equals("maintenance"));
                assertThat(load.failures()).isEmpty();
            }
        }
    }
}
