package io.millau.server.internal.io;

/** Says that the buffers of this process take as much memory as they may, so that somebody has to do without another one. */
public final class OutOfBuffersException extends RuntimeException {

    private static final long serialVersionUID = 1;

    OutOfBuffersException() {
        super("no memory for another buffer; more memory (-Xmx) allows for more requests at once", null, false, false);
    }
}
