package io.millau.server.internal.upstream;

import io.millau.core.Outcome;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.Http2;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.proxy.RequestBody;
import io.millau.server.internal.proxy.RequestHead;
import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.channels.StreamSourceChannel;
import org.xnio.conduits.ConduitReadableByteChannel;
import org.xnio.conduits.ConduitWritableByteChannel;
import org.xnio.conduits.Conduits;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.conduits.WriteReadyHandler;

/**
 * A stream of HTTP/2 (RFC 9113, 5) that takes one request as {@link RequestHead} and {@link RequestBody} write it over
 * HTTP/1.1, and gives its answer as HTTP/1.1. For its I/O thread alone.
 *
 * <p>What HTTP/2 alone has, trailers after a body of a known length, is left out; what HTTP/1.1 alone has is too: a request to
 * upgrade (to WebSocket) goes without that wish, as one may (RFC 9110, 7.8), and what the endpoint makes of it is the answer.
 *
 * <p>It holds a buffer only while a body's bytes wait to be read, and never more of them than its window lets the endpoint
 * send. As with a socket, who does not take what there is to read, or to write, is told again.
 */
final class Http2StreamConduit implements StreamSourceConduit, StreamSinkConduit {

    /** The endpoint said that it takes no such head; that one client sends it is no fault of the endpoint. */
    private static final byte[] TOO_LARGE = Http1.ascii(
            "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");

    private static final byte[] NOTHING = {};

    /** So much was read before the endpoint is told that it may send more. */
    private static final int CREDIT_BYTES = Http2.INITIAL_WINDOW_BYTES / 2;

    private final Http2UpstreamConnection connection;
    private final long since;
    private int id;
    private boolean toBeTold;
    private @Nullable StreamException failure;

    /** Whether the connection is done with it. */
    private boolean left;

    private boolean closed;

    // The request
    private @Nullable WriteReadyHandler writer;
    private boolean writesResumed;
    private long window;
    private boolean chunked;
    private boolean inChunk;
    private long unsent;
    private boolean requestEnded;

    /** Whether the endpoint wants nothing more of the request. */
    private boolean deaf;

    private boolean isHead;

    // The answer
    private @Nullable ReadReadyHandler reader;
    private boolean readsResumed;
    private long windowLeft = Http2.INITIAL_WINDOW_BYTES;
    private int uncredited;
    private boolean answered;
    private boolean hasBody;
    private boolean answerInChunks;
    private boolean hadChunk;
    private long declared;
    private long bodyBytes;
    private boolean answerEnded;
    private boolean endWritten;
    private byte[] trailers = NOTHING;

    /** HTTP/1.1's own words, which come before any more of the body. */
    private ByteBuffer words = ByteBuffer.wrap(NOTHING);

    /** The body's bytes that wait are between {@link #bodyAt} and its position. */
    private @Nullable PooledByteBuffer body;

    private int bodyAt;

    /** Of the body's bytes, those that the chunk takes that has begun. */
    private int chunkLeft;

    Http2StreamConduit(Http2UpstreamConnection connection, int window) {
        this.connection = connection;
        this.window = window;
        this.since = connection.loop.deadlines.now();
    }

    /** When it began, by the event loop's clock. */
    long since() {
        return since;
    }

    /** Whether the head of its answer came. */
    boolean answered() {
        return answered;
    }

    /** Whether the endpoint did not begin it, when this is the last that it may have. */
    boolean isAfter(int lastStream) {
        return id == 0 || id > lastStream;
    }

    boolean toBeTold() {
        return toBeTold;
    }

    void toBeTold(boolean toBe) {
        toBeTold = toBe;
    }

    /** Tells who uses it that there is something to read, or room to write. */
    void tell() {
        if (!closed && readsResumed && reader != null && readable()) {
            reader.readReady();
        }
        if (!closed && writesResumed && writer != null && canWrite()) {
            connection.unblock(this);
            writer.writeReady();
        }
        if (!closed && readsResumed && readable()) {
            connection.tellLater(this);
        }
        if (!closed && writesResumed) {
            connection.block(this);
        }
    }

    // ---- The request

