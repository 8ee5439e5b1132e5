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

/** A store in memory, which a test can break: for all replicas, or for one of them, as if that had died. */
final class MemoryStore implements Store {

    private final Clock clock;
    private final NavigableMap<String, byte[]> values;
    private final Map<String, Held> locks;
    private volatile boolean broken;

    /** Who holds a lock until when. */
    private record Held(Object holder, Instant until) {}

    MemoryStore(Clock clock) {
        this(clock, new ConcurrentSkipListMap<>(), new ConcurrentHashMap<>());
    }

    private MemoryStore(Clock clock, NavigableMap<String, byte[]> values, Map<String, Held> locks) {
        this.clock = clock;
        this.values = values;
        this.locks = locks;
    }

    /** The same store, as another replica sees it. */
    MemoryStore replica() {
        return new MemoryStore(clock, values, locks);
    }

    /** From now on every call fails, and locks that are held stay. */
    void breakDown() {
        broken = true;
    }

    void repair() {
        broken = false;
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
        return Optional.ofNullable(values.get(name)).map(byte[]::clone);
    }

    @Override
    public void put(String name, byte[] value) throws IOException {
        check(name);
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
