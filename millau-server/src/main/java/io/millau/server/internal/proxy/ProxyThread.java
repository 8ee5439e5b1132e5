package io.millau.server.internal.proxy;

import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.io.Buffers;
import io.millau.server.internal.io.EventLoop;
import io.millau.server.internal.io.EventLoops;
import io.millau.server.internal.upstream.UpstreamPool;
import io.millau.server.internal.upstream.UpstreamPools;
import java.nio.ByteBuffer;

/**
 * What the requests of one I/O thread share: its event loop, its connections to endpoints, and scratch space for heads. For
 * that thread alone.
 */
public final class ProxyThread {

    final EventLoop loop;
    final UpstreamPool upstream;

    /** Holds the head written last: until it is sent, no other may be written. */
    final RequestHead requestHead = new RequestHead();

    /** Holds the head read last: until it is passed on, no other may be read. */
    final ResponseHead responseHead = new ResponseHead();

    /** For trailers, which may come while a head still waits to be passed on. */
    final ResponseHead trailers = new ResponseHead();

    /** What a request's head is sent from. */
    final ByteBuffer headBuffer = ByteBuffer.allocateDirect(Buffers.STREAM_BYTES);

    private ProxyThread(EventLoop loop, UpstreamPool upstream) {
        this.loop = loop;
        this.upstream = upstream;
    }

    /** One for each I/O thread of a proxy, made when the thread first asks for it. */
    public static ThreadLocal<ProxyThread> each(EventLoops loops, UpstreamPools upstreams) {
        return ThreadLocal.withInitial(() -> new ProxyThread(loops.current(), upstreams.current()));
    }
}
