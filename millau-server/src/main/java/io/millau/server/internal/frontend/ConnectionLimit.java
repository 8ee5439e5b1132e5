package io.millau.server.internal.frontend;

import io.millau.server.internal.text.Throttle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.channels.AcceptingChannel;
import org.xnio.management.XnioServerMXBean;

/**
 * Warns when a port has as many connections as it may: XNIO then accepts no more until one closes. Safe for use by several
 * threads.
 *
 * <p>Only XNIO knows how many are open, and asking it takes time. So they are counted again once as many were accepted as
 * were missing.
 */
final class ConnectionLimit {

    private static final Logger LOG = LoggerFactory.getLogger(ConnectionLimit.class);

    private final AcceptingChannel<StreamConnection> server;
    private final int limit;
    private final AtomicInteger missing;
    private final Throttle throttle = new Throttle();

    ConnectionLimit(AcceptingChannel<StreamConnection> server) {
        this.server = server;
        try {
            limit = server.getOption(Options.CONNECTION_HIGH_WATER);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        missing = new AtomicInteger(limit);
    }

    /** A connection was accepted. */
    void accepted() {
        if (missing.decrementAndGet() == 0) {
            try {
                server.getWorker().execute(this::count);
            } catch (RejectedExecutionException e) {
                LOG.debug("Connections are not counted any more: the proxy stops");
            }
        }
    }

    private void count() {
        int open = open();
        if (open >= limit) {
            throttle.warn(
                    LOG,
                    () -> "Accepts no more connections address=" + server.getLocalAddress() + " open=" + open
                            + " until=\"one of them closes\" reason=\"the limit of open files of this process\"");
        }
        missing.set(Math.max(1, limit - open));
    }

    private int open() {
        String address = String.valueOf(server.getLocalAddress());
        for (XnioServerMXBean port : server.getWorker().getMXBean().getServerMXBeans()) {
            if (address.equals(port.getBindAddress())) {
                return port.getConnectionCount();
            }
        }
        return 0;
    }
}
