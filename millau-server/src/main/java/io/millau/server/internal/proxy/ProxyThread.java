package io.millau.server.internal.proxy;

import io.millau.core.Router;
import io.millau.server.internal.frontend.DateField;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.io.Buffers;
import io.millau.server.internal.io.EventLoop;
import io.millau.server.internal.io.EventLoops;
import io.millau.server.internal.upstream.UpstreamPool;
import io.millau.server.internal.upstream.UpstreamPools;
import java.nio.ByteBuffer;

/**
 * What the requests of one I/O thread share: the event loop, the connections to endpoints, and space to write and read heads.
 * For that thread alone.
 */
public final class ProxyThread {

    final EventLoop loop;
    final UpstreamPool upstream;
    final GzipPool gzip;

    /** Holds the head written last. It has to be sent before the next one is written. */
    final RequestHead requestHead = new RequestHead();

    /** Holds the head read last. It has to be passed on before the next one is read. */
    final ResponseHead responseHead = new ResponseHead();

    /** Holds trailers, which may be read while a head still waits to be passed on. */
    final ResponseHead trailers = new ResponseHead();

    /** The buffer that the head of a request without a body is sent from. */
    final ByteBuffer headBuffer = ByteBuffer.allocateDirect(Buffers.STREAM_BYTES);

    final ErrorPages errorPages;

    /** All threads share it. */
    final DateField date;

    private ProxyThread(EventLoop loop, UpstreamPool upstream, Router router, DateField date) {
        this.loop = loop;
        this.upstream = upstream;
        this.errorPages = new ErrorPages(router, loop, upstream);
        this.gzip = new GzipPool(loop);
        this.date = date;
    }

    /** Returns a thread-local that makes an instance for each I/O thread of a proxy when the thread first needs it. */
    public static ThreadLocal<ProxyThread> each(
            EventLoops loops, UpstreamPools upstreams, Router router, DateField date) {
        return ThreadLocal.withInitial(() -> new ProxyThread(loops.current(), upstreams.current(), router, date));
    }
}
