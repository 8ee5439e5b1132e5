package io.millau.server.internal.frontend;

import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.xnio.XnioIoThread;

/**
 * Lets other threads use a client's connection: what they do is done by the connection's I/O thread, while they wait. So everything
 * else can do without locks.
 */
public final class IoThread {

    private static final long PAUSE_MILLIS = 2;

    private final XnioIoThread thread;

    IoThread(XnioIoThread thread) {
        this.thread = thread;
    }

    /** Told of what is read of a body. Called on the I/O thread. */
    public interface Reading {

        /** Called before each read. */
        void begins();

        /** Called after it; the number is that of bytes, or -1 at the end. */
        void hasRead(long count);
    }

    /** Makes the body of a request, and of its response, usable by any thread, one at a time. */
    public static void openToOtherThreads(HttpServerExchange exchange, Reading reading) {
        IoThread thread = new IoThread(exchange.getIoThread());
        exchange.addRequestWrapper((factory, wrapped) -> new AnyThreadSource(factory.create(), thread, reading));
        exchange.addResponseWrapper((factory, wrapped) -> new AnyThreadSink(factory.create(), thread));
    }

    boolean isCurrent() {
        return Thread.currentThread() == thread;
    }

    /** Lets another thread wait a little for the client: it tries again then. */
    void pause() throws IOException {
        if (isCurrent()) {
            throw new IOException("an I/O thread must not wait for its client: dispatch first");
        }
        try {
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for the client");
        }
    }

    /** Has the I/O thread do something, and waits for it. */
    <T> T call(Callable<T> task) throws IOException {
        try {
            if (isCurrent()) {
                return task.call();
            }
            FutureTask<T> result = new FutureTask<>(task);
            thread.execute(result);
            return result.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while the connection was in use");
        } catch (RejectedExecutionException e) {
            throw new IOException("the proxy has stopped", e);
        } catch (ExecutionException e) {
            throw rethrown(e.getCause());
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    private static IOException rethrown(@Nullable Throwable cause) {
        if (cause instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        if (cause instanceof Error error) {
            throw error;
        }
        return cause instanceof IOException io ? io : new IOException(cause);
    }

    /** What returns nothing. */
    interface Task {
        void run() throws IOException;
    }

    /** As {@link #call}, for what returns nothing. */
    void perform(Task task) throws IOException {
        call(() -> {
            task.run();
            return true;
        });
    }

    /** As {@link #perform}, for what throws nothing. */
    void run(Runnable task) {
        try {
            perform(task::run);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
