package io.millau.core;

import io.millau.core.internal.HostNames;
import java.util.Comparator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the longest configured suffix, in whole labels, of a host name; {@code *} is the shortest. For a subdomain, {@code
 * *.shop.example} comes before {@code shop.example}. Immutable. Doesn't allocate, except for IPv6 addresses: hashes are computed from
 * the end of the name, so that one pass over the requested host gives the hash of each suffix.
 */
final class HostIndex<T> {

    private final Entry<T>[] buckets;
    private final @Nullable Entry<T> any;

    /** Whether there are hosts of which the subdomains alone match. */
    private final boolean hasSubdomains;

    /** A configured host, with the next shorter configured suffix. */
    static final class Entry<T> {
        final String host;
        final T value;
        final @Nullable Entry<T> wider;
        private final int hash;
        private final @Nullable Entry<T> nextInBucket;

        Entry(String host, T value, int hash, @Nullable Entry<T> wider, @Nullable Entry<T> nextInBucket) {
            this.host = host;
            this.value = value;
            this.hash = hash;
            this.wider = wider;
            this.nextInBucket = nextInBucket;
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of a generic type
    HostIndex(Map<String, T> values) {
        buckets = new Entry[Integer.highestOneBit(Math.max(1, values.size())) * 4];
        T anyValue = values.get(Service.ANY_HOST);
        any = anyValue == null ? null : new Entry<>(Service.ANY_HOST, anyValue, 0, null, null);
        hasSubdomains = values.keySet().stream().anyMatch(host -> host.startsWith(Service.SUBDOMAINS));
        // Shorter names first, so that each finds its next shorter suffix.
        values.entrySet().stream()
                .filter(entry -> !entry.getKey().equals(Service.ANY_HOST))
                .sorted(Comparator.comparingInt(entry -> suffix(entry.getKey()).length()))
                .forEach(entry -> add(suffix(entry.getKey()), entry.getValue()));
    }

    /** What a requested host ends in: with a dot before it if only subdomains match. */
    private static String suffix(String host) {
        return host.startsWith(Service.SUBDOMAINS) ? host.substring(1) : host;
    }

    private void add(String host, T value) {
        int hash = 0;
        for (int i = host.length() - 1; i >= 0; i--) {
            hash = hash * 31 + host.charAt(i);
        }
        int bucket = bucket(hash);
        buckets[bucket] = new Entry<>(host, value, hash, longestOfName(host), buckets[bucket]);
    }

    /**
     * The longest matching entry. Follow {@link Entry#wider} for the next shorter ones.
     *
     * @param requested a Host field's value (RFC 9110, 7.2): any case, with or without a port and a trailing dot
     * @return null if none matches
     */
    @Nullable
    Entry<T> longest(String requested) {
        return longestOfName(requested.startsWith("[") ? canonicalAddress(requested) : requested);
    }

    /** An IPv6 address as it is configured; clients may write it in several ways. */
    private static String canonicalAddress(String requested) {
        String address = HostNames.ipv6(requested.substring(0, requested.indexOf(']') + 1));
        return address == null ? requested : address;
    }

    private @Nullable Entry<T> longestOfName(String requested) {
        int end = endOfName(requested);
        Entry<T> best = any;
        int hash = 0;
        for (int i = end - 1; i >= 0; i--) {
            char c = lower(requested.charAt(i));
            if (c == '.') {
                best = either(find(hash, requested, i + 1, end), best);
                if (hasSubdomains && i > 0) {
                    best = either(find(hash * 31 + c, requested, i, end), best);
                }
            }
            hash = hash * 31 + c;
        }
        boolean isName = end > 0 && requested.charAt(0) != '.';
        return isName ? either(find(hash, requested, 0, end), best) : best;
    }

    private static <T> @Nullable Entry<T> either(@Nullable Entry<T> first, @Nullable Entry<T> second) {
        return first != null ? first : second;
    }

    private @Nullable Entry<T> find(int hash, String requested, int start, int end) {
        for (Entry<T> entry = buckets[bucket(hash)]; entry != null; entry = entry.nextInBucket) {
            if (entry.hash == hash
                    && entry.host.length() == end - start
                    && entry.host.regionMatches(true, 0, requested, start, end - start)) {
                return entry;
            }
        }
        return null;
    }

    private int bucket(int hash) {
        return (hash ^ hash >>> 16) & buckets.length - 1;
    }

    private static char lower(char c) {
        return c >= 'A' && c <= 'Z' ? (char) (c + 32) : c;
    }

    /** Where the name ends: before the port and a trailing dot. */
    private static int endOfName(String host) {
        int colon = HostNames.portColon(host);
        int end = colon < 0 ? host.length() : colon;
        return end > 0 && host.charAt(end - 1) == '.' ? end - 1 : end;
    }
}
