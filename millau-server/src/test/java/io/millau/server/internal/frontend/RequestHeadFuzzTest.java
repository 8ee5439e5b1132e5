package io.millau.server.internal.frontend;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.Fuzz;
import io.millau.server.FuzzedRequests;
import io.millau.server.internal.http.Authority;
import io.millau.server.internal.http.HeaderNames;
import io.millau.server.internal.io.HeldMemory;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The head of a request is read alike in any pieces; what was read can be written and read again; and the short way in takes
 * nothing that the long way refuses or reads differently.
 */
class RequestHeadFuzzTest {

    private final PlainRequests plain = new PlainRequests();

    @Test
    void aHeadIsReadAlikeInEveryWay() throws Exception {
        Fuzz.of("requests", FuzzedRequests.DICTIONARY).check((input, random) -> {
            ByteBuffer all = ByteBuffer.wrap(input);
            ReceivedHead head = new HeadReader(new HeaderNames(), new HeldMemory(Long.MAX_VALUE)).read(all);
            ByteBuffer pieces = ByteBuffer.wrap(input);
            ReceivedHead inPieces = inPieces(pieces, random);

            assertThat(shown(inPieces)).isEqualTo(shown(head));
            assertThat(pieces.position()).as("bytes read").isEqualTo(all.position());
            if (head != null && head.rejection() == null && hasHost(head)) {
                ByteBuffer again = ByteBuffer.wrap(written(head));
                assertThat(shown(new HeadReader(new HeaderNames(), new HeldMemory(Long.MAX_VALUE)).read(again)))
                        .isEqualTo(shown(head));
                assertThat(again.hasRemaining()).isFalse();
            } else if (head != null && head.rejection() != null) {
                assertThat(head.rejection().reason()).as("a reason").isNotBlank();
                assertThat(head.rejection().status()).isBetween(400, 505);
            }
            checkPlain(ByteBuffer.wrap(input), head, all.position());
        });
    }

    /** Whether the host, which may be that of an absolute form, will be accepted. */
    private static boolean hasHost(ReceivedHead head) {
        String host = head.headers().getFirst(Headers.HOST);
        return host == null || Authority.isValid(host);
    }

    private static @Nullable ReceivedHead inPieces(ByteBuffer input, Random random) {
        HeadReader reader = new HeadReader(new HeaderNames(), new HeldMemory(Long.MAX_VALUE));
        ReceivedHead head = null;
        for (int cut : Fuzz.cuts(input.capacity(), random)) {
            input.limit(cut);
            head = head == null ? reader.read(input) : head;
        }
        return head;
    }

    private void checkPlain(ByteBuffer input, @Nullable ReceivedHead head, int end) {
        HttpServerExchange exchange = plain.read(input, null);
        if (exchange == null) {
            assertThat(input.position()).isZero();
            return;
        }
        String query = exchange.getQueryString();
        ReceivedHead taken = new ReceivedHead(
                exchange.getRequestMethod(),
                exchange.getRequestURI() + (query.isEmpty() ? "" : "?" + query),
                exchange.getProtocol(),
                exchange.getRequestHeaders(),
                null);
        assertThat(shown(taken).replace("?\n", "\n")).isEqualTo(shown(head).replace("?\n", "\n"));
        assertThat(input.position()).isEqualTo(end);
    }

    private static String shown(@Nullable ReceivedHead head) {
        if (head == null) {
            return "incomplete";
        }
        return head.method() + " " + head.target() + "\n" + head.protocol() + " " + fields(head.headers()) + " "
                + head.rejection();
    }

    private static Set<String> fields(HeaderMap headers) {
        Set<String> fields = new TreeSet<>();
        for (HeaderValues values : headers) {
            // How many blanks there are in a value makes no difference.
            values.forEach(value -> fields.add(values.getHeaderName().toString().toLowerCase() + ":"
                    + value.strip().replaceAll("[ \t]+", " ")));
        }
        return fields;
    }

    private static byte[] written(ReceivedHead head) {
        StringBuilder written = new StringBuilder();
        written.append(head.method()).append(' ').append(head.target()).append(' ');
        written.append(head.protocol()).append("\r\n");
        for (HeaderValues values : head.headers()) {
            for (String value : values) {
                written.append(values.getHeaderName()).append(':').append(value).append("\r\n");
            }
        }
        return written.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
    }
}
