package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millau.core.Store;
import io.millau.core.testing.StoreContract;
import io.millau.docker.testing.Engine;
import io.millau.docker.testing.RequiresOwnDocker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The store in a real Swarm of two managers and a worker: one replica uses the leader, the other one the follower. */
@RequiresOwnDocker
class SwarmStoreIT extends StoreContract {

    private static final byte[] KEY = bytes("0123456789abcdef0123456789ABCDEF");

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static Engine manager;
    private static Engine follower;
    private static Engine worker;

    private boolean odd;

    @BeforeAll
    static void startSwarm() {
        manager = Engine.start();
        follower = Engine.start();
        worker = Engine.start();
        manager.initSwarm();
        follower.joinSwarm(manager);
        worker.joinSwarm(manager);
        manager.docker("node", "promote", follower.docker("info", "--format", "{{.Swarm.NodeID}}"));
        await().atMost(PATIENCE)
                .until(() -> follower.docker("info", "--format", "{{.Swarm.ControlAvailable}}")
                        .equals("true"));
    }

    @AfterAll
    static void endSwarm() {
        for (Engine engine : new Engine[] {worker, follower, manager}) {
            if (engine != null) {
                engine.close();
            }
        }
    }

    @AfterEach
    void removeConfigs() {
        configs().forEach(id -> manager.docker("config", "rm", id));
    }

    @Override
    protected SwarmStore open() {
        odd = !odd;
        return SwarmStore.at((odd ? manager : follower).host(), KEY);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static List<String> configs() {
        return manager.docker("config", "ls", "--quiet").lines().toList();
    }

    @Test
    void onlyTheLatestVersionIsKept() throws Exception {
        for (int i = 0; i < 20; i++) {
            open().put("issuer/account", bytes("value " + i));
        }
        assertThat(configs()).hasSize(1);
        assertThat(open().get("issuer/account")).contains(bytes("value 19"));
    }

    @Test
    void aConfigDoesNotShowTheValue() throws Exception {
        String secret = "-----BEGIN PRIVATE KEY-----";
        open().put("issuer/account", bytes(secret));
        open().put("issuer/damaged", bytes(secret));
        open().setAside("issuer/damaged");
        assertThat(configs()).hasSize(2);
        for (String id : configs()) {
            byte[] data = Base64.getDecoder()
                    .decode(manager.docker("config", "inspect", "--format", "{{json .Spec.Data}}", id)
                            .replace("\"", ""));
            assertThat(new String(data, StandardCharsets.ISO_8859_1)).doesNotContain("PRIVATE");
            assertThat(manager.docker("config", "inspect", id))
                    .contains("io.millau.store")
                    .doesNotContain("PRIVATE");
        }
    }

    @Test
    void anotherKeyIsDetected() throws Exception {
        open().put("issuer/account", bytes("value"));
        SwarmStore other = SwarmStore.at(manager.host(), bytes("another key, as long as it has to be"));
        assertThatThrownBy(() -> other.get("issuer/account"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("the secret of STORE_KEY_FILE isn't the one");
    }

    @Test
    void aWorkerCannotHoldAStore() {
        SwarmStore onWorker = SwarmStore.at(worker.host(), KEY);
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> onWorker.get("a"),
                () -> onWorker.put("a", KEY),
                () -> onWorker.tryLock("a", Duration.ofSeconds(1)))) {
            assertThatThrownBy(call)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("This node is not a swarm manager")
                    .hasMessageContaining("set STORE_DOCKER_HOST");
        }
    }

    @Test
    void valuesSurviveARestartOfTheEngines() throws Exception {
        SwarmStore store = SwarmStore.at(manager.host(), KEY);
        store.put("issuer/account", bytes("value"));
        Store.Lock lock = store.tryLock("issuer", Duration.ofMinutes(5)).orElseThrow();
        manager.stop();
        assertThatThrownBy(() -> store.get("issuer/account"))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("Docker Engine " + manager.host() + " can't be used as the store: ");
        manager.startAgain();

        // fails until the managers have elected a leader again
        await().atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(IOException.class)
                .untilAsserted(() -> assertThat(store.get("issuer/account")).contains(bytes("value")));
        assertThat(store.tryLock("issuer", Duration.ofMinutes(5))).isEmpty();
        lock.close();
        store.tryLock("issuer", Duration.ofMinutes(5)).orElseThrow().close();
    }
}
