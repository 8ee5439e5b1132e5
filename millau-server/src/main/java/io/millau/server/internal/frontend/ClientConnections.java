package io.millau.server.internal.frontend;

import io.millau.core.internal.IpAddresses;
import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.io.EventLoops;
import io.millau.server.internal.text.Throttle;
import io.millau.server.internal.text.Trust;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.Options;
import org.xnio.StreamConnection;
import org.xnio.channels.AcceptingChannel;

/**
 * The connections of a port's clients: counts them, and sees to it that everybody gets a place. Safe for use by several threads.
 *
 * <ul>
 *   <li>Nearly full: those that have been idle longest are closed.
 *   <li>More than half full: a client that has a quarter of all places gets no more. IPv6 clients are known by their network (/64).
 *       Proxies that are trusted may have any number.
 *   <li>Full: XNIO accepts no more until one closes. This only warns.
 * </ul>
 */
public final class ClientConnections {

    private static final Logger LOG = LoggerFactory.getLogger(ClientConnections.class);

    /** How long a connection has to be idle before it is closed to make room. */
    private static final long MIN_IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final long MAX_LEFT_NANOS = DownstreamConnection.MAX_IDLE.toNanos() - MIN_IDLE_NANOS;
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final InetSocketAddress port;
    private final EventLoops loops;
    private final Trust trust;
    private final int limit;
    private final int maxOfOne;
    private final int nearlyFull;
    private final AtomicInteger open = new AtomicInteger();
    private final Map<Long, Integer> ofEach = new ConcurrentHashMap<>();
    private final AtomicLong refused = new AtomicLong();
    private final AtomicBoolean makesRoom = new AtomicBoolean();
    private final Throttle fullThrottle = new Throttle();
    private final Throttle refusalThrottle = new Throttle();

    ClientConnections(AcceptingChannel<StreamConnection> server, EventLoops loops, Trust trust) {
        this.port = server.getLocalAddress(InetSocketAddress.class);
        this.loops = loops;
        this.trust = trust;
        try {
            limit = server.getOption(Options.CONNECTION_HIGH_WATER);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        maxOfOne = Math.max(1, limit / 4);
        nearlyFull = limit - Math.max(1, limit / 16);
    }

    /** How many are open. */
    public int open() {
        return open.get();
    }

    /** How many may be open. */
    public int limit() {
        return limit;
    }

    /** How many were closed at once, since their clients had too many. */
    public long refused() {
        return refused.get();
    }

    /** Counts a connection until it is closed. Returns null if it was closed because its client has too many. */
    @Nullable
    AcceptedConnection accept(StreamConnection socket) {
        InetAddress client = AcceptedConnection.peerOf(socket);
        if (client == null) {
            IoUtils.safeClose(socket);
            return null;
        }
        int all = open.incrementAndGet();
        Long key = IpAddresses.clientNumber(client);
        int own = ofEach.merge(key, 1, Integer::sum);
        AcceptedConnection accepted = new AcceptedConnection(socket, () -> closed(key));
        if (all > limit / 2 && own > maxOfOne && !isTrusted(client)) {
            refuse(client, own);
            IoUtils.safeClose(accepted);
            return null;
        }
        if (all >= nearlyFull) {
            makeRoom();
        }
        return accepted;
    }

    private void closed(Long key) {
        open.decrementAndGet();
        ofEach.computeIfPresent(key, (same, count) -> count == 1 ? null : count - 1);
    }

    private boolean isTrusted(InetAddress client) {
        return trust.forwarding().contains(client) || trust.proxyProtocol().contains(client);
    }

    private void refuse(InetAddress client, int own) {
        refused.getAndIncrement();
        refusalThrottle.warn(
                LOG,
                () -> "Refused connection client=" + client.getHostAddress() + " port=" + port.getPort() + " open="
                        + own + " reason=\"a quarter of the " + limit + " connections that this port may have\"");
    }

    /** Closes idle connections, and again every second while that is needed. */
    private void makeRoom() {
        if (makesRoom.getAndSet(true)) {
            return;
        }
        int count = open.get();
        if (count >= limit) {
            fullThrottle.warn(
                    LOG,
                    () -> "Accepts no more connections address=" + port + " open=" + count
                            + " until=\"one of them closes\" reason=\"the limit of open files, or the heap, of this process\"");
        }
        int most =
                count >= limit ? Math.max(1, limit / 4) : limit - nearlyFull; // where others wait already, it is urgent
        loops.forEach(loop -> loop.execute(() -> loop.longDeadlines.passEarly(most, MAX_LEFT_NANOS)));
        loops.current().longDeadlines.set(new Pause(), PAUSE_NANOS);
    }

    private final class Pause extends Deadlines.Deadline {
        @Override
        public void passed() {
            makesRoom.set(false);
            if (open.get() >= nearlyFull) {
                makeRoom();
            }
        }
    }
}
