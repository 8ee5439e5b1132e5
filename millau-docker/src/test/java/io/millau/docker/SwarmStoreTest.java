package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millau.core.Store;
import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.StoreContract;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The store on a fake engine. */
class SwarmStoreTest extends StoreContract {

    private static final String KEY = "0123456789abcdef0123456789ABCDEF";
    private static final Duration LONG = Duration.ofMinutes(5);

    private final FakeSwarm swarm = new FakeSwarm();
    private final FakeEngine engine = new FakeEngine();
    private final CapturedLog log = new CapturedLog();
    private SwarmStore store;

    @BeforeEach
    void listen() {
        engine.behave(swarm);
        store = open();
    }

    @AfterEach
    void close() {
        engine.close();
        log.close();
    }

    @Override
    protected SwarmStore open() {
        return withKey(KEY);
    }

    private SwarmStore withKey(String key) {
        return SwarmStore.at(engine.host(), bytes(key));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Config onlyConfig() {
        return Config.of(
                EngineJson.json(swarm.configs().values().iterator().next().toString()));
    }

    private ObjectNode onlySpec() {
        assertThat(swarm.configs()).hasSize(1);
        return (ObjectNode) swarm.configs().values().iterator().next().path("Spec");
    }

    @Test
    void onlyTheLatestVersionIsKept() throws Exception {
        for (int i = 0; i < 20; i++) {
            store.put("a/b", bytes("value " + i));
        }
        ObjectNode spec = onlySpec();
        assertThat(spec.path("Name").asText()).matches("millau-[0-9a-f]{32}-20").hasSizeLessThanOrEqualTo(64);
        assertThat(spec.path("Labels").path("io.millau.store").asText()).isEqualTo("a/b");
        assertThat(spec.path("Labels").path("io.millau.kind").asText()).isEqualTo("value");
    }

    @Test
    void theLastValueThatWasSetAsideIsKept() throws Exception {
        for (String value : List.of("first", "second")) {
            store.put("a/b", bytes(value));
            store.setAside("a/b");
            Config kept = onlyConfig();
            assertThat(swarm.configs()).hasSize(1);
            assertThat(kept.kind()).isEqualTo(Config.Kind.DAMAGED);
            assertThat(new Seal(bytes(KEY)).open("a/b", kept.data())).isEqualTo(bytes(value));
        }
    }

    @Test
    void leftoversOfACrashAreIgnoredAndRemovedByTheNextChange() throws Exception {
        store.put("a", bytes("old"));
        ObjectNode old = swarm.configs().get("id1").deepCopy();
        store.put("a", bytes("new"));
        swarm.configs().put("id1", old);

        assertThat(store.get("a")).contains(bytes("new"));
        assertThat(store.names("")).containsExactly("a");
        store.remove("a");
        assertThat(engine.requests()).endsWith("DELETE /configs/id1", "DELETE /configs/id2");
        assertThat(swarm.configs()).isEmpty();
    }

    @Test
    void aWriterThatIsOvertakenUsesTheNextVersion() throws Exception {
        AtomicInteger overtaken = new AtomicInteger();
        engine.behave(exchange -> {
            if (exchange.getRequestMethod().equals("POST") && overtaken.getAndIncrement() == 0) {
                withKey(KEY).put("a", bytes("faster"));
            }
            swarm.respond(exchange);
        });
        store.put("a", bytes("slower"));
        assertThat(store.get("a")).contains(bytes("slower"));
        assertThat(onlySpec().path("Name").asText()).endsWith("-2");
    }

    @Test
    void aReplacedValueIsNotSetAside() throws Exception {
        store.put("a", bytes("damaged"));
        AtomicInteger overtaken = new AtomicInteger();
        engine.behave(exchange -> {
            if (exchange.getRequestMethod().equals("POST") && overtaken.getAndIncrement() == 0) {
                withKey(KEY).put("a", bytes("good"));
            }
            swarm.respond(exchange);
        });
        store.setAside("a");
        assertThat(store.get("a")).contains(bytes("good"));
    }

    @Test
    void aWriterThatIsAlwaysOvertakenFails() {
        engine.behave(exchange -> {
            if (exchange.getRequestMethod().equals("POST")) {
                FakeEngine.send(exchange, 409, "{\"message\":\"config already exists\"}");
            } else {
                swarm.respond(exchange);
            }
        });
        assertThatThrownBy(() -> store.put("a", bytes("x")))
                .isInstanceOf(IOException.class)
                .hasMessage("value a of the store: other replicas changed it 50 times during the write");
    }

    @Test
    void anExpiredLockIsDeletedByItsId() throws Exception {
        Store.Lock old = store.tryLock("a", LONG).orElseThrow();
        ObjectNode config = swarm.configs().get("id1");
        config.put("CreatedAt", Instant.now().minus(LONG).minusSeconds(1).toString());

        Store.Lock next = open().tryLock("a", LONG).orElseThrow();
        assertThat(engine.requests()).contains("DELETE /configs/id1");
        old.close();
        assertThat(swarm.configs()).containsOnlyKeys("id2");
        next.close();
        assertThat(swarm.configs()).isEmpty();
    }

    @Test
    void anInterruptedThreadReleasesItsLock() throws Exception {
        Store.Lock lock = store.tryLock("a", LONG).orElseThrow();
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> store.get("a")).isInstanceOf(InterruptedIOException.class);
        assertThat(Thread.currentThread().isInterrupted()).isTrue();
        lock.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(swarm.configs()).isEmpty();
    }

