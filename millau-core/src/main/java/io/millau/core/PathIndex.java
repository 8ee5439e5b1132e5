package io.millau.core;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the longest configured prefix of a path, compared by characters. Immutable. Doesn't allocate: one pass with a
 * running hash.
 */
final class PathIndex<T> {

    private final Entry<T>[] buckets;
    private final boolean[] lengths;

    private static final class Entry<T> {
        final String path;
        final T value;
        final int hash;
        final @Nullable Entry<T> nextInBucket;

        Entry(String path, T value, int hash, @Nullable Entry<T> nextInBucket) {
            this.path = path;
            this.value = value;
            this.hash = hash;
            this.nextInBucket = nextInBucket;
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of a generic type
    PathIndex(Map<String, T> values) {
        buckets = new Entry[Integer.highestOneBit(Math.max(1, values.size())) * 2];
        int longest = values.keySet().stream().mapToInt(String::length).max().orElse(0);
        lengths = new boolean[longest + 1];
        values.forEach((path, value) -> {
            int hash = path.hashCode();
            int bucket = bucket(hash);
            buckets[bucket] = new Entry<>(path, value, hash, buckets[bucket]);
            lengths[path.length()] = true;
        });
    }

    @Nullable
    T longest(String requested) {
        T best = null;
        int hash = 0;
        int end = Math.min(requested.length(), lengths.length - 1);
        for (int i = 0; i < end; i++) {
            hash = hash * 31 + requested.charAt(i); // as String.hashCode does
            if (lengths[i + 1]) {
                T found = find(hash, requested, i + 1);
                best = found != null ? found : best;
            }
        }
        return best;
    }

    private @Nullable T find(int hash, String requested, int length) {
        for (Entry<T> entry = buckets[bucket(hash)]; entry != null; entry = entry.nextInBucket) {
            if (entry.hash == hash && entry.path.length() == length && requested.startsWith(entry.path)) {
                return entry.value;
            }
        }
        return null;
    }

    private int bucket(int hash) {
        return (hash ^ hash >>> 16) & buckets.length - 1;
    }
}
