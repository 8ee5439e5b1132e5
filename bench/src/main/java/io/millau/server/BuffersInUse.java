package io.millau.server;

/** Stands in the server's package to count what the API does not tell. */
public final class BuffersInUse {

    private BuffersInUse() {}

    /** The number of direct buffers that a proxy has not got back; 0 when nothing is in progress. */
    public static int of(Millau millau) {
        return millau.buffersTaken();
    }
}
