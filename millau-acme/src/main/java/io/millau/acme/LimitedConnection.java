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
 * acme4j's HTTP connection, with limits on time and size of a whole response. The JDK client's own timeout ends at the
 * response head.
 */
final class LimitedConnection extends DefaultConnection {

    /** In bytes. A chain of four certificates has about 8 KiB. */
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
        HttpResponse<InputStream> response =
                await(httpClient.sendAsync(request.build(), head -> new LimitedBody(LARGEST)), url);
        if (response.headers().firstValue("Content-Encoding").isPresent()) {
            throw new IOException("the response is compressed, though this was not requested");
        }
        if (isRetryLater(response)) {
            throw new RetryLaterException(response);
        }
        lastResponse = response;
    }

    private HttpResponse<InputStream> await(CompletableFuture<HttpResponse<InputStream>> response, URL url)
            throws IOException {
        try {
            return response.get(longest.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            response.cancel(true);
            throw new HttpTimeoutException(
                    "no complete response from " + url.getHost() + " within " + longest.toSeconds() + " s");
        } catch (InterruptedException e) {
            response.cancel(true);
            throw (IOException) new InterruptedIOException("closed").initCause(e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        }
    }

    /**
     * Whether a load balancer in front of the CA sent 429 or 503. Its response is not an ACME problem, so acme4j would
     * ignore Retry-After.
     */
    private static boolean isRetryLater(HttpResponse<?> response) {
        return (response.statusCode() == 429 || response.statusCode() == 503)
                && !response.headers().firstValue("Content-Type").orElse("").startsWith(PROBLEM);
    }

    /** The response was 429 or 503 (RFC 6585, 4; RFC 9110, 15.6.4). */
    static final class RetryLaterException extends IOException {
        private static final long serialVersionUID = 1;

        private final @Nullable Instant retryAfter;

        RetryLaterException(HttpResponse<?> response) {
            super("HTTP " + response.statusCode());
            this.retryAfter = response.headers()
                    .firstValue("Retry-After")
                    .map(RetryLaterException::parse)
                    .orElse(null);
        }

        private static @Nullable Instant parse(String value) {
            try {
                return value.matches("[0-9]{1,9}")
                        ? Instant.now().plusSeconds(Long.parseLong(value))
                        : ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME)
                                .toInstant();
            } catch (DateTimeException e) {
                return null; // malformed: ignored
            }
        }

        @Nullable
        Instant retryAfter() {
            return retryAfter;
        }
    }
}
