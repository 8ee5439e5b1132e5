package io.millau.acme;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URL;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.connector.DefaultConnection;
import org.shredzone.acme4j.connector.HttpConnector;

/**
 * acme4j's HTTP, with limits to the time and the size of a response: the time limit of the JDK's client ends
 * where the body begins.
 */
final class LimitedConnection extends DefaultConnection {

    /** In bytes; a chain of four certificates has about 8 KiB. */
    static final int LARGEST = 512 * 1024;

    private static final String PROBLEM = "application/problem+json";

    private final Duration longest;

    LimitedConnection(HttpConnector connector, Duration longest) {
        super(connector);
        this.longest = longest;
    }

    @Override
    protected void sendRequest(Session session, URL url, Consumer<HttpRequest.Builder> body) throws IOException {
        HttpRequest.Builder request = httpConnector
                .createRequestBuilder(url)
                .header("Accept-Charset", "utf-8")
                .header("Accept-Language", session.getLanguageHeader());
        body.accept(request);
        HttpResponse<InputStream> answer =
                await(httpClient.sendAsync(request.build(), head -> new LimitedBody(LARGEST)), url);
        if (answer.headers().firstValue("Content-Encoding").isPresent()) {
            throw new IOException("an answer that is compressed, which was not asked for");
        }
        if (isTurnedAway(answer)) {
            throw new TurnedAwayException(answer);
        }
        lastResponse = answer;
    }

    private HttpResponse<InputStream> await(CompletableFuture<HttpResponse<InputStream>> answer, URL url)
            throws IOException {
        try {
            return answer.get(longest.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw new HttpTimeoutException(
                    "no whole answer from " + url.getHost() + " within " + longest.toSeconds() + " s");
        } catch (InterruptedException e) {
            answer.cancel(true);
            throw (IOException) new InterruptedIOException("closed").initCause(e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        }
    }

    /** A balancer in front of a CA doesn't say it as ACME does, and acme4j forgets until when. */
    private static boolean isTurnedAway(HttpResponse<?> answer) {
        return (answer.statusCode() == 429 || answer.statusCode() == 503)
                && !answer.headers().firstValue("Content-Type").orElse("").startsWith(PROBLEM);
    }

    /** 429 or 503 (RFC 6585, 4; RFC 9110, 15.6.4). */
    static final class TurnedAwayException extends IOException {
        private static final long serialVersionUID = 1;

        private final @Nullable Instant retryAfter;

        TurnedAwayException(HttpResponse<?> answer) {
            super("HTTP " + answer.statusCode());
            this.retryAfter = answer.headers()
                    .firstValue("Retry-After")
                    .map(TurnedAwayException::parse)
                    .orElse(null);
        }

        private static @Nullable Instant parse(String value) {
            try {
                return value.matches("[0-9]{1,9}")
                        ? Instant.now().plusSeconds(Long.parseLong(value))
                        : ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME)
                                .toInstant();
            } catch (DateTimeException e) {
                return null; // as good as none
            }
        }

        @Nullable
        Instant retryAfter() {
            return retryAfter;
        }
    }
}
