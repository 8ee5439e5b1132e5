package io.millau.server.internal.proxy;

import io.millau.core.Service;
import io.millau.server.internal.frontend.RejectedBodyException;
import io.millau.server.internal.frontend.Rejection;
import io.millau.server.internal.http.MessageLength;
import io.millau.server.internal.http.Trailers;
import io.millau.server.internal.io.EventLoop;
import io.millau.server.internal.upstream.UpstreamConnection;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.xnio.channels.StreamSourceChannel;

/**
 * Streams the body of a request to the endpoint, with back-pressure. Keeps the beginning of the body as long as the request
 * might be retried. For the request's I/O thread alone.
 *
 * <p>One buffer holds the head, the chunk framing and the body one after the other, so that one write sends them all.
 */
public final class RequestBody {

    /** The room for the framing of a chunk: its size, its two line ends, and the last chunk (RFC 9112, 7.1). */
    static final int FRAMING_BYTES = 16;

    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    /** Is notified of the progress and the end of a body. */
    interface Owner {
        /** Bytes of the body were read from the client. */
        void bodyProgressed();

        /** All of the body was read from the client. */
        void bodyEnded();

        /** Reading from the client failed, or the body did not have the length that its Content-Length announced. */
        void bodyBroken(IOException failure);

        /** A bug of this proxy occurred. */
        void internalError(Throwable error);

        /** Writing to the endpoint failed. */
        void sendFailed(IOException failure);
    }

    private final HttpServerExchange exchange;
    private final StreamSourceChannel client;
    private final EventLoop loop;
    private final Owner owner;
    private final long declared;

    private Service service;
    private long read;
    private boolean clientEnded;
    private boolean waitingForClient;

    private final int maxKept;
    private @Nullable KeptBody kept;
    private int replayed;

    private @Nullable UpstreamConnection to;
    private @Nullable PooledByteBuffer pooled;
    private boolean terminated;

    /**
     * @param service the one that gets the body first
     * @param maxKept the largest number of bytes to keep for a retry; 0 to keep none
     */
    RequestBody(HttpServerExchange exchange, Service service, EventLoop loop, Owner owner, int maxKept) {
        this.exchange = exchange;
        this.loop = loop;
        this.owner = owner;
        this.service = service;
        this.client = exchange.getRequestChannel();
        String length = exchange.getRequestHeaders().getFirst(Headers.CONTENT_LENGTH);
        this.declared = length == null ? -1 : MessageLength.parse(length);
        this.maxKept = maxKept;
        this.kept = maxKept > 0 ? KeptBody.of(loop.held, loop.pieces, declared, maxKept) : null;
        client.getReadSetter().set(channel -> clientReadable());
    }

    /** Whether the body is sent in chunks, since its length is not known. */
    boolean chunked() {
        return declared < 0;
    }

    /** The number of bytes read from the client so far. */
    long bytes() {
        return read;
    }

    /** Why this service does not accept the body, as far as it is known; null if it does. */
    @Nullable
    Rejection rejectedBy(Service next) {
        service = next;
        return Math.max(read, declared) > next.maxBody() ? Rejection.bodyTooLarge(next.name(), next.maxBody()) : null;
    }

    /** Whether the client has announced more than it has sent so far. */
    boolean owed() {
        return read < declared;
    }

    /** Whether everything received was sent to the endpoint, and more is expected from the client. */
    boolean waitingForClient() {
        return waitingForClient;
    }

    /** Whether all of the body was sent to the endpoint. */
    boolean sent() {
        return terminated && pooled == null;
    }

    /** Begins to send the head and the body to an endpoint, from the start. */
    void send(RequestHead head, UpstreamConnection to) {
        this.to = to;
        replayed = 0;
        terminated = false;
        ByteBuffer buffer = buffer();
        buffer.clear();
        buffer.put(head.bytes(), 0, head.length());
        if (fill(buffer)) {
            pump();
        }
    }

    /** Sends what can be sent now. To be called when the endpoint accepts bytes again or the client has sent some. */
    void pump() {
        UpstreamConnection connection = to;
        while (connection != null && connection == to) {
            try {
                if (!flush(connection)) {
                    if (pooled != null) {
                        pooled = loop.shrink(pooled);
                    }
                    if (!connection.sink.isWriteResumed()) {
                        connection.sink.resumeWrites();
                    }
                    return;
                }
                if (connection.sink.isWriteResumed()) {
                    connection.sink.suspendWrites();
                }
            } catch (IOException e) {
                connection.sink.suspendWrites();
                detach();
                owner.sendFailed(e);
                return;
            }
            if (terminated || waitingForClient) {
                freeBuffer();
                return;
            }
            if (pooled != null && EventLoop.isSmall(pooled)) {
                freeBuffer(); // it was only for waiting
            }
            ByteBuffer buffer = buffer();
            buffer.clear();
            if (!fill(buffer)) {
                return;
            }
        }
    }

