package io.millau.server;

import io.millau.core.Endpoint;
import io.millau.core.Request;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
import io.millau.core.internal.LogText;
import io.millau.server.internal.text.JsonText;
import io.millau.server.internal.text.LineWriter;
import java.io.OutputStream;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes one line for each request when it has ended, in UTF-8. Requests never wait for the output: a thread of the log writes
 * the lines, and lines that arrive faster than the output takes them are dropped and counted, as are those that it fails to
 * write, which is logged. The format of the lines is
 * described in {@code docs/reference/logs.md}. Safe for use by several threads.
 *
 * <p>Hand it to {@link Millau.Builder#accessLog} and close it after the proxy is closed. Arguments must not be null.
 *
 * <pre>{@code
 * Path file = folder.resolve("access.log");
 * try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
 *         AccessLog log = AccessLog.json(out);
 *         Millau millau = Millau.builder().http(":8080").accessLog(log).start()) {
 *     // ... wait until the program is to end
 * }
 * }</pre>
 */
public final class AccessLog implements TrafficListener, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(AccessLog.class);

    private static final int MAX_TEXT_LENGTH = 1000;
    private static final char[] DIGITS = "0123456789ABCDEF".toCharArray();

    /** The status that nginx logs for a client that went away before it had a response. */
    private static final int CLIENT_CLOSED_REQUEST = 499;

    private static final DateTimeFormatter COMMON_TIME =
            DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss Z", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final Format format;
    private final Clock clock;
    private final LineWriter lines;

    private interface Format {
        String line(Ended request, Instant time);
    }

    private AccessLog(Format format, OutputStream out, Clock clock) {
        this.format = format;
        this.clock = clock;
        this.lines = new LineWriter(out, "millau-access-log", lost -> "", this::reportOutput);
    }

    /** @param failure null when it works again */
    private void reportOutput(@Nullable Exception failure) {
        if (failure == null) {
            LOG.info("Access log is written again dropped={}", lines.dropped());
        } else {
            LOG.error(
                    "Access log can't be written, its lines are dropped until it can reason={}",
                    LogText.value(failure));
        }
    }

    /**
     * Creates a log that writes each line as a JSON object.
     *
     * @param out may block; is never closed by the log
     */
    public static AccessLog json(OutputStream out) {
        return json(out, Clock.systemUTC());
    }

    static AccessLog json(OutputStream out, Clock clock) {
        return new AccessLog(AccessLog::json, out, clock);
    }

    /**
     * Creates a log that writes each line in the combined log format, followed by further fields.
     *
     * @param out may block; is never closed by the log
     */
    public static AccessLog combined(OutputStream out) {
        return combined(out, Clock.systemUTC());
    }

    static AccessLog combined(OutputStream out, Clock clock) {
        return new AccessLog(AccessLog::combined, out, clock);
    }

    /** Returns how many lines have been dropped so far. */
    public long dropped() {
        return lines.dropped();
    }

    /** Called by the proxy. Never blocks. */
    @Override
    public void requestEnded(Ended request) {
        if (lines.hasRoom()) {
            lines.write(format.line(request, clock.instant()));
        }
    }

    /**
     * Writes the lines that wait to be written, for at most 2 s, and ends the log's thread. The output stream stays open.
     * Further calls have no effect.
     */
    @Override
    public void close() {
        lines.close();
    }

    private static int status(Ended ended) {
        return ended.status() == 0 ? CLIENT_CLOSED_REQUEST : ended.status();
    }

    private static @Nullable String service(Ended ended) {
        Service service = ended.service();
        return service == null ? null : service.name();
    }

    private static @Nullable String endpoint(Ended ended) {
        Endpoint endpoint = ended.endpoint();
        return endpoint == null ? null : endpoint.toString();
    }

    private static double millis(long nanos) {
        return nanos / 1e6;
    }

    private static String json(Ended ended, Instant time) {
        Request request = ended.request();
        StringBuilder line = new StringBuilder(512);
        JsonText json = new JsonText(line).beginObject();
        json.name("time").value(time.truncatedTo(ChronoUnit.MILLIS));
        json.name("client").value(request.address());
        json.name("method").value(cut(ended.method()));
        json.name("host").value(cut(request.host()));
        json.name("path").value(cut(request.path()));
        json.name("protocol").value(request.protocol());
        json.name("status").value(status(ended));
        json.name("requestBytes").value(ended.requestBytes());
        json.name("responseBytes").value(ended.responseBytes());
        json.name("durationMillis").value(millis(ended.nanos()));
        json.name("service").value(service(ended));
        json.name("endpoint").value(endpoint(ended));
        json.name("attempts").value(ended.attempts());
        json.name("upstreamMillis").value(millis(ended.upstreamNanos()));
        json.name("delivered").value(ended.delivered());
        LocalReason reason = ended.localReason();
        json.name("localReason").value(reason == null ? null : reason.name().toLowerCase(Locale.ROOT));
        json.name("tls").value(request.tlsVersion());
        json.name("requestId").value(request.id());
        json.endObject();
        return line.append('\n').toString();
    }

    private static String combined(Ended ended, Instant time) {
        Request request = ended.request();
        StringBuilder line = new StringBuilder(512);
        line.append(request.address())
                .append(" - - [")
                .append(COMMON_TIME.format(time))
                .append("] ");
        quote(line, cut(ended.method()) + " " + cut(request.path()) + " " + request.protocol());
        line.append(' ').append(status(ended)).append(' ').append(ended.responseBytes());
        quote(line.append(' '), header(request, "Referer"));
        quote(line.append(' '), header(request, "User-Agent"));
        quote(line.append(' '), cut(request.host()));
        quote(line.append(' '), service(ended));
        quote(line.append(' '), endpoint(ended));
        line.append(' ').append(ended.attempts()).append(' ').append(ended.requestBytes());
        line.append(' ').append(Math.round(millis(ended.nanos()))).append("ms ");
        line.append(Math.round(millis(ended.upstreamNanos()))).append("ms ");
        String tls = request.tlsVersion();
        line.append(tls == null ? "-" : tls).append(' ').append(request.id());
        return line.append('\n').toString();
    }

    /** Quotes a text and escapes special characters in nginx's notation, {@code \x22} for instance. */
    private static void quote(StringBuilder line, @Nullable String text) {
        String shown = text == null || text.isEmpty() ? "-" : text;
        line.append('"');
        for (int i = 0; i < shown.length(); i++) {
            char c = shown.charAt(i);
            if (c >= ' ' && c < 127 && c != '"' && c != '\\') {
                line.append(c);
            } else if (c < 256) {
                hex(line, c);
            } else {
                line.append('?');
            }
        }
        line.append('"');
    }

    private static @Nullable String header(Request request, String name) {
        String value = request.header(name);
        return value == null ? null : cut(value);
    }

    private static void hex(StringBuilder line, int b) {
        line.append("\\x").append(DIGITS[b >> 4]).append(DIGITS[b & 15]);
    }

    /** Keeps lines readable, however long the texts are that a client sends. */
    private static String cut(String text) {
        return text.length() <= MAX_TEXT_LENGTH ? text : text.substring(0, MAX_TEXT_LENGTH) + "...";
    }

    @Override
    public String toString() {
        return "access log";
    }
}
