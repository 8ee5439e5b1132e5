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
    };

    private final String label;

    Balance(String label) {
        this.label = label;
    }

    /** The value of {@code millau.balance}. */
    @Override
    public String toString() {
        return label;
    }
}
