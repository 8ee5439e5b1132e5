package io.millau.server.internal.proxy;

import io.millau.core.Endpoint;
import io.millau.core.FailurePage;
import io.millau.server.internal.http.ChunkDecoder;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.http.ResponseTrailers;
import io.millau.server.internal.io.EventLoop;
import io.millau.server.internal.upstream.UpstreamConnection;
import io.millau.server.internal.upstream.UpstreamPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.StatusCodes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** A request of this proxy for a page, over a connection of its own. For one I/O thread alone. */
final class PageRequest implements UpstreamPool.ConnectListener, UpstreamConnection.User {

    /** The longest page. */
    static final int MAX_BYTES = 64 * 1024;

    /** Gets the result, once, unless the request was ended before. */
    interface Asker {
        void found(FailurePage.Page page);

        void notFound(String reason);
    }

    private final EventLoop loop;
    private final Asker asker;
    private final int status;
    private final ResponseHead head = new ResponseHead();
    private final ResponseTrailers trailers = new ResponseTrailers(head);
    private final ByteArrayOutputStream page = new ByteArrayOutputStream();
    private String request = "";
    private UpstreamPool.@Nullable Connecting connecting;
    private @Nullable UpstreamConnection connection;
    private @Nullable PooledByteBuffer received;
    private @Nullable HeaderMap fields;
    private @Nullable ChunkDecoder decoder;

    /** @param status of the failure; a page may come with this one, or with 200 */
    PageRequest(EventLoop loop, Asker asker, int status) {
        this.loop = loop;
        this.asker = asker;
        this.status = status;
    }

    void begin(UpstreamPool upstream, Endpoint endpoint, String host, String path) {
        request = "GET " + path + " HTTP/1.1\r\nHost: " + host
                + "\r\nUser-Agent: millau\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n";
        connecting = upstream.connect(endpoint, this);
    }

    @Override
    public void connected(UpstreamConnection opened) {
        connecting = null;
        connection = opened;
        opened.use(this);
        try {
            opened.sink.write(ByteBuffer.wrap(Http1.ascii(request))); // a new socket takes it at once
        } catch (IOException e) {
            fail(e.toString());
        }
    }

    @Override
    public void notConnected(IOException failure) {
        fail(String.valueOf(failure.getMessage()));
    }

    @Override
    public void upstreamReadable() throws IOException {
        UpstreamConnection from = connection;
        while (from != null && from == connection) {
            PooledByteBuffer pooled = received == null ? loop.buffers.allocate() : received;
            received = pooled;
            ByteBuffer buffer = pooled.getBuffer();
            int count = from.source.read(buffer);
            if (count == 0) {
                return;
            }
            buffer.flip();
            if (fields != null || readHead(buffer)) {
                readBody(buffer, count < 0);
            } else if (connection == null) {
                return; // it has no page, and the buffer was given back
            } else if (count < 0) {
                fail("connection closed before the response");
            } else {
                buffer.compact();
            }
        }
    }

    /** Returns whether the final head was read, and a page follows. */
    private boolean readHead(ByteBuffer buffer) throws IOException {
        while (connection != null && head.read(buffer)) {
            if (head.status() < 200) {
                continue;
            }
            HeaderMap its = new HeaderMap();
            head.copyTo(its);
            if (head.status() != StatusCodes.OK && head.status() != status) {
                fail("status " + head.status());
            } else if (its.contains(Headers.CONTENT_ENCODING)) {
                fail("Content-Encoding " + its.getFirst(Headers.CONTENT_ENCODING));
            } else {
                fields = its;
                decoder = head.length() == ResponseHead.CHUNKED ? ChunkDecoder.tolerant(trailers) : null;
                return true;
            }
        }
        return false;
    }

    private void readBody(ByteBuffer buffer, boolean closed) throws IOException {
        ChunkDecoder chunks = decoder;
        int end = chunks == null ? buffer.limit() : chunks.decode(buffer);
        long most = chunks == null && head.length() >= 0 ? Math.min(head.length(), MAX_BYTES + 1) : MAX_BYTES + 1;
        while (buffer.hasRemaining() && page.size() < most) {
            page.write(buffer.get());
        }
        buffer.limit(end).compact();
        boolean whole = chunks != null
                ? chunks.ended()
                : head.length() == ResponseHead.UNTIL_CLOSE
                        ? closed && connection != null && connection.endedByEndpoint()
                        : page.size() >= head.length();
        if (page.size() > MAX_BYTES) {
            fail("more than " + MAX_BYTES + " bytes");
        } else if (whole) {
            take();
        } else if (closed) {
            fail("connection closed before the end of the page");
        }
    }

    private void take() {
        String type = fields == null ? null : fields.getFirst(Headers.CONTENT_TYPE);
        if (page.size() == 0) {
            fail("an empty page");
        } else if (type == null) {
            fail("no Content-Type");
        } else {
            end();
            asker.found(new FailurePage.Page(type, page.toByteArray()));
        }
    }

    @Override
    public void upstreamWritable() {}

    @Override
    public void upstreamFailed(Throwable failure) {
        fail(String.valueOf(failure.getMessage()));
    }

    @Override
    public void endpointRemoved() {
        fail("the instance was removed");
    }

    private void fail(String reason) {
        end();
        asker.notFound(reason);
    }

    /** Ends it without a result. Has no effect when there is one. */
    void end() {
        if (connecting != null) {
            connecting.cancel();
            connecting = null;
        }
        if (connection != null) {
            connection.close();
            connection = null;
        }
        if (received != null) {
            received.close();
            received = null;
        }
    }
}
