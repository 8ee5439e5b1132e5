package io.millau.core.internal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is asked whether a request may come in: the URL of {@code millau.auth}. Its text is without the query. Safe for use by several
 * threads.
 *
 * <p>Two are equal if they have the same URL. A service whose label does not change keeps its own, and so the number of questions in
 * progress.
 */
public final class AuthServer {

    static final String TEXT = "https?://[^\\s/?#@]+(?:[/?][^\\s#]*)?";

    private static final Pattern URL = Pattern.compile(TEXT);
    private static final Duration LONGEST = Duration.ofSeconds(5);
    private static final int MOST_QUESTIONS = 200;
    private static final int LONGEST_BODY = 64 * 1024;
    private static final long PAUSE_OF_LOG = TimeUnit.SECONDS.toNanos(10);

    private final URI url;
    private final AtomicInteger questions = new AtomicInteger();
    private final AtomicLong logged = new AtomicLong(System.nanoTime() - PAUSE_OF_LOG);

    private AuthServer(URI url) {
        this.url = url;
    }

    /** @throws IllegalArgumentException if it is not such a URL */
    public static AuthServer parse(String text) {
        String expected = "expected a URL such as http://login:4180/verify";
        if (!URL.matcher(text).matches()) {
            throw new IllegalArgumentException(expected + ", without user, password and #");
        }
        URI url;
        try {
            url = URI.create(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(expected, e);
        }
        if (url.getHost() == null) {
            throw new IllegalArgumentException(expected + ", with a host of letters, digits, dots and hyphens");
        }
        return new AuthServer(url);
    }

    /** As in the label. */
    public String url() {
        return url.toString();
    }

    /** A question without fields. */
    HttpRequest.Builder question() {
        return HttpRequest.newBuilder(url).GET();
    }

    /**
     * Asks. Fails if there is no whole response in 5 s, or it is too long.
     *
     * @return null if too many questions are in progress
     */
    @Nullable
    CompletionStage<HttpResponse<byte[]>> ask(HttpRequest question) {
        if (questions.incrementAndGet() > MOST_QUESTIONS) {
            questions.decrementAndGet();
            return null;
        }
        CompletableFuture<HttpResponse<byte[]>> asked =
                Client.HTTP.sendAsync(question, head -> new BoundedBody(head.statusCode() / 100 == 2));
        return asked.copy().orTimeout(LONGEST.toMillis(), TimeUnit.MILLISECONDS).whenComplete((response, failure) -> {
            questions.decrementAndGet();
            if (failure != null) {
                asked.cancel(true);
                log(failure);
            }
        });
    }

    private void log(Throwable failure) {
        long now = System.nanoTime();
        long last = logged.get();
        if (now - last >= PAUSE_OF_LOG && logged.compareAndSet(last, now)) {
            Throwable reason = failure.getCause() == null ? failure : failure.getCause();
            Client.LOG.warn("Auth failed url={} reason={}", LogText.value(this), LogText.value(reason));
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof AuthServer that && url.equals(that.url);
    }

    @Override
    public int hashCode() {
        return url.hashCode();
    }

    @Override
    public String toString() {
        return url.toString().replaceFirst("\\?.*", "");
    }

    /** Made with the first question. Keeps its connections, no more than there are questions in progress. */
    private static final class Client {

        /** Not before it is used: labels are known before a program has set up its log. */
        static final Logger LOG = LoggerFactory.getLogger(AuthServer.class);

        private static final int THREADS = 4;

        static final HttpClient HTTP = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .proxy(HttpClient.Builder.NO_PROXY)
                .connectTimeout(LONGEST)
                .executor(FewThreads.named("millau-auth", THREADS))
                .build();
    }

    /** The body of a response, up to a limit. That of one that lets the request pass is of no interest, and cut off there. */
    private static final class BoundedBody implements HttpResponse.BodySubscriber<byte[]> {
        private final boolean passes;
        private final CompletableFuture<byte[]> whole = new CompletableFuture<>();
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private Flow.@Nullable Subscription subscription;

        BoundedBody(boolean passes) {
            this.passes = passes;
        }

        @Override
        public CompletionStage<byte[]> getBody() {
            return whole;
        }

        @Override
        public void onSubscribe(Flow.Subscription its) {
            subscription = its;
            its.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(List<ByteBuffer> parts) {
            for (ByteBuffer part : parts) {
                if (bytes.size() + part.remaining() > LONGEST_BODY) {
                    if (subscription != null) {
                        subscription.cancel();
                    }
                    if (passes) {
                        whole.complete(new byte[0]);
                    } else {
                        whole.completeExceptionally(new IOException("body of more than " + LONGEST_BODY + " bytes"));
                    }
                    return;
                }
                byte[] copy = new byte[part.remaining()];
                part.get(copy);
                bytes.writeBytes(copy);
            }
        }

        @Override
        public void onError(Throwable failure) {
            whole.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            whole.complete(bytes.toByteArray());
        }
    }
}
