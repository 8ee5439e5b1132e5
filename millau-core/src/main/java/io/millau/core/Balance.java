package io.millau.core;

/** The built-in load balancers. */
enum Balance implements LoadBalancer {
    ROUND_ROBIN("round-robin") {
        @Override
        public int choose(Candidates candidates) {
            return Math.floorMod(candidates.turn(), candidates.size());
        }
    },

    LEAST_CONNECTIONS("least-connections") {
        @Override
        public int choose(Candidates candidates) {
            int size = candidates.size();
            int first = Math.floorMod(candidates.turn(), size);
            int best = first;
            for (int i = 1; i < size; i++) {
                int index = (first + i) % size;
                if (candidates.openRequests(index) < candidates.openRequests(best)) {
                    best = index;
                }
            }
            return best;
        }
    },

    /**
     * The better of two endpoints: one in turn, another by chance. To ask all would give every request to the same one while
     * it is the fastest.
     */
    LEAST_TIME("least-time") {
        @Override
        public int choose(Candidates candidates) {
            int size = candidates.size();
            int turn = candidates.turn();
            int one = Math.floorMod(turn, size);
            if (size == 1) {
                return one;
            }
            int other = (one + 1 + Math.floorMod(scattered(turn), size - 1)) % size;
            return isBetter(candidates, other, one) ? other : one;
        }

        private boolean isBetter(Candidates candidates, int other, int one) {
            double ofOther = candidates.recentNanos(other);
            double ofOne = candidates.recentNanos(one);
            boolean known = ofOther > 0 && ofOne > 0;
            return (known ? ofOther : 1) * (candidates.openRequests(other) + 1)
                    < (known ? ofOne : 1) * (candidates.openRequests(one) + 1);
        }

        /** A number that differs from turn to turn as if by chance (the finalizer of MurmurHash3). */
        private int scattered(int turn) {
            int mixed = (turn ^ turn >>> 16) * 0x85ebca6b;
            mixed = (mixed ^ mixed >>> 13) * 0xc2b2ae35;
            return mixed ^ mixed >>> 16;
        }
    };

    private final String label;

    Balance(String label) {
        this.label = label;
    }

    /** Whether a balancer may ask for the recent times of endpoints, so that they have to be taken. */
    static boolean needsTimes(LoadBalancer balancer) {
        return balancer != ROUND_ROBIN && balancer != LEAST_CONNECTIONS;
    }

    /** The value of {@code millau.balance}. */
    @Override
    public String toString() {
        return label;
    }
}
