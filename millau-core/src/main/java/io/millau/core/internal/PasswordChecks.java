package io.millau.core.internal;

import io.millau.core.internal.Users.User;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.springframework.security.crypto.bcrypt.BCrypt;

/**
 * Compares passwords with bcrypt hashes, which takes long on purpose. The checks of all services share a few threads, and wait for
 * them: as many as these threads do in some seconds, and no more. Requests with the same credentials share a check. Safe for use by
 * several threads.
 */
final class PasswordChecks {

    /** Half of the processors: the others serve those who are logged in. */
    private static final int THREADS = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

    /** 64 checks of cost 10, or 4 of cost 14, for each thread. */
    private static final int MOST_ROUNDS = THREADS << 16;

    /** Those of this process. Their threads end when there is nothing to do. */
    static final PasswordChecks SHARED = new PasswordChecks(FewThreads.named("millau-passwords", THREADS), MOST_ROUNDS);

    private final Executor threads;
    private final int mostRounds;
    private final AtomicInteger rounds = new AtomicInteger();
    private final ConcurrentMap<Check, CompletableFuture<Boolean>> inProgress = new ConcurrentHashMap<>();

    /** @param credentials the keyed hash of a name and a password */
    private record Check(String hash, ByteBuffer credentials) {}

    PasswordChecks(Executor threads, int mostRounds) {
        this.threads = threads;
        this.mostRounds = mostRounds;
    }

    /**
     * Compares a password with the hash of a user.
     *
     * @param credentials the keyed hash of the name that the client gave, which may be nobody's, and the password
     * @return whether it fits, later; null if too many checks wait
     */
    @Nullable
    CompletionStage<Boolean> fits(User user, byte[] credentials, byte[] password) {
        Check check = new Check(user.hash(), ByteBuffer.wrap(credentials));
        CompletableFuture<Boolean> same = inProgress.get(check);
        if (same != null) {
            return same;
        }
        if (rounds.addAndGet(user.rounds()) > mostRounds) {
            rounds.addAndGet(-user.rounds());
            return null;
        }
        CompletableFuture<Boolean> result = new CompletableFuture<>();
        same = inProgress.putIfAbsent(check, result);
        if (same != null) {
            rounds.addAndGet(-user.rounds());
            return same;
        }
        threads.execute(() -> {
            try {
                result.complete(BCrypt.checkpw(password, user.hash()));
            } catch (RuntimeException | Error e) {
                result.completeExceptionally(e);
            } finally {
                inProgress.remove(check);
                rounds.addAndGet(-user.rounds());
            }
        });
        return result;
    }
}
