package io.millau.server.internal.upstream;

import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.Http2;
import io.millau.server.internal.http.ResponseHead;
import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.ConduitReadableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSourceConduit;

/**
 * The response of a stream: takes it as frames of HTTP/2, and gives it as HTTP/1.1. For its I/O thread alone.
 *
 * <p>It holds a buffer only while a body's bytes wait to be read, and never more of them than its window lets the endpoint send.
 * Trailers after a body of known length, which HTTP/1.1 does not have, are left out.
 */
final class Http2StreamSource implements StreamSourceConduit {

    /** The endpoint said that it takes no such head; that a client sends it is no fault of the endpoint. */
    private static final byte[] TOO_LARGE = Http1.ascii(
            "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");

    private static final byte[] NOTHING = {};

    /** So much is read before the endpoint is told that it may send more. */
    private static final int CREDIT_BYTES = Http2.INITIAL_WINDOW_BYTES / 2;

    private final Http2UpstreamStream stream;
    private final Http2UpstreamConnection connection;
    private @Nullable ReadReadyHandler reader;
    private boolean readsResumed;
    private long windowLeft = Http2.INITIAL_WINDOW_BYTES;
    private int uncredited;

    /** Whether the request's method is HEAD. */
    private boolean isHead;

    private boolean responded;
    private boolean hasBody;
    private boolean responseInChunks;
    private boolean hadChunk;
    private long declared;
    private long bodyBytes;
    private boolean responseEnded;
    private boolean endWritten;
    private byte[] trailers = NOTHING;

    /** HTTP/1.1's own words, which come before any more of the body. */
    private ByteBuffer words = ByteBuffer.wrap(NOTHING);

    /** The body's bytes that wait are between {@link #bodyAt} and its position. */
    private @Nullable PooledByteBuffer body;

    private int bodyAt;

    /** Of the body's bytes, those that belong to the chunk that has begun. */
    private int chunkLeft;

    Http2StreamSource(Http2UpstreamStream stream, Http2UpstreamConnection connection) {
        this.stream = stream;
        this.connection = connection;
    }

    /** Whether the head of the final response came. */
    boolean responded() {
        return responded;
    }

    boolean responseEnded() {
        return responseEnded;
    }

    /** The request's head is about to be sent. */
    void expectNoBody(boolean isHead) {
        this.isHead = isHead;
    }

    /** The response is not whole, whatever came. */
    void discardEnd() {
        responseEnded = false;
    }

    /** Gives a response although nothing was sent to the endpoint. */
    void replyTooLarge() {
        responded = true;
        responseEnded = true;
        endWritten = true;
        words = ByteBuffer.wrap(TOO_LARGE);
        stream.leave();
        connection.notifier.tellLater(stream);
    }

    /** Tells the reader that there is something to read, if it waits and there is. */
    void tell() {
        if (isAwaited() && reader != null) {
            reader.readReady();
        }
    }

    /** Whether there is something to read that the reader waits for. */
    boolean isAwaited() {
        return readsResumed && readable();
    }

    /** A header block came: a head, an interim one, or trailers. */
    void block(ResponseHeaderDecoder block, boolean ends) {
        String fault = block.fault(responded);
        if (fault != null) {
            stream.breakOff(Http2.PROTOCOL_ERROR, fault);
        } else if (responded) {
            trailers(block, ends);
        } else if (block.status() >= 200) {
            head(block, ends);
        } else if (ends || block.status() == 101) {
            stream.breakOff(Http2.PROTOCOL_ERROR, "status " + block.status() + (ends ? " as the end" : ""));
        } else {
            say(block.interim());
        }
        connection.notifier.tellLater(stream);
    }

    private void head(ResponseHeaderDecoder block, boolean ends) {
        responded = true;
        hasBody = !isHead && block.status() != 204 && block.status() != 304;
        declared = block.contentLength();
        responseInChunks = hasBody && declared < 0 && !ends;
        if (ends) {
            endResponse();
        }
        if (!stream.failed()) {
            say(block.head(hasBody, ends));
        }
    }

    private void trailers(ResponseHeaderDecoder block, boolean ends) {
        if (!ends || responseEnded) {
            stream.breakOff(Http2.PROTOCOL_ERROR, "trailers in the middle of an answer");
            return;
        }
        trailers = block.trailers();
        endResponse();
    }

    /** Heads alone come without being asked for, so they alone need a bound. */
    private void say(byte[] more) {
        if (words.remaining() + more.length > 2 * ResponseHead.MAX_BYTES) {
            stream.breakOff(
                    Http2.ENHANCE_YOUR_CALM, "interim responses of more than " + ResponseHead.MAX_BYTES + " bytes");
            return;
        }
        byte[] before = new byte[words.remaining()];
        words.get(before);
        words = ByteBuffer.wrap(ResponseHeaderDecoder.join(before, more));
    }

    /**
     * A part of the body came.
     *
     * @param whole its bytes with their padding, which the window counts too
     */
    void data(ByteBuffer bytes, int whole, boolean ends) {
        windowLeft -= whole;
        uncredited += whole - bytes.remaining();
        bodyBytes += bytes.remaining();
        if (windowLeft < 0) {
            stream.breakOff(
                    Http2.FLOW_CONTROL_ERROR, "more than the window of " + Http2.INITIAL_WINDOW_BYTES + " bytes");
        } else if (!responded || responseEnded) {
            stream.breakOff(Http2.PROTOCOL_ERROR, responded ? "body after its end" : "body before its head");
        } else if (bodyBytes > (hasBody ? declared < 0 ? Long.MAX_VALUE : declared : 0)) {
            stream.breakOff(Http2.PROTOCOL_ERROR, "body of more than its " + (hasBody ? declared : 0) + " bytes");
        } else {
            keep(bytes);
            if (ends) {
                endResponse();
            }
        }
        connection.notifier.tellLater(stream);
    }

