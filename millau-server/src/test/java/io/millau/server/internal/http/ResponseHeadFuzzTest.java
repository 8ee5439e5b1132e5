package io.millau.server.internal.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.Fuzz;
import io.millau.server.FuzzedRequests;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.StatusCodes;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The head of a response is read alike in any pieces; what is passed on of it is well-formed and says the same. */
class ResponseHeadFuzzTest {

    private final ResponseHead head = new ResponseHead();

    @Test
    void aHeadIsReadAlikeInAnyPieces() throws Exception {
        Fuzz.of("responses", FuzzedRequests.DICTIONARY).check((input, random) -> {
            String whole = read(input, input.length);
            for (int length : Fuzz.cuts(input.length, random)) {
                String part = read(input, length);
                if (!part.equals("incomplete")) {
                    assertThat(isRefused(part) ? "refused" : part)
                            .as("read of %d of %d bytes", length, input.length)
                            .isEqualTo(isRefused(whole) ? "refused" : whole);
                }
            }
            if (whole.equals("incomplete") || isRefused(whole)) {
                return;
            }
            read(input, input.length);
            byte[] again = written();
            ResponseHead reader = new ResponseHead();
            assertThat(reader.read(ByteBuffer.wrap(again))).isTrue();
            assertThat(reader.isWhole())
                    .as("written anew, nothing is to be mended")
                    .isTrue();
            assertThat(reader.status()).isEqualTo(head.status());
            assertThat(reader.reason()).isEqualTo(head.reason());
            assertThat(fields(reader)).isEqualTo(fields(head));
            if (head.isWhole()) {
                ByteBuffer buffer = ByteBuffer.allocate(input.length).put(input).flip();
                assertThat(head.read(buffer)).isTrue();
                int end = buffer.position();
                head.putBefore(buffer);
                assertThat(reader.read(buffer.limit(end))).isTrue();
                assertThat(buffer.hasRemaining()).isFalse();
                assertThat(fields(reader)).isEqualTo(fields(head));
            }
        });
    }

    private String read(byte[] input, int length) {
        ByteBuffer buffer = ByteBuffer.allocate(length).put(input, 0, length).flip();
        try {
            if (!head.read(buffer)) {
                assertThat(buffer.position()).isZero();
                return "incomplete";
            }
        } catch (MalformedResponseException e) {
            assertThat(e.getMessage()).as("a reason").isNotBlank();
            return "refused: " + e.getMessage();
        }
        return head.status() + " " + head.reason() + " " + head.keepAlive() + " " + head.length() + " " + head.upgrade()
                + " " + fields(head) + " " + buffer.position();
    }

    private static boolean isRefused(String read) {
        return read.startsWith("refused");
    }

    private static Set<String> fields(ResponseHead head) {
        HeaderMap headers = new HeaderMap();
        head.copyTo(headers);
        Set<String> fields = new TreeSet<>();
        // How many blanks there are in a value makes no difference.
        headers.forEach(values -> values.forEach(
                value -> fields.add(values.getHeaderName().toString().toLowerCase() + ":"
                        + value.strip().replaceAll("[ \t]+", " "))));
        return fields;
    }

    private byte[] written() {
        String reason = head.reason() == null ? StatusCodes.getReason(head.status()) : head.reason();
        StringBuilder written = new StringBuilder("HTTP/1.1 " + head.status() + " " + reason + "\r\n");
        HeaderMap headers = new HeaderMap();
        head.copyTo(headers);
        for (HeaderValues values : headers) {
            values.forEach(value -> written.append(values.getHeaderName())
                    .append(": ")
                    .append(value)
                    .append("\r\n"));
        }
        return written.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
    }
}
