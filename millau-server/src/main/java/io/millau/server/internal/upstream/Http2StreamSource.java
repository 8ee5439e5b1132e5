package io.millau.server.internal.upstream;

import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.http2.Http2;
import io.millau.server.internal.http2.StreamSource;
import io.millau.server.internal.http2.WaitingBytes;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The response of a stream: receives it as frames of HTTP/2, and is read as HTTP/1.1. For its I/O thread alone.
 *
 * <p>It holds a buffer only while bytes of a body wait to be read, at most as many as its window allows the endpoint to send.
 * Trailers after a body of known length are left out, since HTTP/1.1 has no way to send them.
 */
final class Http2StreamSource extends StreamSource {

    /** The response to a request whose head is larger than the endpoint accepts; this is not a failure of the endpoint. */
    private static final byte[] TOO_LARGE = Http1.ascii(
            "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");

    private static final byte[] NOTHING = {};

    /** The number of bytes read before the endpoint is allowed to send more. */
    private static final int CREDIT_BYTES = Http2.INITIAL_WINDOW_BYTES / 2;

    private final Http2UpstreamStream stream;
    private final Http2UpstreamConnection connection;
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

    /** Heads, trailers and framing of HTTP/1.1, to be read before more of the body. */
    private ByteBuffer headsAndFraming = ByteBuffer.wrap(NOTHING);

    private final WaitingBytes body;

    /** How many of the body's bytes belong to the chunk that has begun. */
    private int chunkLeft;

    Http2StreamSource(Http2UpstreamStream stream, Http2UpstreamConnection connection) {
        super(stream, connection.notifier);
        this.stream = stream;
        this.connection = connection;
        this.body = new WaitingBytes(connection.loop);
    }

    /** Whether the head of the final response came. */
    boolean responded() {
        return responded;
    }

    boolean responseEnded() {
        return responseEnded;
    }

    /** Called before the request's head is sent. */
    void expectNoBody(boolean isHead) {
        this.isHead = isHead;
    }

    /** Makes the response incomplete, even if its end was received. */
    void discardEnd() {
        responseEnded = false;
    }

    /** Responds with 431 (RFC 6585, 5); nothing is sent to the endpoint. */
    void replyTooLarge() {
        responded = true;
        responseEnded = true;
        endWritten = true;
        headsAndFraming = ByteBuffer.wrap(TOO_LARGE);
        stream.leave();
        connection.notifier.tellLater(stream);
    }

    /** Called when a header block was received: a final head, an interim one, or trailers. */
    void block(ResponseHeaderDecoder block, boolean ends) {
        String violation = block.violation(responded);
        if (violation != null) {
            stream.breakOff(Http2.PROTOCOL_ERROR, violation);
        } else if (responded) {
            trailers(block, ends);
        } else if (block.status() >= 200) {
            head(block, ends);
        } else if (ends || block.status() == 101) {
            stream.breakOff(Http2.PROTOCOL_ERROR, "status " + block.status() + (ends ? " as the end" : ""));
        } else {
            append(block.interim());
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
            append(block.head(hasBody, ends));
        }
    }

    private void trailers(ResponseHeaderDecoder block, boolean ends) {
        if (!ends || responseEnded) {
            stream.breakOff(Http2.PROTOCOL_ERROR, "trailers in the middle of a response");
            return;
        }
        trailers = block.trailers();
        endResponse();
    }

    /** Appends a head. Their size is limited, since an endpoint can send any number of interim responses. */
    private void append(byte[] more) {
        if (headsAndFraming.remaining() + more.length > 2 * ResponseHead.MAX_BYTES) {
            stream.breakOff(
                    Http2.ENHANCE_YOUR_CALM, "interim responses of more than " + ResponseHead.MAX_BYTES + " bytes");
            return;
        }
        byte[] before = new byte[headsAndFraming.remaining()];
        headsAndFraming.get(before);
        headsAndFraming = ByteBuffer.wrap(ResponseHeaderDecoder.join(before, more));
    }

    /**
     * Called when a part of the body was received.
     *
     * @param whole the length of the payload with its padding, which counts against the window
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
            if (!stream.closed()) {
                body.add(bytes);
            }
            if (ends) {
                endResponse();
            }
        }
        connection.notifier.tellLater(stream);
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
            if (headsAndFraming.hasRemaining()) {
                org.xnio.Buffers.copy(to, headsAndFraming);
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

    /** Begins a chunk of all bytes received, or the end of the body; false if there is neither. */
    private boolean beginNext() {
        int waits = body.count();
        String before = hadChunk ? "\r\n" : "";
        if (waits > 0) {
            chunkLeft = waits;
            if (responseInChunks) {
                hadChunk = true;
                headsAndFraming = ByteBuffer.wrap(Http1.ascii(before + Integer.toHexString(waits) + "\r\n"));
            }
            return true;
        }
        if (!responseEnded || endWritten) {
            return false;
        }
        endWritten = true;
        if (responseInChunks) {
            byte[] end = trailers.length > 0 ? trailers : Http1.ascii("\r\n");
            headsAndFraming = ByteBuffer.wrap(ResponseHeaderDecoder.join(Http1.ascii(before + "0\r\n"), end));
        }
        return responseInChunks;
    }

    private void takeBody(ByteBuffer to) {
        int count = body.take(to, chunkLeft);
        chunkLeft -= count;
        uncredited += count;
        if (uncredited >= CREDIT_BYTES
                && !stream.left()
                && !responseEnded
                && connection.sender.credit(stream.id(), uncredited)) {
            windowLeft += uncredited;
            uncredited = 0;
        }
    }

    void freeBody() {
        body.discard();
        chunkLeft = 0;
    }

    @Override
    public boolean readable() {
        return headsAndFraming.hasRemaining() || !body.isEmpty() || responseEnded || stream.failed();
    }

    @Override
    public boolean isReadShutdown() {
        return stream.closed();
    }
}
