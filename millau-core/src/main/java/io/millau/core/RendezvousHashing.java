package io.millau.core;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Gives a key to the endpoint for which key and endpoint together have the highest hash (rendezvous hashing). Without
 * that endpoint, the key goes to the one with the next highest, and no other key moves. All proxies and all runs agree.
 */
final class RendezvousHashing implements LoadBalancer {

    private static final long FNV_BASIS = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    private final Function<Request, @Nullable String> key;

    RendezvousHashing(Function<Request, @Nullable String> key) {
        this.key = key;
    }

    @Override
    public int choose(Candidates candidates) {
        String value = key.apply(candidates.request());
        if (value == null || value.isEmpty()) {
            return LoadBalancer.roundRobin().choose(candidates);
        }
        long hash = hash(value);
        int best = 0;
        long highest = score(hash, candidates.endpoint(0));
        for (int i = 1; i < candidates.size(); i++) {
            long score = score(hash, candidates.endpoint(i));
            if (score > highest) {
                best = i;
                highest = score;
            }
        }
        return best;
    }

    /** FNV-1a, over characters. */
    private static long hash(String text) {
        long hash = FNV_BASIS;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * FNV_PRIME;
        }
        return hash;
    }

    /** Mixes both so that each bit depends on all others (the finalizer of MurmurHash3). */
    private static long score(long hash, Endpoint endpoint) {
        long mixed = hash ^ endpoint.hashCode() * 0x9e3779b97f4a7c15L;
        mixed = (mixed ^ mixed >>> 33) * 0xff51afd7ed558ccdL;
        mixed = (mixed ^ mixed >>> 33) * 0xc4ceb9fe1a85ec53L;
        return mixed ^ mixed >>> 33;
    }

    @Override
    public String toString() {
        return "hashing";
    }
}
