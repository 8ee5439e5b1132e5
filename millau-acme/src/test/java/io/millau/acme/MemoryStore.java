package io.millau.acme;

import io.millau.core.Store;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Predicate;
import javax.crypto.AEADBadTagException;

/** A store in memory that a test can make fail: for all replicas, or for one, as if that replica had died. */
final class MemoryStore implements Store {

    private final Clock clock;
    private final NavigableMap<String, byte[]> values;
    private final Map<String, Held> locks;
    private volatile boolean broken;
    private volatile Predicate<String> full = name -> false;
    private volatile Predicate<String> unreadable = name -> false;

    /** The holder of a lock, and when the lock expires. */
    private record Held(Object holder, Instant until) {}

    MemoryStore(Clock clock) {
        this(clock, new ConcurrentSkipListMap<>(), new ConcurrentHashMap<>());
    }

    private MemoryStore(Clock clock, NavigableMap<String, byte[]> values, Map<String, Held> locks) {
        this.clock = clock;
        this.values = values;
        this.locks = locks;
    }

    /** A view of the same store for another replica. */
    MemoryStore replica() {
        return new MemoryStore(clock, values, locks);
    }

    /** Makes every call fail from now on; held locks stay. */
    void breakDown() {
        broken = true;
    }

    /** Makes {@link #put} fail for some names from now on. */
    void full(Predicate<String> names) {
        full = names;
    }

    /** Makes {@link #get} fail for some names from now on. */
    void unreadable(Predicate<String> names) {
        unreadable = names;
    }

    void repair() {
        broken = false;
        full = name -> false;
        unreadable = name -> false;
    }

    private void check(String name) throws IOException {
        if (!name.matches("([a-z0-9._-]{1,255}/)*[a-z0-9._-]{0,255}")) {
            throw new IllegalArgumentException("expected segments of a-z 0-9 . _ -, not " + name);
        }
        if (broken) {
            throw new IOException("the store is broken");
        }
    }

    @Override
    public Optional<byte[]> get(String name) throws IOException {
        check(name);
        if (unreadable.test(name)) {
            throw new IOException("value " + name + " can't be decrypted", new AEADBadTagException("Tag mismatch"));
        }
        return Optional.ofNullable(values.get(name)).map(byte[]::clone);
    }

    @Override
    public void put(String name, byte[] value) throws IOException {
        check(name);
        if (full.test(name)) {
            throw new IOException("no space left");
        }
        values.put(name, value.clone());
    }

    @Override
    public void remove(String name) throws IOException {
        check(name);
        values.remove(name);
    }

    @Override
    public List<String> names(String prefix) throws IOException {
        check(prefix);
        return values.keySet().stream().filter(name -> name.startsWith(prefix)).toList();
    }

    @Override
    public void setAside(String name) throws IOException {
        check(name);
        byte[] value = values.remove(name);
        if (value != null) {
            values.put(name + ".aside", value);
        }
    }

    @Override
    public Optional<Lock> tryLock(String name, Duration atMost) throws IOException {
        check(name);
        Held mine = new Held(new Object(), clock.instant().plus(atMost));
        Held holds = locks.compute(
                name, (n, held) -> held == null || !clock.instant().isBefore(held.until) ? mine : held);
        return holds == mine ? Optional.of(() -> free(name, mine)) : Optional.empty();
    }

    private void free(String name, Held mine) {
        if (!broken) {
            locks.remove(name, mine);
        }
    }
}