    @Test
    void aLockThatCannotBeReleasedIsLogged() throws Exception {
        Store.Lock lock = store.tryLock("a/b", LONG).orElseThrow();
        engine.stop();
        lock.close();
        assertThat(log.about("Lock not freed, so others wait until its time is over lock=a/b"))
                .singleElement()
                .asString()
                .contains("Docker Engine " + engine.host() + " can't be used as the store: ");
    }

    @Test
    void anotherKeyAnotherNameOrAModificationIsDetected() throws Exception {
        String message = "value a of the store can't be decrypted: the secret of STORE_KEY_FILE isn't the one it was"
                + " written with, or it was modified";
        store.put("a", bytes("secret"));
        assertThat(withKey(KEY + "\n").get("a")).contains(bytes("secret"));
        assertThatThrownBy(() -> withKey(KEY + "x").get("a"))
                .isInstanceOf(IOException.class)
                .hasMessage(message);

        byte[] sealed = onlyConfig().data();
        for (int i = 0; i < sealed.length; i++) {
            byte[] changed = sealed.clone();
            changed[i] ^= 1;
            onlySpec().put("Data", changed);
            assertThatThrownBy(() -> store.get("a"))
                    .as("byte " + i)
                    .isInstanceOf(IOException.class)
                    .hasMessage(message);
        }
        onlySpec().put("Data", new byte[] {1});
        assertThatThrownBy(() -> store.get("a")).hasMessage(message);
        onlySpec().put("Data", new Seal(bytes(KEY)).seal("b", bytes("secret")));
        assertThatThrownBy(() -> store.get("a")).hasMessage(message);
        onlySpec().put("Data", sealed);
        assertThat(store.get("a")).contains(bytes("secret"));
    }

    @Test
    void encryptingTheSameValueTwiceGivesDifferentResults() throws Exception {
        Seal seal = new Seal(bytes(KEY));
        assertThat(seal.seal("a", bytes("secret"))).isNotEqualTo(seal.seal("a", bytes("secret")));
    }

    @Test
    void aShortKeyIsRejected() {
        assertThatThrownBy(() -> withKey(KEY.substring(1) + " \n"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "a store's key of 31 bytes: expected at least 32 random bytes; openssl rand -base64 32 makes"
                                + " such a file");
    }

    @Test
    void aWorkerEngineIsRejectedWithAHint() {
        engine.behave(
                exchange -> FakeEngine.send(exchange, 503, "{\"message\":\"This node is not a swarm manager.\"}"));
        assertThatThrownBy(() -> store.names(""))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(
                        "Docker Engine " + engine.host() + " can't be used as the store: HTTP 503 for GET /configs")
                .hasMessageEndingWith(
                        "This node is not a swarm manager. (expected a Swarm manager whose /configs may be"
                                + " read and written: set STORE_DOCKER_HOST to its address, or to that of a proxy of its socket that"
                                + " allows this; or use STORE=file, with a folder that all replicas share)");
    }

    @Test
    void anEngineThatHangsOrFailsCausesAnExceptionInTime() {
        engine.behave(engine::hang);
        assertThatThrownBy(() -> store.withTimeout(Duration.ofSeconds(1)).names(""))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no response to GET /configs")
                .hasMessageEndingWith("within 1 s");
        engine.behave(exchange -> FakeEngine.send(exchange, 500, "{\"message\":\"no leader\"}"));
        assertThatThrownBy(() -> store.put("a", bytes("secret")))
                .isInstanceOf(IOException.class)
                .hasMessageEndingWith(": no leader");
    }

    @Test
    void theAddressMustBeThatOfADockerEngine() {
        assertThat(SwarmStore.at(null, bytes(KEY))).hasToString("Swarm of unix:///var/run/docker.sock");
        assertThatThrownBy(() -> SwarmStore.at("engine:2375", bytes(KEY)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("engine:2375: expected the address of a Docker Engine");
        assertThatThrownBy(() -> SwarmStore.at(null, bytes(KEY)).withTls(Path.of("/certs")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected tcp://host:port");
    }
}
