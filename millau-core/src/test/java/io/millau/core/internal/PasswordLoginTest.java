package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.ArgumentMatchers.anyString;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import io.millau.core.FilterRequest;
import io.millau.core.Verdict;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.security.crypto.bcrypt.BCrypt;

/** Which passwords cost a check, and which don't; the threads of the checks are the test's own. */
class PasswordLoginTest {

    private static final int COST = 4;
    private static final int ROUNDS = 1 << COST;

    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private final Users users = Users.parse("alice:" + hash("a") + " bob:" + hash("b"));
    private final PasswordLogin login = new PasswordLogin(users, "Basic", new PasswordChecks(waiting::add, 4 * ROUNDS));
    private long now;

    private static String hash(String password) {
        return BCrypt.hashpw(password, BCrypt.gensalt("$2a", COST));
    }

    private record Deferred(CompletableFuture<Verdict> verdict) implements Verdict {}

    private record Reply(int status) implements Verdict.Response {
        @Override
        public Response header(String name, String value) {
            return this;
        }
    }

    /** The status of the response; 200 if the request may proceed, and 0 if that is not known yet. */
    private int status(Verdict verdict) {
        if (verdict instanceof Deferred deferred) {
            return deferred.verdict.isDone() ? status(deferred.verdict.join()) : 0;
        }
        return ((Reply) verdict).status;
    }

    private Verdict ask(String... authorization) {
        FilterRequest request = mock();
        when(request.headers("Authorization")).thenReturn(List.of(authorization));
        when(request.nanoTime()).thenReturn(now);
        when(request.removeHeader(any())).thenReturn(request);
        when(request.setHeader(any(), any())).thenReturn(request);
        when(request.proceed()).thenReturn(new Reply(200));
        when(request.respond(anyInt(), anyString())).then(call -> new Reply(call.getArgument(0)));
        when(request.defer(any())).then(call -> {
            CompletionStage<Verdict> stage = call.getArgument(0);
            return new Deferred(stage.toCompletableFuture());
        });
        return login.filter(request);
    }

    private static String basic(String credentials) {
        return "Basic " + Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
    }

    private void checkAll() {
        while (!waiting.isEmpty()) {
            waiting.remove().run();
        }
    }

    private int login(String credentials) {
        Verdict verdict = ask(basic(credentials));
        checkAll();
        return status(verdict);
    }

    @Test
    void aPasswordThatWasRightIsRememberedForAMinuteAfterItsLastUse() {
        assertThat(login("alice:a")).isEqualTo(200);
        for (int i = 0; i < 3; i++) {
            now += TimeUnit.MINUTES.toNanos(1);
            assertThat(status(ask(basic("alice:a")))).isEqualTo(200);
        }
        assertThat(waiting).isEmpty();

        now += TimeUnit.MINUTES.toNanos(1) + 1;
        assertThat(status(ask(basic("alice:a")))).isZero();
        assertThat(waiting).hasSize(1);
    }

    @Test
    void aWrongPasswordIsNeverRemembered() {
        assertThat(login("alice:b")).isEqualTo(401);
        assertThat(login("alice:b")).isEqualTo(401);
        assertThat(login("alice:a")).isEqualTo(200);
        assertThat(login("alice:b")).isEqualTo(401);
        assertThat(login("bob:a")).isEqualTo(401);
        assertThat(status(ask(basic("alice:a")))).isEqualTo(200);
    }

    /** The password is that of the user whose hash stands in for the missing one. */
    @Test
    void anUnknownNameCostsACheckAndNeverFits() {
        for (String name : List.of("nobody", "", "Alice", "alice ", "x", "y", "z")) {
            for (String password : List.of("a", "b")) {
                Verdict verdict = ask(basic(name + ":" + password));
                assertThat(waiting).hasSize(1);
                checkAll();
                assertThat(status(verdict)).isEqualTo(401);
            }
        }
    }

