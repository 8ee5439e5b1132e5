package io.millau.server.internal.status;

import java.util.concurrent.TimeUnit;

/**
 * How many lines of one kind may be logged: as many as an update needs at once, and then one a minute, so that what changes all the
 * time does not hide the rest. For one thread.
 */
final class LineBudget {

    static final int AT_ONCE = 40;

    private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

    private int left = AT_ONCE;
    private long counted;
    private int omitted;

    /** @param now in nanoseconds */
    LineBudget(long now) {
        counted = now;
    }

    /** Whether another line may be logged now; if not, it is counted. */
    boolean take(long now) {
        long minutes = (now - counted) / MINUTE;
        counted += minutes * MINUTE;
        left = (int) Math.min(AT_ONCE, left + minutes);
        if (left == 0) {
            omitted++;
            return false;
        }
        left--;
        return true;
    }

    /** The end of the line: how many were left out since the last one. */
    String others() {
        String others = omitted == 0 ? "" : " others=" + omitted;
        omitted = 0;
        return others;
    }
}
