package io.millau.docker;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.github.dockerjava.transport.DockerHttpClient;
import com.github.dockerjava.transport.DockerHttpClient.Request.Method;
import com.github.dockerjava.zerodep.ZerodepDockerHttpClient;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * The calls to the Docker Engine API, over docker-java's transport. Responses are read as JSON trees, long
 * ones of the fields that count: docker-java's own classes fail on values that a newer engine adds, and have no getter
 * for a task's networks. Requests name no API version, so the engine uses its own.
 *
 * <p>Discovery only reads, so a read-only proxy of the engine's socket is enough. {@link #post} and {@link #delete} are
 * for {@link Configs} alone.
 *
 * <p>Every call has a time limit. For one thread.
 */
final class DockerApi implements AutoCloseable {

    private static final Duration CONNECT = Duration.ofSeconds(5);

    private final URI host;
    private final DockerHttpClient http;
    private final Duration timeout;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "millau-docker-call");
        thread.setDaemon(true);
        return thread;
    });

    /** @param timeout for a whole response, as the transport has no timeout on Unix sockets */
    DockerApi(URI host, @Nullable SSLContext tls, Duration timeout) {
        this.host = host;
        this.timeout = timeout;
        ZerodepDockerHttpClient.Builder builder =
                new ZerodepDockerHttpClient.Builder().dockerHost(host).connectionTimeout(CONNECT);
        if (tls != null) {
            builder.sslConfig(() -> tls);
        } else if ("unix".equals(host.getScheme())) {
            builder.sslConfig(DockerApi::withoutTrust);
        }
        http = builder.build();
    }

    /** For Unix sockets: keeps the transport from loading the JDK's trust store, the slowest part of a start. */
    private static SSLContext withoutTrust() {
        try {
            SSLContext nothing = SSLContext.getInstance("TLS");
            nothing.init(new KeyManager[0], new TrustManager[0], null);
            return nothing;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this JDK has no TLS", e);
        }
    }

    /** The engine responded with a status other than 2xx. */
    static final class ErrorResponse extends IOException {
        private static final long serialVersionUID = 1;
        private final int status;

        ErrorResponse(int status, String call, String message) {
            super("HTTP " + status + " for " + call + (message.isEmpty() ? "" : ": " + message));
            this.status = status;
        }

        int status() {
            return status;
        }
    }

    /** The response is not one of a Docker Engine. */
    static final class InvalidResponse extends IOException {
        private static final long serialVersionUID = 1;

        InvalidResponse(String call, Throwable cause) {
            super("its response to " + call + " is not one of a Docker Engine", cause);
        }
    }

    Json get(String path) throws IOException, InterruptedException {
        Call call = Call.get(path);
        return within(call, () -> ask(call, Json::read));
    }

    /** Sends a JSON body and returns that of the response. */
    Json post(String path, byte[] body) throws IOException, InterruptedException {
        Call call = new Call(Method.POST, path, body);
        return within(call, () -> ask(call, Json::read));
    }

    void delete(String path) throws IOException, InterruptedException {
        Call call = new Call(Method.DELETE, path, null);
        within(call, () -> ask(call, InputStream::readAllBytes));
    }

    /**
     * Returns the elements of a list. Reads them one by one, so that a large list takes little memory.
     *
     * @param fields what the reader needs of an element
     */
    <T> List<T> list(String path, Fields fields, Function<Json, T> reader) throws IOException, InterruptedException {
        Call call = Call.get(path);
        return within(call, () -> ask(call, body -> elements(call, body, fields, reader)));
    }

    /** Returns the path with a {@code filters} query. */
    static String filtered(String path, Map<String, ? extends Collection<String>> filters) {
        StringWriter json = new StringWriter();
        try (JsonGenerator generator = Json.FACTORY.createGenerator(json)) {
            generator.writeStartObject();
            for (Map.Entry<String, ? extends Collection<String>> filter : filters.entrySet()) {
                generator.writeFieldName(filter.getKey());
                generator.writeArray(
                        filter.getValue().toArray(String[]::new),
                        0,
                        filter.getValue().size());
            }
            generator.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // can't happen: writes to a string
        }
        return path + (path.contains("?") ? "&" : "?") + "filters="
                + URLEncoder.encode(json.toString(), StandardCharsets.UTF_8);
    }

    private static <T> List<T> elements(Call call, InputStream body, Fields fields, Function<Json, T> reader)
            throws IOException {
        List<T> elements = new ArrayList<>();
        try (JsonParser parser = Json.FACTORY.createParser(body)) {
            JsonToken first = parser.nextToken();
            if (first == JsonToken.VALUE_NULL) {
                return elements;
            }
            if (first != JsonToken.START_ARRAY) {
                throw new InvalidResponse(
                        call.toString(), new IllegalArgumentException("expected a list, not " + first));
            }
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                elements.add(reader.apply(fields.read(parser)));
            }
        }
        return elements;
    }

    private interface BodyReader<T> {
        T read(InputStream body) throws IOException;
    }

    /** A request to the engine. */
    private record Call(Method method, String path, byte @Nullable [] body) {

        static Call get(String path) {
            return new Call(Method.GET, path, null);
        }

        DockerHttpClient.Request request() {
            DockerHttpClient.Request.Builder request = DockerHttpClient.Request.builder()
                    .method(method)
                    .path(path)
                    // A kept connection may be stale, and the transport waits a second before it retries.
                    .putHeader("Connection", "close");
            if (body != null) {
                request.putHeader("Content-Type", "application/json").bodyBytes(body);
            }
            return request.build();
        }

        /** Without the query, which may be long, and the body, which may be secret, too. */
        @Override
        public String toString() {
            return method + " " + path.replaceFirst("\\?.*", "");
        }
    }

    private <T> T ask(Call call, BodyReader<T> reader) throws IOException {
        try (DockerHttpClient.Response response = http.execute(call.request())) {
            check(call, response);
            return reader.read(response.getBody());
        }
    }

    private static void check(Call call, DockerHttpClient.Response response) throws IOException {
        if (response.getStatusCode() / 100 != 2) {
            String message;
            try {
                message = Json.read(response.getBody()).path("message").asText();
            } catch (IOException e) {
                message = "";
            }
            throw new ErrorResponse(response.getStatusCode(), call.toString(), message);
        }
    }

    private <T> T within(Call call, Callable<T> task) throws IOException, InterruptedException {
        Future<T> response = threads.submit(task);
        try {
            return response.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw hangs(call);
        } catch (ExecutionException e) {
            throw cause(call, e);
        } finally {
            // An interrupted read closes its connection.
            response.cancel(true);
        }
    }

    private IOException hangs(Call call) {
        return new SocketTimeoutException("no response to " + call + " within " + timeout.toSeconds() + " s");
    }

    private static IOException cause(Call call, ExecutionException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        // The transport wraps exceptions of the socket.
        while (cause.getClass() == RuntimeException.class && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof JsonProcessingException || cause instanceof RuntimeException) {
            return new InvalidResponse(call.toString(), cause);
        }
        return cause instanceof IOException failure ? failure : new IOException(cause);
    }

    /** A running stream of events. */
    final class Events implements AutoCloseable {
        private final CompletableFuture<Events> started = new CompletableFuture<>();
        private final Future<?> reading;
        private final Runnable atEnd;
        private volatile boolean ended;

        private Events(Call call, Consumer<Json> consumer, Runnable atEnd) {
            this.atEnd = atEnd;
            reading = threads.submit(() -> {
                try {
                    connect();
                    ask(call, body -> read(body, consumer));
                    started.completeExceptionally(new EOFException("its event stream ended at once"));
                } catch (IOException | RuntimeException e) {
                    started.completeExceptionally(e);
                } finally {
                    end();
                }
            });
        }

        private Events read(InputStream body, Consumer<Json> consumer) throws IOException {
            started.complete(this);
            try (JsonParser parser = Json.FACTORY.createParser(body)) {
                try {
                    while (parser.nextToken() != null) {
                        consumer.accept(Fields.ALL.read(parser));
                    }
                } finally {
                    // Before the response is closed, which waits for its end.
                    end();
                }
            }
            return this;
        }

        private void end() {
            ended = true;
            atEnd.run();
        }

        /** Whether no more events will come. */
        boolean ended() {
            return ended;
        }

        @Override
        public void close() {
            reading.cancel(true);
        }
    }

    /** Checks that the engine accepts connections. The transport would try twice and log each failure. */
    private void connect() throws IOException {
        SocketAddress address = host.getScheme().equals("unix")
                ? UnixDomainSocketAddress.of(host.getPath())
                : new InetSocketAddress(host.getHost(), host.getPort());
        try (SocketChannel channel = SocketChannel.open(address)) {
            channel.shutdownOutput();
        } catch (UnresolvedAddressException e) {
            throw new UnknownHostException(host.getHost() + " can't be resolved");
        }
    }

    /**
     * Opens a stream of events. When this returns, the engine has subscribed us.
     *
     * @param consumer called from another thread
     * @param atEnd called from that thread after the last event
     */
    Events events(String path, Consumer<Json> consumer, Runnable atEnd) throws IOException, InterruptedException {
        Call call = Call.get(path);
        Events events = new Events(call, consumer, atEnd);
        boolean started = false;
        try {
            events.started.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            started = true;
            return events;
        } catch (TimeoutException e) {
            throw hangs(call);
        } catch (ExecutionException e) {
            throw cause(call, e);
        } finally {
            if (!started) {
                events.close();
            }
        }
    }

    @Override
    public void close() throws IOException {
        threads.shutdownNow();
        http.close();
    }
}