    /** Else the time of a refusal would tell, where hashes are of several costs. */
    @Test
    void anUnknownNameIsAlwaysComparedWithTheSameHash() {
        for (String name : List.of("nobody", "x", "y", "z")) {
            assertThat(users.standIn(name)).isSameAs(users.standIn(name));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "Basic", "Basic ", "Bearer YWxpY2U6YQ==", "Basic YWxpY2U6YQ=!", "Basic YWxpY2U=", "Basic é"})
    void whatIsNoNameAndPasswordCostsNoCheck(String field) {
        assertThat(status(ask(field))).isEqualTo(401);
        assertThat(waiting).isEmpty();
    }

    @Test
    void twoAuthorizationsAreNone() {
        assertThat(status(ask())).isEqualTo(401);
        assertThat(status(ask(basic("alice:a"), basic("alice:a")))).isEqualTo(401);
        assertThat(waiting).isEmpty();
    }

    /** bcrypt would not see that the end is wrong. */
    @Test
    void aPasswordOfMoreThan72BytesIsWrong() {
        String longest = "é".repeat(36);
        Users its = Users.parse("alice:" + hash(longest));
        PasswordLogin other = new PasswordLogin(its, "Basic", new PasswordChecks(Runnable::run, ROUNDS));
        FilterRequest request = mock();
        when(request.removeHeader(any())).thenReturn(request);
        when(request.respond(anyInt(), anyString())).then(call -> new Reply(call.getArgument(0)));
        when(request.proceed()).thenReturn(new Reply(200));
        when(request.defer(any())).then(call -> {
            CompletionStage<Verdict> stage = call.getArgument(0);
            return stage.toCompletableFuture().join();
        });

        when(request.headers("Authorization")).thenReturn(List.of(basic("alice:" + longest)));
        assertThat(status(other.filter(request))).isEqualTo(200);
        when(request.headers("Authorization")).thenReturn(List.of(basic("alice:" + longest + "x")));
        assertThat(status(other.filter(request))).isEqualTo(401);
    }

    @Test
    void onlySoManyChecksWaitAndWhoIsLoggedInNeedsNone() {
        assertThat(login("alice:a")).isEqualTo(200);

        for (int i = 0; i < 4; i++) {
            assertThat(status(ask(basic("alice:wrong" + i)))).isZero();
        }
        for (int i = 0; i < 1000; i++) {
            assertThat(status(ask(basic("bob:guess" + i)))).isEqualTo(503);
        }
        assertThat(waiting).hasSize(4);
        assertThat(status(ask(basic("alice:a")))).isEqualTo(200);

        checkAll();
        assertThat(login("bob:b")).isEqualTo(200);
    }

    /** A browser sends a hundred requests at once when a page is opened. */
    @Test
    void requestsWithTheSameCredentialsShareACheck() {
        List<Verdict> verdicts =
                Stream.generate(() -> ask(basic("alice:a"))).limit(100).toList();
        assertThat(waiting).hasSize(1);

        checkAll();

        assertThat(verdicts).allSatisfy(verdict -> assertThat(status(verdict)).isEqualTo(200));
        assertThat(status(ask(basic("alice:a")))).isEqualTo(200);
        assertThat(waiting).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"$2a", "$2b", "$2y"})
    void allKindsOfBcryptAreRead(String kind) {
        String hash = BCrypt.hashpw("pässword", BCrypt.gensalt(kind, COST));
        Users.User user = Users.parse("u:" + hash).named("u");

        var fits = new PasswordChecks(Runnable::run, ROUNDS)
                .fits(user, new byte[1], "pässword".getBytes(StandardCharsets.UTF_8));

        assertThat(fits).isCompletedWithValue(true);
    }

    @Test
    void aHashThatAnotherProgramMadeFits() {
        Users.User user = Users.parse("u:$2b$04$abcdefghijklmnopqrstuum174eFeoTj0DHmtuueFaS3Wde4P7wHG")
                .named("u");

        var fits = new PasswordChecks(Runnable::run, ROUNDS)
                .fits(user, new byte[1], "pässword".getBytes(StandardCharsets.UTF_8));

        assertThat(fits).isCompletedWithValue(true);
    }

    @Test
    void theRealmIsTheServiceInCharactersThatAFieldMayHave() {
        assertThat(PasswordLogin.of("a\"b\\cü\r\nd/e", users).challenge())
                .isEqualTo("Basic realm=\"a_b_c___d/e\", charset=\"UTF-8\"");
    }
}
