package io.millau.server.internal.status;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The status page, which comes with the status of the moment, so that it shows something at once. Immutable. */
final class StatusPage {

    /** A longer status only comes by the stream of events. */
    private static final int LONGEST_EMBEDDED = 500_000;

    private static final String BEFORE_STATUS = "<script type=\"application/json\" id=\"first\">";
    private static final String NO_STATUS = "null";

    private final String start;
    private final String end;
    private final String policy;

    StatusPage() {
        String page = resource("status.html");
        int at = page.indexOf(BEFORE_STATUS + NO_STATUS);
        if (at < 0) {
            throw new IllegalStateException("the status page has no place for the status");
        }
        start = page.substring(0, at + BEFORE_STATUS.length());
        end = page.substring(start.length() + NO_STATUS.length());
        policy = policy(page);
    }

    /**
     * The page with a status in it.
     *
     * @param status JSON that has no {@code <}; null before there is one
     */
    String with(@Nullable String status) {
        return start + (status == null || status.length() > LONGEST_EMBEDDED ? NO_STATUS : status) + end;
    }

    /** Its Content-Security-Policy: only the page's own script runs, as names of services may contain HTML. */
    String policy() {
        return policy;
    }

    private static String policy(String page) {
        Matcher script =
                Pattern.compile("<script>(.*?)</script>", Pattern.DOTALL).matcher(page);
        if (!script.find()) {
            throw new IllegalStateException("the status page has no script");
        }
        return "default-src 'none'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; frame-ancestors 'none';"
                + " base-uri 'none'; form-action 'none'; script-src 'sha256-" + sha256(script.group(1)) + "'";
    }

    private static String resource(String name) {
        try (InputStream stream = StatusPage.class.getResourceAsStream(name)) {
            if (stream == null) {
                throw new IllegalStateException(name + " is missing from the jar");
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String sha256(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java runtime has SHA-256", e);
        }
    }
}
