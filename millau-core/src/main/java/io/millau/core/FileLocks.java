package io.millau.core;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Locks on files, between threads of this JVM and between processes. Safe for use by several threads.
 *
 * <p>The system's file locks exclude other processes, and end when a process dies. But they don't exclude threads of
 * the same process, and closing any channel of a file frees all locks that the process has on it. So this class records
 * the locked files of the JVM, and never opens a locked file again.
 */
final class FileLocks {

    private static final Logger LOG = LoggerFactory.getLogger(FileLocks.class);

    private static final Map<Path, Held> HELD = new ConcurrentHashMap<>();

    private static final ScheduledThreadPoolExecutor TIMER = timer();

    private FileLocks() {}

    private static ScheduledThreadPoolExecutor timer() {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "millau-file-locks");
            thread.setDaemon(true);
            return thread;
        });
        timer.setRemoveOnCancelPolicy(true);
        return timer;
    }

    /**
     * Locks a file. The file is created if missing, and never removed, since a lock on a removed file excludes nobody
     * else.
     *
     * @param file its real path
     * @param name the lock's name for the log
     * @return empty if another holder has it
     */
    static Optional<Store.Lock> tryLock(Path file, String name, Duration atMost, FileAttribute<?>... attributes)
            throws IOException {
        Held lock = new Held(file, name);
        if (HELD.putIfAbsent(file, lock) != null) {
            return Optional.empty();
        }
        boolean held = false;
        try {
            held = lock.lock(atMost, attributes);
            return held ? Optional.of(lock) : Optional.empty();
        } finally {
            if (!held) {
                lock.close();
            }
        }
    }

    /** A lock that is held or being taken. */
    private static final class Held implements Store.Lock {
        private final Path file;
        private final String name;
        private @Nullable FileChannel channel;
        private @Nullable Future<?> end;
        private boolean closed;

        Held(Path file, String name) {
            this.file = file;
            this.name = name;
        }

        synchronized boolean lock(Duration atMost, FileAttribute<?>... attributes) throws IOException {
            channel = FileChannel.open(file, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE), attributes);
            if (!isFree(channel)) {
                return false;
            }
            end = TIMER.schedule(() -> expired(atMost), TimeUnit.NANOSECONDS.convert(atMost), TimeUnit.NANOSECONDS);
            return true;
        }

        private static boolean isFree(FileChannel channel) throws IOException {
            try {
                return channel.tryLock() != null;
            } catch (OverlappingFileLockException e) {
                // This JVM holds it by another path, or in another class loader.
                return false;
            }
        }

        private synchronized void expired(Duration atMost) {
            if (!closed) {
                LOG.warn("Lock freed, though its holder hasn't finished lock={} held={}s", name, atMost.toSeconds());
                close();
            }
        }

        @Override
        public synchronized void close() {
            if (closed) {
                return;
            }
            closed = true;
            if (end != null) {
                end.cancel(false);
            }
            try {
                if (channel != null) {
                    channel.close();
                }
            } catch (IOException e) {
                LOG.warn("Lock not freed, it ends with this process lock={} file={}", name, file, e);
            } finally {
                // Only now, because closing our channel would free a lock that another thread took.
                HELD.remove(file, this);
            }
        }
    }
}