    @Override
    public int write(ByteBuffer from) throws IOException {
        checkOpen();
        int start = from.position();
        if (id == 0 && !deaf && !sendHead(from)) {
            return 0;
        }
        int before;
        do {
            before = from.position();
            sendBody(from);
            connection.flush();
        } while (from.hasRemaining() && from.position() > before);
        int count = from.position() - start;
        if (count == 0) {
            checkOpen();
        }
        return count;
    }

    private void checkOpen() throws IOException {
        if (failure != null) {
            throw failure;
        }
        if (closed) {
            throw new ClosedChannelException();
        }
    }

    private boolean sendHead(ByteBuffer from) throws IOException {
        int start = from.position();
        RequestHeaderEncoder block = connection.requestBlock;
        block.readHead(from);
        isHead = block.isHead();
        chunked = block.chunked();
        unsent = chunked ? 0 : Math.max(0, block.contentLength());
        if (!connection.takesHead(block.listBytes())) {
            refuse();
            return true;
        }
        if (!connection.frames.takesHeaders(block.length())) {
            from.position(start);
            return false;
        }
        id = connection.enter(this);
        boolean ends = !chunked && unsent == 0;
        connection.frames.headers(id, ends, block.bytes(), block.length());
        if (ends) {
            endRequest();
        }
        return true;
    }

    private void refuse() {
        deaf = true;
        answered = true;
        answerEnded = true;
        endWritten = true;
        words = ByteBuffer.wrap(TOO_LARGE);
        leave();
        connection.tellLater(this);
    }

    private void sendBody(ByteBuffer from) throws IOException {
        while (from.hasRemaining() && failure == null) {
            if (deaf || requestEnded) {
                from.position(from.limit());
            } else if (unsent > 0) {
                int count = (int) Math.min(Math.min(from.remaining(), unsent), sendable());
                if (count <= 0) {
                    return;
                }
                sendData(from, count);
            } else if (!sendFraming(from)) {
                return;
            }
        }
    }

    private void sendData(ByteBuffer from, int count) throws IOException {
        unsent -= count;
        window -= count;
        connection.sent(count);
        boolean last = !chunked && unsent == 0;
        connection.frames.data(id, last, from, count);
        if (last) {
            endRequest();
        }
    }

    /** What is between the bytes of two chunks, or behind the last, which the buffer always holds as a whole. */
    private boolean sendFraming(ByteBuffer from) throws IOException {
        if (inChunk) {
            from.position(from.position() + 2);
            inChunk = false;
            return true;
        }
        int start = from.position();
        int size = 0;
        for (byte b = from.get(); b != '\r'; b = from.get()) {
            size = size * 16 + Character.digit(b, 16);
        }
        from.get();
        if (size > 0) {
            unsent = size;
            inChunk = true;
            return true;
        }
        boolean sent = sendEnd(from);
        if (!sent) {
            from.position(start);
        }
        return sent;
    }

    private boolean sendEnd(ByteBuffer from) throws IOException {
        if (from.remaining() == 2) {
            if (connection.frames.room() < 0) {
                return false;
            }
            connection.frames.data(id, true, from, 0);
        } else {
            RequestHeaderEncoder block = connection.requestBlock;
            block.readTrailers(from.duplicate());
            if (!connection.frames.takesHeaders(block.length())) {
                return false;
            }
            connection.frames.headers(id, true, block.bytes(), block.length());
        }
        from.position(from.limit());
        endRequest();
        return true;
    }

    private void endRequest() {
        requestEnded = true;
        leaveIfOver();
    }

    private long sendable() {
        return Math.min(window, connection.sendable());
    }

    /** Whether a write would get on. */
    boolean canWrite() {
        if (failure != null || deaf || requestEnded) {
            return true;
        }
        return id == 0 || unsent == 0 ? connection.frames.isEmpty() : sendable() > 0;
    }

    /** The endpoint changed the size that every window begins with (RFC 9113, 6.9.2). */
    void widen(int bytes) {
        window += bytes;
    }

    void windowUpdate(int bytes) {
        window += bytes;
        if (bytes == 0 || window > Integer.MAX_VALUE) {
            breakOff(Http2.FLOW_CONTROL_ERROR, "window update by " + bytes);
        }
    }

    // ---- The answer

