package io.millau.core.internal;

import io.millau.core.FilterRequest;
import io.millau.core.TrafficListener.LocalReason;
import io.millau.core.Verdict;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;

/**
 * Lets requests pass of which another server says so: {@code millau.auth}. It gets the head of the request. If its response is 2xx,
 * the service gets some fields of it; any other response goes to the client. Its text is for explanations.
 *
 * @param names of the fields that the service gets: {@code millau.auth-headers}
 */
record ForwardAuth(AuthServer server, List<String> names) implements LabelFilter {

    /** Says that a question asks for a verdict. A server whose own requests need one would be asked without end. */
    private static final String ASKED = "X-Millau-Auth";

    /** With these, the response would be about something that the client has already, or a part. */
    private static final Set<String> CONDITIONS =
            Set.of("if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range", "range");

    /** Fields of the response that are made anew. */
    private static final Set<String> NOT_ANSWERED = Set.of("content-type", "date");

    @Override
    public Verdict filter(FilterRequest request) {
        if (request.header(ASKED) != null) {
            return request.respond(508, "The URL in millau.auth leads to a service that has millau.auth itself\n");
        }
        HttpRequest question;
        try {
            question = question(request);
        } catch (IllegalArgumentException unfit) {
            return request.respond(400, "Bad Request\n");
        }
        names.forEach(request::removeHeader);
        CompletionStage<HttpResponse<byte[]>> asked = server.ask(question);
        return asked == null
                ? unavailable(request)
                : request.defer(asked.handle(
                        (response, failure) -> failure == null ? verdict(request, response) : unavailable(request)));
    }

    /** @throws IllegalArgumentException if a field can't be sent */
    private HttpRequest question(FilterRequest request) {
        HttpRequest.Builder question = server.question();
        Set<String> left = new HashSet<>(named(request.headers("Connection")));
        left.removeAll(HeaderFields.NEVER_NAMED);
        for (String name : request.headerNames()) {
            String plain = plain(name);
            if (!HeaderFields.canBeSetInRequests(name)
                    || CONDITIONS.contains(plain)
                    || plain.startsWith("x-forwarded-")
                    || left.contains(plain)) {
                continue;
            }
            for (String value : request.headers(name)) {
                if (value.chars().allMatch(c -> c < 128)) { // the client of Java sends others as question marks
                    question.header(name, value);
                }
            }
        }
        String query = request.query().isEmpty() ? "" : "?" + request.query();
        return question.setHeader("X-Forwarded-Method", request.method())
                .setHeader("X-Forwarded-Proto", request.scheme())
                .setHeader("X-Forwarded-Host", request.host())
                .setHeader("X-Forwarded-Uri", escaped(request.path() + query))
                .setHeader("X-Forwarded-For", request.clientAddress())
                .setHeader(ASKED, "asks")
                .build();
    }

    /** The bytes that are not ASCII, which some clients send as they are, as escapes (RFC 3986, 2.1). */
    private static String escaped(String target) {
        StringBuilder escaped = new StringBuilder();
        target.chars().forEach(c -> escaped.append(c < 128 ? String.valueOf((char) c) : String.format("%%%02X", c)));
        return escaped.toString();
    }

    private Verdict verdict(FilterRequest request, HttpResponse<byte[]> response) {
        int status = response.statusCode();
        if (status / 100 == 2) {
            for (String name : names) {
                response.headers().allValues(name).forEach(value -> request.addHeader(name, value));
            }
            return request.proceed();
        }
        if (status < 300 || status > 599) {
            return unavailable(request);
        }
        byte[] body = response.body();
        String type = response.headers().firstValue("Content-Type").orElse("application/octet-stream");
        Verdict.Response reply =
                body.length == 0 || status == 304 ? request.respond(status, "") : request.respond(status, type, body);
        Set<String> left = named(response.headers().allValues("Connection"));
        response.headers().map().forEach((name, values) -> {
            String plain = plain(name);
            if (HeaderFields.canBeSetInResponses(name) && !NOT_ANSWERED.contains(plain) && !left.contains(plain)) {
                values.forEach(value -> reply.header(name, value));
            }
        });
        return reply;
    }

    private static Verdict unavailable(FilterRequest request) {
        return request.respond(503, "Who decides whether you may come in did not answer\n")
                .header("Retry-After", "5");
    }

    /** The fields that options of a connection name. */
    private static Set<String> named(List<String> options) {
        Set<String> names = new HashSet<>();
        options.stream()
                .flatMap(list -> Stream.of(list.split(",")))
                .forEach(option -> names.add(plain(option.strip())));
        return names;
    }

    /** A name as CGI and WSGI read it, which can't tell cases, nor underscores from hyphens. */
    private static String plain(String name) {
        return name.toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Override
    public LocalReason reason() {
        return LocalReason.AUTH;
    }

    @Override
    public String toString() {
        return server + " is asked first; if its response is not 2xx, the client gets that";
    }
}
