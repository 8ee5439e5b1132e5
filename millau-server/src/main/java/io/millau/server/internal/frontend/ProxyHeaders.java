package io.millau.server.internal.frontend;

import io.millau.core.internal.AddressRanges;
import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.io.EventLoops;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.StreamConnection;
import org.xnio.conduits.ConduitStreamSourceChannel;

/**
 * Reads the PROXY protocol headers of a listener's connections, before anything else is read from them. Peers that are to send
 * one are served only if they do; those of others are not accepted, since they could name any client. Safe for use by several
 * threads.
 */
final class ProxyHeaders {

    private static final Logger LOG = LoggerFactory.getLogger(ProxyHeaders.class);

    private final AddressRanges senders;
    private final EventLoops loops;
    private @Nullable BiConsumer<String, String> malformed;

    /** @param senders the peers that have to send a header */
    ProxyHeaders(AddressRanges senders, EventLoops loops) {
        this.senders = senders;
        this.loops = loops;
    }

    /** Sets what is told the peer's address and what was wrong; to be called before the first connection is accepted. */
    void setMalformed(BiConsumer<String, String> malformed) {
        this.malformed = malformed;
    }

    /** @param next gets the connection when its header was read, or if there is to be none */
    void open(AcceptedConnection socket, Consumer<StreamConnection> next) {
        if (needsHeader(socket)) {
            new Reading(socket, next).begin();
        } else {
            next.accept(socket);
        }
    }

    private boolean needsHeader(StreamConnection socket) {
        if (senders.isEmpty()) {
            return false;
        }
        InetAddress address = AcceptedConnection.peerOf(socket);
        return address != null && senders.contains(address);
    }

    /** Never reads more than the header, so that no byte has to be given back. */
    private final class Reading extends Deadlines.Deadline {
        private final AcceptedConnection socket;
        private final Consumer<StreamConnection> next;
        private final ByteBuffer bytes =
                ByteBuffer.allocate(ProxyHeader.MAX_BYTES).limit(0);

        Reading(AcceptedConnection socket, Consumer<StreamConnection> next) {
            this.socket = socket;
            this.next = next;
        }

        void begin() {
            loops.current().longDeadlines.set(this, DownstreamConnection.MAX_HEAD.toNanos());
            ConduitStreamSourceChannel source = socket.getSourceChannel();
            source.setReadListener(this::read);
            source.resumeReads();
        }

        private void read(ConduitStreamSourceChannel source) {
            try {
                int missing = ProxyHeader.missing(bytes);
                while (missing > 0) {
                    int from = bytes.limit();
                    bytes.limit(from + missing).position(from);
                    int count = source.read(bytes);
                    bytes.flip();
                    if (count == 0) {
                        return;
                    }
                    if (count < 0) {
                        throw new EOFException();
                    }
                    missing = ProxyHeader.missing(bytes);
                }
                ProxyHeader header = ProxyHeader.parse(bytes);
                loops.current().longDeadlines.cancel(this);
                source.setReadListener(null);
                source.suspendReads();
                if (header != null) {
                    socket.setHeader(header);
                }
                next.accept(socket);
            } catch (ProtocolException e) {
                end(String.valueOf(e.getMessage()));
            } catch (IOException e) {
                LOG.debug("{} is gone before its PROXY header: {}", socket.getPeerAddress(), e.toString());
                close();
            } catch (RuntimeException e) {
                LOG.error("Internal error while a PROXY header was read", e);
                close();
            }
        }

        @Override
        public void passed() {
            end("no PROXY header within " + DownstreamConnection.MAX_HEAD.toSeconds() + " s");
        }

        private void close() {
            loops.current().longDeadlines.cancel(this);
            IoUtils.safeClose(socket);
        }

        private void end(String problem) {
            close();
            String peer = DownstreamConnection.textOf(socket.getPeerAddress(InetSocketAddress.class));
            Objects.requireNonNull(malformed).accept(peer, problem);
        }
    }
}