    /** A header block came: a head, an interim one, or trailers. */
    void block(ResponseHeaderDecoder block, boolean ends) {
        String fault = block.fault(answered);
        if (fault != null) {
            breakOff(Http2.PROTOCOL_ERROR, fault);
        } else if (answered) {
            trailers(block, ends);
        } else if (block.status() >= 200) {
            head(block, ends);
        } else if (ends || block.status() == 101) {
            breakOff(Http2.PROTOCOL_ERROR, "status " + block.status() + (ends ? " as the end" : ""));
        } else {
            say(block.interim());
        }
        connection.tellLater(this);
    }

    private void head(ResponseHeaderDecoder block, boolean ends) {
        answered = true;
        hasBody = !isHead && block.status() != 204 && block.status() != 304;
        declared = block.contentLength();
        answerInChunks = hasBody && declared < 0 && !ends;
        if (ends) {
            endAnswer();
        }
        if (failure == null) {
            say(block.head(hasBody, ends));
        }
    }

    private void trailers(ResponseHeaderDecoder block, boolean ends) {
        if (!ends || answerEnded) {
            breakOff(Http2.PROTOCOL_ERROR, "trailers in the middle of an answer");
            return;
        }
        trailers = block.trailers();
        endAnswer();
    }

    /** Heads alone come without being asked for, so they alone need a bound. */
    private void say(byte[] more) {
        if (words.remaining() + more.length > 2 * ResponseHead.MAX_BYTES) {
            breakOff(Http2.ENHANCE_YOUR_CALM, "interim answers of more than " + ResponseHead.MAX_BYTES + " bytes");
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
            breakOff(Http2.FLOW_CONTROL_ERROR, "more than the window of " + Http2.INITIAL_WINDOW_BYTES + " bytes");
        } else if (!answered || answerEnded) {
            breakOff(Http2.PROTOCOL_ERROR, answered ? "body after its end" : "body before its head");
        } else if (bodyBytes > (hasBody ? declared < 0 ? Long.MAX_VALUE : declared : 0)) {
            breakOff(Http2.PROTOCOL_ERROR, "body of more than its " + (hasBody ? declared : 0) + " bytes");
        } else {
            keep(bytes);
            if (ends) {
                endAnswer();
            }
        }
        connection.tellLater(this);
    }

