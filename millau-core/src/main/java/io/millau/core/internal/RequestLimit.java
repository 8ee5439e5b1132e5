package io.millau.core.internal;

import io.millau.core.FilterRequest;
import io.millau.core.TrafficListener.LocalReason;
import io.millau.core.Verdict;
import java.net.InetAddress;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Limits how many requests a client may make: {@code millau.limit}. Each address, of IPv6 each /64, may make as many at once as in
 * the period; further ones come in evenly. Others get {@code 429}, with the seconds until the next may come in {@code
 * Retry-After}. Safe for use by several threads. Its text is for explanations.
 *
 * <p>Two limits are equal if they are of the same size. A service whose labels do not change keeps its limit, with what it knows
 * of clients.
 */
public final class RequestLimit implements LabelFilter {

    static final String EXPECTED = "expected a number of requests per second, minute or hour, such as 20/s or 600/m";
    static final Pattern TEXT = Pattern.compile("([0-9]{1,7})/([smh])");

    private static final int SHARE_OF_HEAP = 32;

    private final String text;
    private final ClientTimes fullAt;

    private RequestLimit(String text, long requests, long nanos) {
        this.text = text;
        long nanosPerRequest = nanos / requests;
        this.fullAt = new ClientTimes(
                nanosPerRequest,
                nanosPerRequest * requests,
                Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP);
    }

    /** @throws IllegalArgumentException if it is no limit */
    public static RequestLimit parse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches() || Long.parseLong(parts.group(1)) == 0) {
            throw new IllegalArgumentException(
                    EXPECTED + (text.matches("[1-9][0-9]{0,6}") ? ": write " + text + "/s" : ""));
        }
        TimeUnit unit = switch (parts.group(2)) {
            case "s" -> TimeUnit.SECONDS;
            case "m" -> TimeUnit.MINUTES;
            default -> TimeUnit.HOURS;
        };
        return new RequestLimit(text, Long.parseLong(parts.group(1)), unit.toNanos(1));
    }

    /** As in the label. */
    public String text() {
        return text;
    }

    @Override
    public Verdict filter(FilterRequest request) {
        InetAddress client = IpAddresses.parse(request.clientAddress());
        long wait = client == null ? 0 : fullAt.take(IpAddresses.clientNumber(client), request.nanoTime());
        if (wait == 0) {
            return request.proceed();
        }
        long seconds = (wait + TimeUnit.SECONDS.toNanos(1) - 1) / TimeUnit.SECONDS.toNanos(1);
        return request.respond(429, "Too many requests: this service takes " + text + " of each client\n")
                .header("Retry-After", Long.toString(seconds));
    }

    @Override
    public LocalReason reason() {
        return LocalReason.RATE_LIMITED;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RequestLimit that && text.equals(that.text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return "a client gets 429 beyond " + text;
    }
}
