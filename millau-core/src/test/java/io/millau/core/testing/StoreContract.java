package io.millau.core.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millau.core.Store;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract of {@link Store}: the test of each implementation extends this class. */
public abstract class StoreContract {

    private static final String NAME = "issuer/shop.example/certificate";
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private Store store;
    private Store other;

    /** Opens the same store once more, as another replica does. The store is empty at the beginning of a test. */
    protected abstract Store open() throws Exception;

    /** Opens the stores of two replicas. */
    @BeforeEach
    protected void openStores() throws Exception {
        store = open();
        other = open();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] random(int length) {
        byte[] value = new byte[length];
        new Random(length).nextBytes(value);
        return value;
    }

    /** Runs calls concurrently and returns their results. */
    private static <T> List<T> concurrently(List<Callable<T>> calls) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(calls.size());
        CyclicBarrier start = new CyclicBarrier(calls.size());
        try {
            List<Future<T>> running = new ArrayList<>();
            for (Callable<T> call : calls) {
                running.add(threads.submit(() -> {
                    start.await();
                    return call.call();
                }));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> result : running) {
                results.add(result.get(PATIENCE.toSeconds(), TimeUnit.SECONDS));
            }
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void everyReplicaSeesAStoredValue() throws Exception {
        assertThat(store.get(NAME)).isEmpty();
        assertThat(store.names("")).isEmpty();

        store.put(NAME, bytes("first"));
        assertThat(other.get(NAME)).contains(bytes("first"));
        other.put(NAME, bytes("second"));
        assertThat(store.get(NAME)).contains(bytes("second"));
        assertThat(store.names("")).containsExactly(NAME);
    }

    @Test
    void aRemovedValueIsGoneAndMayBeStoredAgain() throws Exception {
        store.put(NAME, bytes("first"));
        store.put(NAME, bytes("second"));
        other.remove(NAME);
        assertThat(store.get(NAME)).isEmpty();
        assertThat(store.names("")).isEmpty();
        store.remove(NAME);

        store.put(NAME, bytes("third"));
        assertThat(other.get(NAME)).contains(bytes("third"));
    }

    @Test
    void namesAreListedByPrefixAndSorted() throws Exception {
        for (String name : List.of("b/z", "c", "a/bc", "a/b.d_e-f/0")) {
            store.put(name, bytes(name));
        }
        store.tryLock("a/locked", LONG).orElseThrow().close();
        try (Store.Lock lock = store.tryLock("a/held", LONG).orElseThrow()) {
            assertThat(lock).isNotNull();
            assertThat(other.names("")).containsExactly("a/b.d_e-f/0", "a/bc", "b/z", "c");
            assertThat(other.names("a/b")).containsExactly("a/b.d_e-f/0", "a/bc");
            assertThat(other.names("a/bc")).containsExactly("a/bc");
            assertThat(other.names("a/")).containsExactly("a/b.d_e-f/0", "a/bc");
            assertThat(other.names("d/")).isEmpty();
            assertThat(other.names("../")).isEmpty();
        }
        assertThat(store.get("a")).as("a prefix of names").isEmpty();
    }

    @Test
    void aValueMayBeAnyBytes() throws Exception {
        byte[] every = new byte[512];
        for (int i = 0; i < every.length; i++) {
            every[i] = (byte) i;
        }
        store.put(NAME, every);
        assertThat(other.get(NAME)).contains(every);
        store.put(NAME, new byte[0]);
        assertThat(other.get(NAME)).contains(new byte[0]);
    }

    @Test
    void valuesHaveAMaximumSize() throws Exception {
        byte[] largest = random(Store.LARGEST_VALUE);
        store.put(NAME, largest);
        assertThatThrownBy(() -> store.put(NAME, new byte[Store.LARGEST_VALUE + 1]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a value of 262145 bytes: expected at most 262144");
        assertThat(other.get(NAME)).contains(largest);
    }

    @Test
    void aSegmentMayHave255Characters() throws Exception {
        String longest = "a".repeat(255) + "/" + "b".repeat(255);
        store.put(longest, bytes("first"));
        assertThat(other.get(longest)).contains(bytes("first"));
        assertThat(other.names("aa")).containsExactly(longest);
        store.tryLock(longest, LONG).orElseThrow().close();
        store.setAside(longest);
        assertThat(other.get(longest)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", "A", "a/B", "a b", "a\\b",
                "\u00e4", "a\u0000", "a\n", "~a", "a:b"
            })
    void anInvalidNameIsRejected(String name) {
        assertRejected(name);
    }

    @Test
    void aSegmentOf256CharactersIsRejected() {
        assertRejected("a/" + "b".repeat(256));
    }

    private void assertRejected(String name) {
        assertThatThrownBy(() -> store.put(name, bytes("x")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("name " + name + ": expected segments of");
        assertThatThrownBy(() -> store.get(name)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.remove(name)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.setAside(name)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.tryLock(name, LONG)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aValueThatWasSetAsideIsGone() throws Exception {
        store.setAside(NAME);
        for (String value : List.of("first", "second")) {
            store.put(NAME, bytes(value));
            other.setAside(NAME);
            assertThat(store.get(NAME)).isEmpty();
            assertThat(store.names("")).isEmpty();
            store.setAside(NAME);
        }
        store.put(NAME, bytes("third"));
        assertThat(other.get(NAME)).contains(bytes("third"));
        assertThat(other.names("")).containsExactly(NAME);
    }

    @Test
    void aLockExcludesAllOthersUntilItIsClosed() throws Exception {
        Store.Lock lock = store.tryLock(NAME, LONG).orElseThrow();
        assertThat(store.tryLock(NAME, LONG)).isEmpty();
        assertThat(other.tryLock(NAME, LONG)).isEmpty();
        assertThat(concurrently(List.of(() -> store.tryLock(NAME, LONG)))).containsExactly(Optional.empty());
        other.tryLock("issuer/shop.example", LONG).orElseThrow().close();

        lock.close();
        Store.Lock next = other.tryLock(NAME, LONG).orElseThrow();
        lock.close();
        assertThat(store.tryLock(NAME, LONG))
                .as("after the first was closed twice")
                .isEmpty();
        next.close();
        store.tryLock(NAME, LONG).orElseThrow().close();
    }

    @Test
    void aLockDoesNotProtectTheValue() throws Exception {
        try (Store.Lock lock = store.tryLock(NAME, LONG).orElseThrow()) {
            assertThat(lock).isNotNull();
            other.put(NAME, bytes("first"));
            assertThat(store.get(NAME)).contains(bytes("first"));
            other.setAside(NAME);
            other.remove(NAME);
            assertThat(other.tryLock(NAME, LONG)).isEmpty();
        }
    }

    @Test
    void aLockExpiresAndItsHolderCannotReleaseTheNextOne() throws Exception {
        Store.Lock lock = store.tryLock(NAME, Duration.ofSeconds(1)).orElseThrow();
        List<Store.Lock> taken = new ArrayList<>();
        await().atMost(PATIENCE).until(() -> {
            other.tryLock(NAME, LONG).ifPresent(taken::add);
            return !taken.isEmpty();
        });

        lock.close();
        assertThat(store.tryLock(NAME, LONG)).isEmpty();
        taken.get(0).close();
        store.tryLock(NAME, LONG).orElseThrow().close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0S", "PT-1S"})
    void aLockWithoutADurationIsRejected(Duration atMost) {
        assertThatThrownBy(() -> store.tryLock(NAME, atMost)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void onlyOneOfConcurrentCallersGetsTheLock() throws Exception {
        for (int round = 0; round < 3; round++) {
            List<Callable<Optional<Store.Lock>>> tries = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                tries.add(() -> store.tryLock(NAME, LONG));
                tries.add(() -> other.tryLock(NAME, LONG));
            }
            List<Store.Lock> locks =
                    concurrently(tries).stream().flatMap(Optional::stream).toList();
            assertThat(locks).hasSize(1);
            locks.get(0).close();
        }
    }

    @Test
    void aLockIsNeverHeldTwiceUnderContention() throws Exception {
        AtomicInteger inside = new AtomicInteger();
        List<Callable<Integer>> loops = new ArrayList<>();
        for (Store each : List.of(store, other, store, other)) {
            loops.add(() -> lockAndUnlock(each, inside));
        }
        assertThat(concurrently(loops)).containsOnly(0);
    }

    /** Returns how often another holder was found while the lock was held. */
    private static int lockAndUnlock(Store store, AtomicInteger inside) throws Exception {
        int others = 0;
        for (int i = 0; i < 25; i++) {
            Optional<Store.Lock> lock = store.tryLock(NAME, LONG);
            if (lock.isPresent()) {
                others += inside.getAndIncrement();
                inside.decrementAndGet();
                lock.get().close();
            }
        }
        return others;
    }

    @Test
    void aReaderGetsAWholeValueDuringConcurrentWrites() throws Exception {
        store.put(NAME, filled(0));
        List<Callable<Integer>> loops = new ArrayList<>();
        for (int writer = 1; writer <= 4; writer++) {
            Store each = writer % 2 == 0 ? store : other;
            byte[] value = filled(writer);
            loops.add(() -> {
                for (int i = 0; i < 5; i++) {
                    each.put(NAME, value);
                }
                return 0;
            });
        }
        for (Store each : List.of(store, other)) {
            loops.add(() -> {
                for (int i = 0; i < 20; i++) {
                    assertIsOneOf(each.get(NAME).orElseThrow(), 4);
                }
                return 0;
            });
        }
        concurrently(loops);
        assertIsOneOf(store.get(NAME).orElseThrow(), 4);
        assertThat(other.get(NAME)).contains(store.get(NAME).orElseThrow());
        assertThat(store.names("")).containsExactly(NAME);
    }

    /** Values differ in length and in every byte. */
    private static byte[] filled(int writer) {
        byte[] value = new byte[20_000 + writer];
        Arrays.fill(value, (byte) writer);
        return value;
    }

    private static void assertIsOneOf(byte[] value, int writers) {
        int writer = value.length - 20_000;
        assertThat(writer).isBetween(0, writers);
        assertThat(value).isEqualTo(filled(writer));
    }
}