    /** There is room: it can't be more than the window. */
    private void keep(ByteBuffer bytes) {
        if (!bytes.hasRemaining() || closed) {
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

    private void endAnswer() {
        if (hasBody && declared >= 0 && bodyBytes < declared) {
            breakOff(Http2.PROTOCOL_ERROR, "body of " + bodyBytes + " bytes instead of " + declared);
            return;
        }
        answerEnded = true;
        leaveIfOver();
    }

    @Override
    public int read(ByteBuffer to) throws IOException {
        int start = to.position();
        while (to.hasRemaining() && !closed) {
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
        if (failure != null) {
            throw failure;
        }
        return closed || endWritten ? -1 : 0;
    }

    /** Begins a chunk of all there is, or the end; false if there is nothing. */
    private boolean beginNext() {
        int waits = body == null ? 0 : body.getBuffer().position() - bodyAt;
        String before = hadChunk ? "\r\n" : "";
        if (waits > 0) {
            chunkLeft = waits;
            if (answerInChunks) {
                hadChunk = true;
                words = ByteBuffer.wrap(Http1.ascii(before + Integer.toHexString(waits) + "\r\n"));
            }
            return true;
        }
        if (!answerEnded || endWritten) {
            return false;
        }
        endWritten = true;
        if (answerInChunks) {
            byte[] end = trailers.length > 0 ? trailers : Http1.ascii("\r\n");
            words = ByteBuffer.wrap(ResponseHeaderDecoder.join(Http1.ascii(before + "0\r\n"), end));
        }
        return answerInChunks;
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
        if (uncredited >= CREDIT_BYTES && !left && !answerEnded && connection.credit(id, uncredited)) {
            windowLeft += uncredited;
            uncredited = 0;
        }
    }

    private void freeBody() {
        if (body != null) {
            body.close();
            body = null;
        }
        bodyAt = 0;
        chunkLeft = 0;
    }

    private boolean readable() {
        return words.hasRemaining() || body != null || answerEnded || failure != null;
    }

    // ---- Its end

    /** The endpoint reset it: once the answer is whole, that only means that the rest of the request is not wanted. */
    void reset(int code) {
        fail(new StreamException(
                code == Http2.REFUSED_STREAM ? Outcome.NOT_PROCESSED : Outcome.BROKEN,
                "stream reset with code " + code));
    }

    /** It ends without us having ended it; an answer that is whole stays one. */
    void fail(StreamException why) {
        if (answerEnded) {
            deaf = true;
        } else if (failure == null) {
            failure = why;
        }
        leave();
        connection.tellLater(this);
    }

    /** The endpoint broke the rules of the stream. */
    private void breakOff(int code, String why) {
        boolean open = !left && id != 0;
        answerEnded = false;
        fail(new StreamException(Outcome.BROKEN, why));
        if (open) {
            connection.reset(id, code);
        }
    }

    private void leaveIfOver() {
        if (requestEnded && answerEnded) {
            leave();
        }
    }

    private void leave() {
        if (!left) {
            left = true;
            connection.left(this, id);
        }
    }

    /** Nobody uses it any more; the endpoint is told if it might still go on. */
    void close() {
        if (closed) {
            return;
        }
        closed = true;
        freeBody();
        boolean open = !left && id != 0;
        if (open) {
            connection.reset(id, Http2.CANCEL);
        }
        leave();
    }

    // ---- What else a conduit does

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
    public long write(ByteBuffer[] from, int offset, int length) throws IOException {
        long total = 0;
        for (int i = offset; i < offset + length; i++) {
            total += write(from[i]);
            if (from[i].hasRemaining()) {
                break;
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
    public long transferFrom(FileChannel from, long position, long count) throws IOException {
        return from.transferTo(position, count, new ConduitWritableByteChannel(this));
    }

    @Override
    public long transferFrom(StreamSourceChannel from, long count, ByteBuffer through) throws IOException {
        return Conduits.transfer(from, count, through, this);
    }

    @Override
    public int writeFinal(ByteBuffer from) throws IOException {
        return Conduits.writeFinalBasic(this, from);
    }

    @Override
    public long writeFinal(ByteBuffer[] from, int offset, int length) throws IOException {
        return Conduits.writeFinalBasic(this, from, offset, length);
    }

    @Override
    public boolean flush() {
        return true;
    }

    @Override
    public void resumeReads() {
        readsResumed = true;
        if (readable()) {
            connection.tellLater(this);
        }
    }

    @Override
    public void suspendReads() {
        readsResumed = false;
    }

    @Override
    public void wakeupReads() {
        readsResumed = true;
        connection.tellLater(this);
    }

    @Override
    public boolean isReadResumed() {
        return readsResumed;
    }

    @Override
    public void resumeWrites() {
        writesResumed = true;
        connection.block(this);
    }

    @Override
    public void suspendWrites() {
        writesResumed = false;
        connection.unblock(this);
    }

    @Override
    public void wakeupWrites() {
        writesResumed = true;
        connection.tellLater(this);
    }

    @Override
    public boolean isWriteResumed() {
        return writesResumed;
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
    public void awaitWritable() {
        throw new UnsupportedOperationException("an I/O thread does not wait");
    }

    @Override
    public void awaitWritable(long time, TimeUnit unit) {
        awaitWritable();
    }

    @Override
    public void setReadReadyHandler(ReadReadyHandler handler) {
        reader = handler;
    }

    @Override
    public void setWriteReadyHandler(WriteReadyHandler handler) {
        writer = handler;
    }

    @Override
    public XnioIoThread getReadThread() {
        return connection.thread();
    }

    @Override
    public XnioIoThread getWriteThread() {
        return connection.thread();
    }

    @Override
    public XnioWorker getWorker() {
        return connection.thread().getWorker();
    }

    @Override
    public boolean isReadShutdown() {
        return closed;
    }

    @Override
    public boolean isWriteShutdown() {
        return closed;
    }

    @Override
    public void terminateReads() {
        readsResumed = false;
    }

    @Override
    public void terminateWrites() {
        suspendWrites();
    }

    @Override
    public void truncateWrites() {
        suspendWrites();
    }
}
