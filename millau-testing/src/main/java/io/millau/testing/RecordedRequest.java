package io.millau.testing;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A request as an upstream received it: whole, or its head alone if the upstream failed before it read the rest. Immutable.
 *
 * <pre>{@code
 * try (TestGateway millau = TestGateway.start()) {
 *     ScriptedUpstream orders = millau.upstream("orders");
 *     millau.post("/orders/?urgent=yes", "two apples");
 *
 *     RecordedRequest request = orders.takeRequest(Duration.ofSeconds(1));
 *     assert "urgent=yes".equals(request.query());
 *     assert request.body().equals("two apples");
 * }
 * }</pre>
 */
public final class RecordedRequest {

    private final String method;
    private final String target;
    private final @Nullable String host;
    private final List<String> fields;
    private final byte[] body;

    private RecordedRequest(String method, String target, @Nullable String host, List<String> fields, String body) {
        this.method = method;
        this.target = target;
        this.host = host;
        this.fields = fields;
        this.body = body.getBytes(StandardCharsets.ISO_8859_1);
    }

    static RecordedRequest of(Message message) {
        String[] parts = message.startLine().split(" ");
        List<String> host = values(message.fields(), "host");
        return new RecordedRequest(
                parts[0],
                parts.length > 1 ? parts[1] : "",
                host.isEmpty() ? null : host.get(0),
                List.copyOf(message.fields()),
                message.body());
    }

    /** @param fields with the pseudo-header fields of HTTP/2 */
    static RecordedRequest of(List<String> fields, String body) {
        return new RecordedRequest(
                pseudo(fields, ":method"),
                pseudo(fields, ":path"),
                pseudo(fields, ":authority"),
                fields.stream().filter(field -> !field.startsWith(":")).toList(),
                body);
    }

    private static String pseudo(List<String> fields, String name) {
        List<String> values = values(fields, name);
        return values.isEmpty() ? "" : values.get(0);
    }

    private static List<String> values(List<String> fields, String name) {
        String prefix = name.toLowerCase(Locale.ROOT) + ":";
        return fields.stream()
                .filter(field -> field.toLowerCase(Locale.ROOT).startsWith(prefix))
                .map(field -> field.substring(prefix.length()).strip())
                .toList();
    }

    /** The method, {@code GET} for instance. */
    public String method() {
        return method;
    }

    /** The path as it was sent, without the query. */
    public String path() {
        int query = target.indexOf('?');
        return query < 0 ? target : target.substring(0, query);
    }

    /** The query as it was sent, without its question mark; null if there is none. */
    public @Nullable String query() {
        int query = target.indexOf('?');
        return query < 0 ? null : target.substring(query + 1);
    }

    /** The value of {@code Host}, or of {@code :authority} over HTTP/2; null if there is none. */
    public @Nullable String host() {
        return host;
    }

    /** The first value of a header field, whose name may be in any case; null if there is none. */
    public @Nullable String header(String name) {
        List<String> values = headers(name);
        return values.isEmpty() ? null : values.get(0);
    }

    /** All values of a header field, in the order received. */
    public List<String> headers(String name) {
        return values(fields, name);
    }

    /** All header fields in the order received, each as {@code name: value}. */
    public List<String> headers() {
        return fields;
    }

    /** The body as UTF-8. */
    public String body() {
        return new String(body, StandardCharsets.UTF_8);
    }

    /** The bytes of the body. */
    public byte[] bodyBytes() {
        return body.clone();
    }

    /** Its method and target: {@code GET /orders/7?page=2}. */
    @Override
    public String toString() {
        return method + " " + target;
    }
}
