package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.core.Store;
import io.millau.core.testing.StoreContract;
import io.millau.docker.testing.Engine;
import io.millau.docker.testing.RequiresOwnDocker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The store in a real Swarm, with a manager and a worker. */
@RequiresOwnDocker
class SwarmStoreIT extends StoreContract {

    private static final byte[] KEY = bytes("0123456789abcdef0123456789ABCDEF");

    private static Engine manager;
    private static Engine worker;

    @BeforeAll
    static void startSwarm() {
        manager = Engine.start();
        worker = Engine.start();
        manager.initSwarm();
        worker.joinSwarm(manager);
    }

    @AfterAll
    static void endSwarm() {
        for (Engine engine : new Engine[] {worker, manager}) {
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
        return SwarmStore.at(manager.host(), KEY);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static List<String> configs() {
        return manager.docker("config", "ls", "--quiet").lines().toList();
    }

    @Test
    void onlyTheLastVersionStays() throws Exception {
        for (int i = 0; i < 20; i++) {
            open().put("issuer/account", bytes("value " + i));
        }
        assertThat(configs()).hasSize(1);
        assertThat(open().get("issuer/account")).contains(bytes("value 19"));
    }

    @Test
    void whoInspectsAConfigDoesNotSeeTheValue() throws Exception {
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
    void anotherKeyIsNoticed() throws Exception {
        open().put("issuer/account", bytes("value"));
        SwarmStore other = SwarmStore.at(manager.host(), bytes("another key, as long as it has to be"));
        assertThatThrownBy(() -> other.get("issuer/account"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("the secret of STORE_KEY_FILE isn't the one");
    }

    @Test
    void aWorkerCannotKeepAStore() {
        SwarmStore onWorker = SwarmStore.at(worker.host(), KEY);
        for (ThrowingCall call : List.<ThrowingCall>of(
                () -> onWorker.get("a"),
                () -> onWorker.put("a", KEY),
                () -> onWorker.tryLock("a", Duration.ofSeconds(1)))) {
            assertThatThrownBy(call::run)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("This node is not a swarm manager")
                    .hasMessageContaining("name one's engine");
        }
    }

    private interface ThrowingCall {
        void run() throws IOException;
    }

    @Test
    void whatTheEngineKeepsOutlivesIt() throws Exception {
        open().put("issuer/account", bytes("value"));
        Store.Lock lock = open().tryLock("issuer", Duration.ofMinutes(5)).orElseThrow();
        manager.stop();
        assertThatThrownBy(() -> open().get("issuer/account"))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("Docker Engine " + manager.host() + " doesn't keep the store: ");
        manager.startAgain();

        assertThat(open().get("issuer/account")).contains(bytes("value"));
        assertThat(open().tryLock("issuer", Duration.ofMinutes(5))).isEmpty();
        lock.close();
        open().tryLock("issuer", Duration.ofMinutes(5)).orElseThrow().close();
    }
}
