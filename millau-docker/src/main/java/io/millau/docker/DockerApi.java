package io.millau.docker;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The few {@code GET} calls that are needed. Answers are read as JSON trees of which only what is needed is looked at, so
 * that nothing a newer engine adds can get in the way. The version of the API is left to the engine.
 *
 * <p>Every call ends in time, whatever the engine does. For one thread.
 */
final class DockerApi implements AutoCloseable {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final URI host;
    private final @Nullable SSLContext tls;
    private final Duration patience;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "millau-docker-call");
        thread.setDaemon(true);
        return thread;
    });

    /** @param patience how long connecting and a whole answer may take */
    DockerApi(URI host, @Nullable SSLContext tls, Duration patience) {
        this.host = host;
        this.tls = tls;
        this.patience = patience;
    }

    /** The engine answered, with something other than success. */
    static final class Refused extends IOException {
        private static final long serialVersionUID = 1;
        private final int status;

        Refused(int status, String path, String message) {
            super("it answers " + status + " to GET " + path + (message.isEmpty() ? "" : ": " + message));
            this.status = status;
        }

        int status() {
            return status;
        }
    }

    /** The engine answered something that is no answer of an engine. */
    static final class Garbled extends IOException {
        private static final long serialVersionUID = 1;

        Garbled(String path, Throwable cause) {
            super("its answer to GET " + path + " is none of a Docker Engine", cause);
        }
    }

    JsonNode get(String path) throws IOException, InterruptedException {
        return ask(path, JSON::readTree);
    }

    /** The elements of a list, each read on its own so that a large list takes little memory. */
    <T> List<T> list(String path, Function<JsonNode, T> reader) throws IOException, InterruptedException {
        return ask(path, body -> elements(path, body, reader));
    }

    /** A path with a query that filters on the engine's side. */
    static String filtered(String path, Map<String, ? extends Collection<String>> filters) {
        String json = JSON.valueToTree(filters).toString();
        return path + (path.contains("?") ? "&" : "?") + "filters=" + URLEncoder.encode(json, StandardCharsets.UTF_8);
    }

    private static <T> List<T> elements(String path, InputStream body, Function<JsonNode, T> reader)
            throws IOException {
        List<T> elements = new ArrayList<>();
        try (JsonParser parser = JSON.createParser(body)) {
            JsonToken first = parser.nextToken();
            if (first == JsonToken.VALUE_NULL) {
                return elements;
            }
            if (first != JsonToken.START_ARRAY) {
                throw new Garbled(path, new IllegalArgumentException("expected a list, not " + first));
            }
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                elements.add(reader.apply(JSON.readTree(parser)));
            }
        }
        return elements;
    }

    /** Reads the body of an answer. */
    private interface BodyReader<T> {
        T read(InputStream body) throws IOException;
    }

    private <T> T ask(String path, BodyReader<T> reader) throws IOException, InterruptedException {
        try (Connection connection = new Connection(host, tls)) {
            Future<T> answer = threads.submit(() -> reader.read(body(connection, path)));
            return answer.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw hangs(path);
        } catch (ExecutionException e) {
            throw cause(path, e);
        }
    }

    private static InputStream body(Connection connection, String path) throws IOException {
        Connection.Answer answer = connection.get(path);
        if (answer.status() != 200) {
            String message;
            try {
                message = JSON.readTree(answer.body()).path("message").asText();
            } catch (IOException e) {
                message = "";
            }
            throw new Refused(answer.status(), path, message);
        }
        return answer.body();
    }

    private IOException hangs(String path) {
        return new SocketTimeoutException("it hasn't answered GET " + path + " within " + patience.toSeconds() + " s");
    }

    private static IOException cause(String path, ExecutionException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        if (cause instanceof JsonProcessingException || cause instanceof RuntimeException) {
            return new Garbled(path, cause);
        }
        return cause instanceof IOException failure ? failure : new IOException(cause);
    }

    /** A running stream of events. */
    final class Events implements AutoCloseable {
        private final Connection connection = new Connection(host, tls);
        private final CompletableFuture<Events> started = new CompletableFuture<>();
        private volatile boolean ended;

        private Events() throws IOException {}

        private void read(String path, Consumer<JsonNode> consumer, Runnable atEnd) {
            try (InputStream body = body(connection, path)) {
                // The parser waits for the first event when it is made.
                started.complete(this);
                JsonParser parser = JSON.createParser(body);
                while (parser.nextToken() != null) {
                    consumer.accept(JSON.readTree(parser));
                }
            } catch (IOException | RuntimeException e) {
                // If it is no matter of having started any more, the end says enough.
                started.completeExceptionally(e);
            } finally {
                ended = true;
                atEnd.run();
            }
        }

        /** Whether no more events will come. */
        boolean ended() {
            return ended;
        }

        @Override
        public void close() {
            connection.close();
        }
    }

    /**
     * Listens to events; the engine listens to us when this returns.
     *
     * @param consumer called from a thread of its own
     * @param atEnd called from there when no more will come
     */
    Events events(String path, Consumer<JsonNode> consumer, Runnable atEnd) throws IOException, InterruptedException {
        Events events = new Events();
        threads.execute(() -> events.read(path, consumer, atEnd));
        boolean started = false;
        try {
            events.started.get(patience.toMillis(), TimeUnit.MILLISECONDS);
            started = true;
            return events;
        } catch (TimeoutException e) {
            throw hangs(path);
        } catch (ExecutionException e) {
            throw cause(path, e);
        } finally {
            if (!started) {
                events.close();
            }
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
