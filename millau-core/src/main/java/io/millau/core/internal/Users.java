package io.millau.core.internal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The users of a service, with the bcrypt hashes of their passwords: {@code millau.users}. Neither messages nor its text show a
 * hash. Safe for use by several threads.
 *
 * <p>It remembers who logged in. A service whose label does not change keeps that.
 */
public final class Users {

    private static final String HASH = "\\$2[aby]\\$[0-9]{2}\\$[./A-Za-z0-9]{53}";
    private static final String NAME = "[!-9;-~]+";

    /** Users as in the label, not in Base64. */
    static final String TEXT = NAME + ":" + HASH + "(?:\\s+" + NAME + ":" + HASH + ")*";

    private static final long REMEMBERED = TimeUnit.MINUTES.toNanos(1);

    private static final Pattern USER = Pattern.compile("(" + NAME + "):(.*)");
    private static final Pattern BCRYPT = Pattern.compile(HASH);
    private static final int LEAST_COST = 4;
    private static final int MOST_COST = 14;

    private static final Pattern BEGINS_RIGHT = Pattern.compile("\\$2[aby]\\$[0-9]{2}\\$.*");
    private static final int LENGTH = 60;

    /** What remains of a hash if $2, $0 or the name that its salt begins with were taken for variables. */
    private static final Pattern LOST_DOLLARS =
            Pattern.compile("\\$?2[abxy].*|[abxy][/a-z-]*[0-9].*|[0-9]{2}.*|[./A-Za-z0-9]{20,}|");

    private static final String EXPECTED =
            "expected name:hash of each user, separated by spaces, or all of that in Base64";

    private final Map<String, User> byName;
    private final List<User> all;

    private Users(Map<String, User> byName) {
        this.byName = Collections.unmodifiableMap(byName);
        this.all = List.copyOf(byName.values());
    }

    /** @throws IllegalArgumentException if these are no users; the message shows nothing of the text */
    public static Users parse(String text) {
        String[] entries =
                (text.indexOf(':') < 0 ? fromBase64(text) : text).strip().split("\\s+");
        Map<String, User> byName = new LinkedHashMap<>();
        for (int i = 0; i < entries.length; i++) {
            String which = "user " + (i + 1) + ": ";
            Matcher parts = USER.matcher(entries[i]);
            if (!parts.matches()) {
                throw new IllegalArgumentException(entries.length == 1 ? EXPECTED : which + EXPECTED);
            }
            if (byName.put(parts.group(1), user(which, parts.group(2))) != null) {
                throw new IllegalArgumentException(which + "the name is there twice, expected one hash of each user");
            }
        }
        return new Users(byName);
    }

    private static String fromBase64(String text) {
        try {
            return new String(Base64.getDecoder().decode(text.replaceAll("\\s", "")), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(EXPECTED, e);
        }
    }

    private static User user(String which, String hash) {
        if (!BCRYPT.matcher(hash).matches()) {
            throw new IllegalArgumentException(
                    which + "expected a bcrypt hash, such as htpasswd -nB NAME makes" + adviceOn(hash));
        }
        int cost = Integer.parseInt(hash.substring(4, 6));
        if (cost < LEAST_COST || cost > MOST_COST) {
            throw new IllegalArgumentException(
                    which + "the hash has cost " + cost + ", expected " + LEAST_COST + " to " + MOST_COST);
        }
        return new User(hash, cost);
    }

    private static String adviceOn(String hash) {
        if (hash.startsWith("$$")) {
            return "; here it begins with $$, which is right in a Compose file alone: write each $ once";
        }
        if (hash.contains(",")) {
            return "; there is a comma in it: separate users by spaces";
        }
        if (BEGINS_RIGHT.matcher(hash).matches()) {
            return hash.length() == LENGTH ? "" : "; it has " + hash.length() + " characters, expected " + LENGTH;
        }
        return LOST_DOLLARS.matcher(hash).matches()
                ? "; it seems that a $ in it was taken for a variable: in a Compose file write $$ for each $, such as"
                        + " name:$$2y$$10$$..., in a shell put it in single quotes, or give all users in Base64"
                : "";
    }

    /** Their names, in the order of the label. */
    public Set<String> names() {
        return byName.keySet();
    }

    /** Null if there is none of that name. */
    @Nullable
    User named(String name) {
        return byName.get(name);
    }

    /**
     * The user whose hash a password is compared with if nobody has the name, so that it takes as long. For the same name it is
     * always the same.
     */
    User standIn(String name) {
        byte[] hash = KeyedHash.of(name.getBytes(StandardCharsets.UTF_8));
        return all.get(Math.floorMod(ByteBuffer.wrap(hash).getInt(), all.size()));
    }

    /** A user, with the hash of the password. */
    static final class User {
        private final String hash;
        private final int cost;
        private volatile @Nullable Seen seen;

        /** @param credentials the keyed hash of the name and the right password */
        private record Seen(byte[] credentials, long at) {}

        private User(String hash, int cost) {
            this.hash = hash;
            this.cost = cost;
        }

        String hash() {
            return hash;
        }

        /** How often bcrypt turns its key for a comparison. */
        int rounds() {
            return 1 << cost;
        }

        /**
         * Whether these credentials were right before, and in use within the last minute. If so, they are remembered for another.
         *
         * @param credentials their keyed hash
         */
        boolean remembers(byte[] credentials, long now) {
            Seen last = seen;
            if (last == null || now - last.at > REMEMBERED || !MessageDigest.isEqual(last.credentials, credentials)) {
                return false;
            }
            seen = new Seen(credentials, now);
            return true;
        }

        void remember(byte[] credentials, long now) {
            seen = new Seen(credentials, now);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof User that && hash.equals(that.hash);
        }

        @Override
        public int hashCode() {
            return hash.hashCode();
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Users that && byName.equals(that.byName);
    }

    @Override
    public int hashCode() {
        return byName.keySet().hashCode();
    }

    @Override
    public String toString() {
        return String.join(" ", names());
    }
}
