package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import io.millau.core.Service;
import io.millau.core.Snapshot;
import io.millau.core.testing.Fuzz;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * What an engine says is read or refused. Where only the fields that count are read, it means the same as all of it; what one
 * container or service says costs no other one.
 */
class EngineFuzzTest {

    private static final Map<String, String> LABELS =
            Map.of("millau.enabled", "true", "millau.port", "80", "millau.hosts", "good.example");

    /** The name is longer than that of any other service could become, so that nobody else has it. */
    private static final String GOOD = "good-service-of-nobody-else";

    @Test
    void whatOneSaysCostsNoOther() throws Exception {
        Fuzz.of(
                        "engine",
                        "null",
                        "true",
                        "{}",
                        "[]",
                        "\"\"",
                        "\"a\"",
                        "-1",
                        "1e9",
                        ",",
                        ":",
                        "{",
                        "}",
                        "[",
                        "]",
                        "\\u0000",
                        "\\ud800",
                        "\"millau.path\":\"/x\",",
                        "\"millau.enabled\":true,",
                        "\"Id\":\"good\",",
                        "10.0.1.3/24",
                        "::ffff:10.0.0.1",
                        "host")
                .check((input, random) -> {
                    List<Container> containers = new ArrayList<>();
                    List<SwarmService> services = new ArrayList<>();
                    List<SwarmTask> tasks = new ArrayList<>();
                    List<Network> networks = new ArrayList<>();
                    add(containers, read(input, Container.FIELDS, Container::of));
                    add(services, read(input, SwarmService.FIELDS, SwarmService::of));
                    add(tasks, read(input, SwarmTask.FIELDS, SwarmTask::of));
                    add(networks, read(input, Network.FIELDS, Network::of));
                    containers.add(Container.of(EngineJson.json(
                            EngineJson.container(GOOD, LABELS, "running", "Up 5 seconds", "10.0.1.77"))));
                    Snapshot snapshot = new SnapshotBuilder("Docker unix:///docker.sock")
                            .build(
                                    new EngineView(
                                            EngineView.Role.MANAGER,
                                            services,
                                            tasks,
                                            Map.of(),
                                            Map.of(),
                                            containers,
                                            networks),
                                    Interfaces.of("10.0.1.250/24"));
                    assertThat(snapshot.services())
                            .filteredOn(service -> service.id().contains(GOOD))
                            .singleElement()
                            .satisfies(EngineFuzzTest::isGood);
                    snapshot.problems()
                            .forEach(problem -> assertThat(problem.message()).isNotBlank());
                });
    }

    private static void isGood(Service service) {
        assertThat(service.hosts()).containsExactly("good.example");
        assertThat(service.endpoints()).singleElement().hasToString("http://10.0.1.77:80");
    }

    private static <T> void add(List<T> to, @Nullable T read) {
        if (read != null) {
            to.add(read);
        }
    }

    /** Null for what is refused. */
    private static <T> @Nullable T read(byte[] input, Fields fields, Function<Json, T> of) {
        T chosen;
        try (JsonParser parser = Json.FACTORY.createParser(input)) {
            if (parser.nextToken() == null) {
                return null;
            }
            chosen = of.apply(fields.read(parser));
        } catch (IOException | IllegalArgumentException e) {
            assertThat(e.getMessage()).as("a reason").isNotBlank();
            return null;
        }
        try (JsonParser parser = Json.FACTORY.createParser(input)) {
            parser.nextToken();
            assertThat(chosen).isEqualTo(of.apply(Fields.ALL.read(parser)));
        } catch (IOException e) {
            throw new AssertionError("all of it can't be read, though what counts of it can", e);
        }
        return chosen;
    }
}
