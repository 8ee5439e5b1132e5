package io.millau.server;

import io.millau.core.Endpoint;
import io.millau.core.Service;
import io.millau.core.TrafficListener;
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

/**
 * Writes a line for each request, when it has ended. No request ever waits for it: a thread of its own writes, and lines that come
 * faster than they are taken are dropped, and counted. {@code docs/logs.md} says what is in a line. Safe for use by several
 * threads.
 */
public final class AccessLog implements TrafficListener, AutoCloseable {

    private static final int LONGEST = 1000;
    private static final char[] DIGITS = "0123456789ABCDEF".toCharArray();

    /** As in nginx: the client went away before it had a response. */
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
        this.lines = new LineWriter(out, "millau-access-log", lost -> "");
    }

    /**
     * Lines of JSON.
     *
     * @param out may block; stays open
     */
    public static AccessLog json(OutputStream out) {
        return json(out, Clock.systemUTC());
    }

    static AccessLog json(OutputStream out, Clock clock) {
        return new AccessLog(AccessLog::json, out, clock);
    }

    /**
     * Lines of the combined log format, with more behind.
     *
     * @param out may block; stays open
     */
    public static AccessLog combined(OutputStream out) {
        return combined(out, Clock.systemUTC());
    }

    static AccessLog combined(OutputStream out, Clock clock) {
        return new AccessLog(AccessLog::combined, out, clock);
    }

    /** How many lines were dropped so far. */
    public long dropped() {
        return lines.dropped();
    }

    @Override
    public void requestEnded(Ended request) {
        if (lines.hasRoom()) {
            lines.write(format.line(request, clock.instant()));
        }
    }

    /** Writes what waits, for two seconds at most. */
    @Override
    public void close() {
        lines.close();
    }

    private static int status(Ended ended) {
        return ended.clientGone() && !ended.delivered() ? CLIENT_CLOSED_REQUEST : ended.status();
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

    /** What is not plain text is written as nginx does it, {@code \x22}. */
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

    /** A client may send much, and a line is there to be read. */
    private static String cut(String text) {
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "...";
    }

    @Override
    public String toString() {
        return "access log";
    }
}
