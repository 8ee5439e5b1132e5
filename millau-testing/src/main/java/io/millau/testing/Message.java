package io.millau.testing;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A request or response as received over a socket. Immutable.
 *
 * <pre>{@code
 * ScriptedEndpoint app = ScriptedEndpoint.that(connection -> {
 *     Message request = connection.readRequest();
 *     if (request != null) {
 *         connection.respond(request, "asked for " + request.field("Host"));
 *     }
 * });
 * builder.source(ServiceSource.of(Service.named("app").endpoints(app.endpoint()).build()));
 * }</pre>
 *
 * @param fields its header lines, as received
 * @param body its body without framing, one character for each byte
 */
public record Message(String startLine, List<String> fields, String body) {

    /** The status of a response. */
    public int status() {
        return Integer.parseInt(startLine.split(" ")[1]);
    }

    /** The values of a field, in the order received. */
    public List<String> all(String name) {
        String prefix = name.toLowerCase(Locale.ROOT) + ":";
        return fields.stream()
                .filter(field -> field.toLowerCase(Locale.ROOT).startsWith(prefix))
                .map(field -> field.substring(prefix.length()).strip())
                .toList();
    }

    /** The value of a field, or null; fails if there are several. */
    public @Nullable String field(String name) {
        List<String> values = all(name);
        if (values.size() > 1) {
            throw new AssertionError("several " + name + ": " + values);
        }
        return values.isEmpty() ? null : values.get(0);
    }

    Message withBody(String body) {
        return new Message(startLine, fields, body);
    }
}
