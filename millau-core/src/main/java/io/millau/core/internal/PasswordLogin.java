package io.millau.core.internal;

import io.millau.core.FilterRequest;
import io.millau.core.TrafficListener.LocalReason;
import io.millau.core.Verdict;
import io.millau.core.internal.Users.User;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Lets requests pass that have the name and the password of a user (Basic authentication, RFC 7617): {@code millau.users}. The
 * service gets the name, and no password. Whether a name exists can't be told from a refusal, nor from the time it takes. Its text
 * is for explanations.
 *
 * @param challenge the value of {@code WWW-Authenticate}
 */
record PasswordLogin(Users users, String challenge, PasswordChecks checks) implements LabelFilter {

    /** bcrypt takes no notice of further bytes, so that a longer password would be weaker than it looks. */
    private static final int LONGEST_PASSWORD = 72;

    private static final String SCHEME = "Basic ";

    /** @param service its name, which users see when they are asked for their password */
    static PasswordLogin of(String service, Users users) {
        String realm = service.replaceAll("[^ -~]|[\"\\\\]", "_");
        return new PasswordLogin(users, "Basic realm=\"" + realm + "\", charset=\"UTF-8\"", PasswordChecks.SHARED);
    }

    @Override
    public Verdict filter(FilterRequest request) {
        Credentials given = Credentials.of(request.headers("Authorization"));
        if (given == null) {
            return refuse(request);
        }
        byte[] hash = KeyedHash.of(given.bytes);
        String name = given.name();
        User user = users.named(name);
        long now = request.nanoTime();
        if (user != null) {
            request.removeHeader("Authorization").setHeader("X-Forwarded-User", name);
            if (user.remembers(hash, now)) {
                return request.proceed();
            }
        }
        User standIn = users.standIn(name);
        CompletionStage<Boolean> fits = checks.fits(user == null ? standIn : user, hash, given.password());
        if (fits == null) {
            return request.respond(503, "Too many passwords are being checked\n")
                    .header("Retry-After", "5");
        }
        return request.defer(fits.thenApply(does -> {
            if (user == null || !does) {
                return refuse(request);
            }
            user.remember(hash, now);
            return request.proceed();
        }));
    }

    private Verdict refuse(FilterRequest request) {
        return request.respond(401, "This service asks for a name and a password\n")
                .header("WWW-Authenticate", challenge);
    }

    @Override
    public LocalReason reason() {
        return LocalReason.NOT_LOGGED_IN;
    }

    @Override
    public String toString() {
        return "who is none of its users gets 401";
    }

    /** @param bytes the name, a colon, and the password */
    private record Credentials(byte[] bytes, int colon) {

        /** Null if there are none, or they can't be anyone's. */
        static @Nullable Credentials of(List<String> fields) {
            if (fields.size() != 1 || !fields.get(0).regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
                return null;
            }
            byte[] bytes;
            try {
                bytes = Base64.getDecoder()
                        .decode(fields.get(0).substring(SCHEME.length()).strip());
            } catch (IllegalArgumentException malformed) {
                return null;
            }
            int colon = 0;
            while (colon < bytes.length && bytes[colon] != ':') {
                colon++;
            }
            return colon == bytes.length || bytes.length - colon - 1 > LONGEST_PASSWORD
                    ? null
                    : new Credentials(bytes, colon);
        }

        String name() {
            return new String(bytes, 0, colon, StandardCharsets.UTF_8);
        }

        byte[] password() {
            return Arrays.copyOfRange(bytes, colon + 1, bytes.length);
        }
    }
}