    /** There is room: it can't be more than the window. */
    private void keep(ByteBuffer bytes) {
        if (!bytes.hasRemaining() || stream.closed()) {
            return;
        }
        PooledByteBuffer holder = body == null ? connection.loop.buffers.allocate() : body;
        body = holder;
        ByteBuffer buffer = holder.getBuffer();
        if (buffer.remaining() < bytes.remaining()) {
            buffer.flip().position(bodyAt);
            buffer.compact();
            bodyAt = 0;
        }
        buffer.put(bytes);
    }

    private void endResponse() {
        if (hasBody && declared >= 0 && bodyBytes < declared) {
            stream.breakOff(Http2.PROTOCOL_ERROR, "body of " + bodyBytes + " bytes instead of " + declared);
            return;
        }
        responseEnded = true;
        stream.leaveIfOver();
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
        int start = to.position();
        while (to.hasRemaining() && !stream.closed()) {
            if (words.hasRemaining()) {
                org.xnio.Buffers.copy(to, words);
            } else if (chunkLeft > 0) {
                takeBody(to);
            } else if (!beginNext()) {
                break;
            }
        }
        int count = to.position() - start;
        if (count > 0) {
            return count;
        }
        stream.checkFailure();
        return stream.closed() || endWritten ? -1 : 0;
    }

    /** Begins a chunk of all there is, or the end; false if there is nothing. */
    private boolean beginNext() {
        int waits = body == null ? 0 : body.getBuffer().position() - bodyAt;
        String before = hadChunk ? "\r\n" : "";
        if (waits > 0) {
            chunkLeft = waits;
            if (responseInChunks) {
                hadChunk = true;
                words = ByteBuffer.wrap(Http1.ascii(before + Integer.toHexString(waits) + "\r\n"));
            }
            return true;
        }
        if (!responseEnded || endWritten) {
            return false;
        }
        endWritten = true;
        if (responseInChunks) {
            byte[] end = trailers.length > 0 ? trailers : Http1.ascii("\r\n");
            words = ByteBuffer.wrap(ResponseHeaderDecoder.join(Http1.ascii(before + "0\r\n"), end));
        }
        return responseInChunks;
    }

    private void takeBody(ByteBuffer to) {
        PooledByteBuffer holder = body;
        if (holder == null) {
            return;
        }
        ByteBuffer buffer = holder.getBuffer();
        int count = Math.min(chunkLeft, to.remaining());
        to.put(to.position(), buffer, bodyAt, count).position(to.position() + count);
        bodyAt += count;
        chunkLeft -= count;
        if (bodyAt == buffer.position()) {
            freeBody();
        }
        uncredited += count;
        if (uncredited >= CREDIT_BYTES
                && !stream.left()
                && !responseEnded
                && connection.credit(stream.id(), uncredited)) {
            windowLeft += uncredited;
            uncredited = 0;
        }
    }

    void freeBody() {
        if (body != null) {
            body.close();
            body = null;
        }
        bodyAt = 0;
        chunkLeft = 0;
    }

    boolean readable() {
        return words.hasRemaining() || body != null || responseEnded || stream.failed();
    }

    @Override
    public long read(ByteBuffer[] to, int offset, int length) throws IOException {
        long total = 0;
        for (int i = offset; i < offset + length; i++) {
            if (to[i].hasRemaining()) {
                int count = read(to[i]);
                if (count <= 0) {
                    return total == 0 ? count : total;
                }
                total += count;
            }
        }
        return total;
    }

    @Override
    public long transferTo(long position, long count, FileChannel target) throws IOException {
        return target.transferFrom(new ConduitReadableByteChannel(this), position, count);
    }

    @Override
    public long transferTo(long count, ByteBuffer through, StreamSinkChannel target) throws IOException {
        return Conduits.transfer(this, count, through, target);
    }

    @Override
    public void resumeReads() {
        readsResumed = true;
        if (readable()) {
            connection.notifier.tellLater(stream);
        }
    }

    @Override
    public void suspendReads() {
        readsResumed = false;
    }

    @Override
    public void wakeupReads() {
        readsResumed = true;
        connection.notifier.tellLater(stream);
    }

    @Override
    public boolean isReadResumed() {
        return readsResumed;
    }

    @Override
    public void awaitReadable() {
        throw new UnsupportedOperationException("an I/O thread does not wait");
    }

    @Override
    public void awaitReadable(long time, TimeUnit unit) {
        awaitReadable();
    }

    @Override
    public void setReadReadyHandler(ReadReadyHandler handler) {
        reader = handler;
    }

    @Override
    public XnioIoThread getReadThread() {
        return connection.thread();
    }

    @Override
    public XnioWorker getWorker() {
        return connection.thread().getWorker();
    }

    @Override
    public boolean isReadShutdown() {
        return stream.closed();
    }

    @Override
    public void terminateReads() {
        readsResumed = false;
    }
}
