package io.millau.server.internal.upstream;

import io.millau.core.Endpoint;
import io.millau.core.Router;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.internal.LogText;
import io.millau.server.internal.http.Http1;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.io.Deadlines;
import io.millau.server.internal.io.EventLoop;
import io.millau.server.internal.io.EventLoops;
import io.millau.server.internal.io.OpenFiles;
import io.undertow.connector.PooledByteBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.XnioIoThread;

/**
 * Checks the health of the endpoints of services that have a health path, every 5 s, over a new connection each time, and
 * reports the results to the router. The checks run on one I/O thread; the public methods are safe for use by several threads.
 */
public final class HealthChecks {

    private static final Logger LOG = LoggerFactory.getLogger(HealthChecks.class);

    private static final Duration INTERVAL = Duration.ofSeconds(5);

    /** The interval for endpoints that have not passed a check yet. */
    private static final Duration FIRST_INTERVAL = Duration.ofSeconds(1);

    private final Router router;
    private final EventLoops loops;
    private final UpstreamPools upstreams;
    private final TrafficListener listener;
    private final ResponseHead responseHead = new ResponseHead();

    // Guarded by this.
    private Map<Subject, Service> wanted = Map.of();
    private @Nullable XnioIoThread thread;

    /** For the I/O thread alone. */
    private final Map<Subject, Check> checks = new HashMap<>();

    /** What is checked. */
    private record Subject(Endpoint endpoint, String service, String host, String path) {}

    public HealthChecks(Router router, EventLoops loops, UpstreamPools upstreams, TrafficListener listener) {
        this.router = router;
        this.loops = loops;
        this.upstreams = upstreams;
        this.listener = listener;
    }

    public synchronized void start(XnioIoThread thread) {
        this.thread = thread;
        Map<Subject, Service> first = wanted;
        thread.execute(() -> check(first));
    }

    /** Replaces what is to be checked. */
    public synchronized void replace(List<Service> services) {
        Map<Subject, Service> subjects = new HashMap<>();
        for (Service service : services) {
            String path = service.health();
            if (service.enabled() && path != null) {
                service.endpoints()
                        .forEach(endpoint -> subjects.put(
                                new Subject(endpoint, service.name(), host(service, endpoint), path), service));
            }
        }
        boolean changed = !subjects.equals(wanted);
        wanted = subjects;
        if (changed && thread != null) {
            thread.execute(() -> check(subjects));
        }
    }

    /** The Host of this proxy's own requests: a host of the service, since an application may accept only its own names. */
    public static String host(Service service, Endpoint endpoint) {
        return service.hosts().stream()
                .filter(host -> !host.startsWith(Service.ANY_HOST))
                .findFirst()
                .orElseGet(endpoint::authority);
    }

    private void check(Map<Subject, Service> subjects) {
        checks.entrySet().removeIf(entry -> {
            boolean gone = !subjects.containsKey(entry.getKey());
            if (gone) {
                entry.getValue().stop();
            }
            return gone;
        });
        subjects.forEach((subject, service) -> {
            Check known = checks.get(subject);
            if (known != null) {
                known.service = service;
                return;
            }
            Check check = new Check(subject, service, loops.current());
            checks.put(subject, check);
            check.begin();
        });
    }

    /** The checks of one endpoint, one after the other; a deadline of the one in progress, or for the next one. */
    private final class Check extends Deadlines.Deadline
            implements UpstreamPool.ConnectListener, UpstreamConnection.User {

        private final Subject subject;
        private final EventLoop loop;
        private Service service;
        private boolean everPassed;
        private boolean checked;
        private UpstreamPool.@Nullable Connecting connecting;
        private @Nullable UpstreamConnection connection;
        private @Nullable PooledByteBuffer partialHead;

        Check(Subject subject, Service service, EventLoop loop) {
            this.subject = subject;
            this.service = service;
            this.loop = loop;
        }

        void begin() {
            loop.longDeadlines.set(this, INTERVAL.toNanos());
            connecting = upstreams.current().connect(subject.endpoint(), this);
        }

        @Override
        protected @Nullable Endpoint awaited() {
            return isInProgress() ? subject.endpoint() : null;
        }

        private boolean isInProgress() {
            return connecting != null || connection != null;
        }

        @Override
        public void passed() {
            if (isInProgress()) {
                end(false, "no response within " + INTERVAL.toSeconds() + " s");
            } else {
                begin();
            }
        }

        @Override
        public void connected(UpstreamConnection opened) {
            connecting = null;
            connection = opened;
            opened.use(this);
            ByteBuffer head = ByteBuffer.wrap(Http1.ascii("GET " + subject.path() + " HTTP/1.1\r\nHost: "
                    + subject.host() + "\r\nUser-Agent: millau\r\nConnection: close\r\n\r\n"));
            try {
                opened.sink.write(head); // a new socket takes it at once
            } catch (IOException e) {
                end(false, e.toString());
            }
        }

        @Override
        public void notConnected(IOException failure) {
            if (OpenFiles.areExhausted(failure)) {
                stop(); // says nothing about the endpoint
                loop.longDeadlines.set(this, untilNext());
                return;
            }
            end(false, String.valueOf(failure.getMessage()));
        }

        @Override
        public void upstreamReadable() throws IOException {
            UpstreamConnection from = connection;
            if (from == null) {
                return;
            }
            PooledByteBuffer pooled = partialHead == null ? loop.buffers.allocate() : partialHead;
            partialHead = pooled;
            ByteBuffer buffer = pooled.getBuffer();
            int count = from.source.read(buffer);
            buffer.flip();
            while (responseHead.read(buffer)) {
                int status = responseHead.status();
                if (status >= 200) {
                    end(status < 400, "status " + status);
                    return;
                }
            }
            buffer.compact();
            if (count < 0) {
                end(false, "connection closed before the response");
            }
        }

        @Override
        public void upstreamWritable() {}

        @Override
        public void upstreamFailed(Throwable failure) {
            end(false, String.valueOf(failure.getMessage()));
        }

        @Override
        public void endpointRemoved() {
            stop();
        }

        private void end(boolean passed, String why) {
            stop();
            everPassed |= passed;
            loop.longDeadlines.set(this, untilNext());
            String reason = why + " for " + subject.path();
            if (!router.checked(subject.endpoint(), passed, reason)) {
                LOG.debug("Checked endpoint={} result={}", subject.endpoint(), LogText.later(() -> reason));
            } else if (passed) {
                listener.endpointReturned(service, subject.endpoint());
            } else {
                listener.endpointEjected(service, subject.endpoint(), reason + ", twice");
            }
        }

        /** The time until the next check. Spreads checks that began together over the interval. */
        private long untilNext() {
            boolean first = !checked;
            checked = true;
            if (!everPassed) {
                return FIRST_INTERVAL.toNanos();
            }
            return first ? ThreadLocalRandom.current().nextLong(INTERVAL.toNanos()) : INTERVAL.toNanos();
        }

        void stop() {
            loop.longDeadlines.cancel(this);
            if (connecting != null) {
                connecting.cancel();
                connecting = null;
            }
            if (connection != null) {
                connection.close();
                connection = null;
            }
            if (partialHead != null) {
                partialHead.close();
                partialHead = null;
            }
        }
    }
}
