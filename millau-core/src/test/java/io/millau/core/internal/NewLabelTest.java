package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.millau.core.Service;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A label is described in one place: this test adds one, which then works everywhere without other changes. */
class NewLabelTest {

    private static final LabelType<Integer> FLOORS = LabelType.of("[0-9]+", (String text) -> {
                if (!text.matches("[0-9]{1,3}")) {
                    throw new IllegalArgumentException("expected a number of floors");
                }
                return Integer.valueOf(text);
            })
            .checked(NewLabelTest::atMost100)
            .scalar("integer")
            .limits(0, 100);

    private static final Label<Integer> LIFT = Label.named("elevator", FLOORS)
            .group(Label.Group.RESILIENCE)
            .meaning("how many floors `up` a request goes")
            .byDefault("3")
            .build();

    private static final Vocabulary LABELS = Labels.ALL.with(LIFT);

    private static int atMost100(int floors) {
        if (floors > 100) {
            throw new IllegalArgumentException("expected at most 100 floors");
        }
        return floors;
    }

    @Test
    void isReadFromDockerLabelsAndTheServicesFile() {
        assertThat(service(read("elevator", "12")).get(LIFT)).isEqualTo(12);
        assertThat(service(read("timeout", "1")).get(LIFT)).isEqualTo(3);
        assertThat(service(LABELS.readFile("shop", Map.of("shop.elevator", "12")))
                        .get(LIFT))
                .isEqualTo(12);
    }

    @Test
    void isSuggested() {
        assertThat(read("elevatro", "12").problems())
                .containsExactly("millau.elevatro=12: unknown, did you mean millau.elevator?");
        assertThat(read("colour", "blue").problems()).singleElement().asString().endsWith(", elevator");
    }

    @Test
    void isReportedIfItsValueIsInvalid() {
        assertThat(read("elevator", "many").problems())
                .containsExactly("millau.elevator=many: expected a number of floors");
        assertThat(read("elevator", "101").problems())
                .containsExactly("millau.elevator=101: expected at most 100 floors");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Service.named("shop").set(LIFT, 101))
                .withMessage("elevator=101: expected at most 100 floors");
    }

    @Test
    void closesTheServiceIfItProtects() {
        Label<Integer> gate = Label.named("gate", FLOORS).protecting().build();

        assertThat(read(Labels.ALL.with(gate), "gate", "open").closed()).isTrue();
        assertThat(read(Labels.ALL.with(gate), "gaet", "1").closed()).isTrue();
        assertThat(read("elevator", "many").closed()).isFalse();
    }

    @Test
    void isNotShownIfItIsConfidential() {
        Label<Integer> code = Label.named("code", FLOORS.hidden()).build();

        assertThat(read(Labels.ALL.with(code), "code", "s3cret").problems())
                .containsExactly("millau.code: expected a number of floors");
        assertThat(read(Labels.ALL.with(code), "coed", "s3cret").problems())
                .containsExactly("millau.coed: unknown, did you mean millau.code?");
    }

    @Test
    void makesServicesDiffer() {
        Service three = Service.named("shop").build();
        Service four = three.toBuilder().set(LIFT, 4).build();

        assertThat(four).isNotEqualTo(three);
        assertThat(four.settingsThatDiffer(three)).containsExactly("elevator");
        assertThat(three.settingsThatDiffer(four)).containsExactly("elevator");
        assertThat(four.toBuilder().build()).isEqualTo(four);
        assertThat(four.toBuilder().set(LIFT, 3).build()).isEqualTo(three);
    }

    @Test
    void takesEffectByItsFilter() {
        Label<Integer> gate = Label.named("gate", FLOORS)
                .filter((service, floors) -> floors == 0 ? null : request -> request.proceed())
                .build();
        Vocabulary labels = Labels.ALL.with(gate);

        assertThat(labels.filters(Service.named("shop").set(gate, 3).build())).hasSize(1);
        assertThat(labels.filters(Service.named("shop").set(gate, 0).build())).isEmpty();
        assertThat(labels.filters(Service.named("shop").build())).isEmpty();
    }

    /** Its name, a dot, and what users choose; each is read like a label of its own. */
    @Test
    void mayBeAFamily() {
        Label<Integer> doors = Label.named("door", LabelType.of("[0-9]+", NewLabelTest::floorOfDoor))
                .byDefault(0, "no door")
                .family((one, other) -> one + other)
                .filter((service, floors) -> floors == 0 ? null : request -> request.proceed())
                .build();
        Vocabulary labels = Labels.ALL.with(doors);
        Vocabulary.Reading both =
                labels.read(Map.of("millau.door.north", "3", "millau.door.south", "4", "millau.port", "80"), List.of());

        assertThat(service(both).get(doors)).isEqualTo(7);
        assertThat(labels.filters(service(both))).hasSize(1);
        assertThat(service(labels.readFile("shop", Map.of("shop.door.a.b", "3")))
                        .get(doors))
                .isEqualTo(3);
        assertThat(labels.read(Map.of("millau.door.north", "x", "millau.door.south", "y"), List.of())
                        .problems())
                .containsExactly(
                        "millau.door.north=x: expected the floor of a door",
                        "millau.door.south=y: expected the floor of a door");
        assertThat(read(labels, "dor.north", "3").problems())
                .containsExactly("millau.dor.north=3: unknown, did you mean millau.door.north?");
        assertThat(read(labels, "door", "3").problems())
                .containsExactly("millau.door=3: unknown, did you mean millau.door.NAME?");
        assertThat(labels.help()).contains("  millau.door.NAME");
        assertThat(labels.schema())
                .contains("\"^millau\\\\.(?:[0-9A-Za-z-]+\\\\.)?door\\\\.[")
                .doesNotContain("\"millau.door");
    }

    private static int floorOfDoor(String named) {
        if (!named.matches("[a-z.]+=[0-9]")) {
            throw new IllegalArgumentException("expected the floor of a door");
        }
        return Integer.parseInt(named.substring(named.length() - 1));
    }

    @Test
    void isDocumented() {
        assertThat(LABELS.help())
                .contains("  millau.elevator             how many floors up a request goes (default: 3)\n");
        assertThat(LABELS.table(Label.Group.RESILIENCE))
                .contains("| `millau.elevator` | how many floors `up` a request goes | `3` |\n");
        assertThat(LABELS.schema())
                .contains("\"millau.elevator\": {\"description\": \"how many floors up a request goes (default: 3)\"")
                .contains("\"maximum\": 100")
                .contains("\"^millau\\\\.(?:[0-9A-Za-z-]+\\\\.)?elevator=")
                .contains("|elevator)$)");
    }

    private static Vocabulary.Reading read(String name, String text) {
        return read(LABELS, name, text);
    }

    private static Vocabulary.Reading read(Vocabulary labels, String name, String text) {
        return labels.read(Map.of("millau.enabled", "true", "millau.port", "80", "millau." + name, text), List.of());
    }

    private static Service service(Vocabulary.Reading reading) {
        assertThat(reading.problems()).isEmpty();
        return reading.routes().get("").service();
    }
}