    private boolean flush(UpstreamConnection connection) throws IOException {
        if (pooled == null) {
            return true;
        }
        ByteBuffer buffer = pooled.getBuffer();
        while (buffer.hasRemaining()) {
            if (connection.sink.write(buffer) == 0) {
                return false;
            }
        }
        return true;
    }

    private ByteBuffer buffer() {
        if (pooled == null) {
            pooled = loop.buffers.allocate();
        }
        return pooled.getBuffer();
    }

    private void freeBuffer() {
        if (pooled != null) {
            pooled.close();
            pooled = null;
        }
    }

    /** Appends the bytes that can be sent now and prepares the buffer for writing; false if reading from the client failed. */
    private boolean fill(ByteBuffer buffer) {
        int start = buffer.position();
        int data = chunked() ? start + 6 : start;
        int most = loop.readBytes() - 2 * FRAMING_BYTES;
        buffer.position(data).limit(Math.min(buffer.capacity() - FRAMING_BYTES + 6, data + most));
        if (kept != null && replayed < kept.size()) {
            replayed += kept.copy(replayed, buffer);
        } else if (!clientEnded) {
            try {
                readFromClient(buffer);
            } catch (IOException e) {
                detach();
                owner.bodyBroken(e);
                return false;
            }
        }
        buffer.limit(buffer.capacity());
        int bytes = buffer.position() - data;
        if (chunked()) {
            frame(buffer, start, bytes);
        }
        if (clientEnded && replayed == (kept == null ? 0 : kept.size())) {
            terminated = true;
            if (chunked()) {
                lastChunk(buffer);
            }
        }
        buffer.flip();
        return true;
    }

    /**
     * Writes the framing of a chunk. The size always has four digits, so that its place is known before the chunk is filled.
     */
    private static void frame(ByteBuffer buffer, int start, int bytes) {
        if (bytes == 0) {
            buffer.position(start);
            return;
        }
        for (int i = 0; i < 4; i++) {
            buffer.put(start + i, HEX[bytes >> 12 - 4 * i & 15]);
        }
        buffer.put(start + 4, (byte) '\r').put(start + 5, (byte) '\n');
        buffer.put((byte) '\r').put((byte) '\n');
    }

    private void lastChunk(ByteBuffer buffer) {
        buffer.put((byte) '0').put((byte) '\r').put((byte) '\n');
        HeaderMap trailers = exchange.getAttachment(HttpAttachments.REQUEST_TRAILERS);
        if (trailers != null) {
            trailers(trailers, buffer);
        }
        buffer.put((byte) '\r').put((byte) '\n');
    }

    private static void trailers(HeaderMap trailers, ByteBuffer buffer) {
        Trailers.clean(trailers);
        for (HeaderValues values : trailers) {
            for (String value : values) {
                byte[] line = (values.getHeaderName() + ": " + value).getBytes(StandardCharsets.ISO_8859_1);
                boolean clean = true;
                for (byte b : line) {
                    clean &= b < 0 || b >= ' ' && b != 127 || b == '\t';
                }
                if (clean && buffer.remaining() > line.length + 4) {
                    buffer.put(line).put((byte) '\r').put((byte) '\n');
                }
            }
        }
    }

    private void readFromClient(ByteBuffer buffer) throws IOException {
        int start = buffer.position();
        int bytes = client.read(buffer);
        if (bytes > 0) {
            read += bytes;
            if (declared >= 0 && read > declared) {
                throw new IOException("body longer than its Content-Length of " + declared);
            }
            if (read > service.maxBody()) {
                throw new RejectedBodyException(Rejection.bodyTooLarge(service.name(), service.maxBody()));
            }
            keep(buffer, start, bytes);
            owner.bodyProgressed();
        } else if (bytes == 0) {
            waitingForClient = true;
            client.resumeReads();
        } else {
            if (declared >= 0 && read < declared) {
                throw new IOException("body shorter than its Content-Length of " + declared);
            }
            clientEnded = true;
            client.suspendReads();
            owner.bodyEnded();
        }
    }

    private void keep(ByteBuffer buffer, int start, int bytes) {
        if (kept == null) {
            return;
        }
        if (kept.add(buffer, start, bytes)) {
            replayed = kept.size();
        } else {
            forget();
        }
    }

    /** The request is not retried any more; to be called at its end, too. */
    void forget() {
        if (kept != null) {
            kept.free();
            kept = null;
        }
        replayed = 0;
    }

    private void clientReadable() {
        waitingForClient = false;
        client.suspendReads();
        try {
            pump();
        } catch (RuntimeException e) {
            owner.internalError(e);
        }
    }

    /** Stops sending: the attempt failed, or the response came before the end of the body. */
    void detach() {
        to = null;
        if (waitingForClient) {
            waitingForClient = false;
            client.suspendReads();
        }
        freeBuffer();
    }

    /** Whether the body can be sent again from its beginning now. */
    boolean retryable() {
        return read == 0 || kept != null;
    }

    /** Whether it is certain that the body can be sent again from its beginning until the request ends. */
    boolean staysRetryable() {
        return kept != null && (clientEnded || declared >= 0 && declared <= maxKept);
    }
}
