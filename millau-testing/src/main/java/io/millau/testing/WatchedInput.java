package io.millau.testing;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** What a connection's thread reads; it is not busy while it waits for more. Closing it has no effect. */
final class WatchedInput extends FilterInputStream {

    private final Activity activity;
    private volatile boolean waits;

    WatchedInput(InputStream in, Activity activity) {
        super(in);
        this.activity = activity;
    }

    /** Whether its thread waits for bytes that are there. */
    boolean hasUnread() {
        try {
            return waits && in.available() > 0;
        } catch (IOException e) {
            return false; // closed
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int from, int length) throws IOException {
        waits = true;
        activity.ends();
        try {
            return in.read(bytes, from, length);
        } finally {
            activity.begins();
            waits = false;
        }
    }

    @Override
    public void close() {}
}
