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
 * Locks on files, against threads of this JVM and against other processes. Safe for use by several threads.
 *
 * <p>The system keeps other processes out and frees what a dead one held. It knows processes only, and frees all that one
 * holds on a file as soon as that closes the file once: so what this JVM holds is noted here, for the whole JVM, and nobody
 * opens a file that is noted.
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
     * Locks a file, which is made if it isn't there and is never removed: a lock on a removed file would exclude nobody
     * with it.
     *
     * @param file by its real path
     * @param name what to call the lock in the log
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

    /** One that is held, or about to be. */
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
            end = TIMER.schedule(() -> ranOut(atMost), TimeUnit.NANOSECONDS.convert(atMost), TimeUnit.NANOSECONDS);
            return true;
        }

        private static boolean isFree(FileChannel channel) throws IOException {
            try {
                return channel.tryLock() != null;
            } catch (OverlappingFileLockException e) {
                // This JVM holds it by another path, or from another class loader.
                return false;
            }
        }

        private synchronized void ranOut(Duration atMost) {
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
                // Only now may another thread open the file: closing it would free that one's lock.
                HELD.remove(file, this);
            }
        }
    }
}
