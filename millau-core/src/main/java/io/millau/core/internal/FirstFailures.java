package io.millau.core.internal;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;

/**
 * Logs what objects throw that users of Millau provide: of each object the first failure only. Safe for use by several
 * threads.
 */
public final class FirstFailures {

    private static final int MOST = 1000;

    private final Logger log;
    private final Set<Identity> failed = ConcurrentHashMap.newKeySet();

    /** An object that is equal to itself only, whatever its own {@code equals} says or throws. */
    private record Identity(Object of) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Identity that && of == that.of;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(of);
        }
    }

    /** @param log that of the class that calls the objects */
    public FirstFailures(Logger log) {
        this.log = log;
    }

    /**
     * An object failed.
     *
     * @param meanwhile what Millau does instead
     */
    public void add(Object of, Throwable failure, String meanwhile) {
        if (isFirst(of)) {
            log.error("{} failed; {}, its further failures are not logged", of, meanwhile, failure);
        }
    }

    /** An object failed, and the caller logs it: whether for the first time. */
    public boolean isFirst(Object of) {
        if (failed.size() >= MOST) {
            failed.clear(); // some may come with each change of the services
        }
        return failed.add(new Identity(of));
    }
}
