package io.millau.server.internal.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.Fuzz;
import io.millau.server.internal.http.MalformedResponseException;
import io.millau.server.internal.http.ResponseHead;
import io.millau.server.internal.http2.HeaderBlock;
import io.millau.server.internal.http2.Http2;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** A header block of an endpoint is refused, or becomes a head of HTTP/1.1 that says the same and nothing else. */
class ResponseBlockFuzzTest {

    @Test
    void aBlockBecomesAHeadThatSaysTheSame() throws Exception {
        Fuzz.of(
                        "response-blocks",
                        "\u0088",
                        "\u0000\u0001x\u0001y",
                        "\u0000\u0000\u0000",
                        "\r\n",
                        "\n",
                        ":status",
                        "\u0000\u0011transfer-encoding\u0007chunked",
                        "\u000f\r\u00015",
                        "\u003f\u00e1\u001f",
                        "\u00be",
                        "\u007f\u00ff\u00ff\u00ff\u00ff\u000f")
                .check((input, random) -> {
                    ResponseHeaderDecoder decoder = new ResponseHeaderDecoder();
                    try {
                        decoder.read(ByteBuffer.wrap(input));
                    } catch (Http2.ConnectionException e) {
                        assertThat(e.code).isEqualTo(Http2.COMPRESSION_ERROR);
                        return;
                    }
                    if (decoder.violation(true) == null) {
                        checkTrailers(decoder);
                    }
                    if (decoder.violation(false) == null) {
                        checkHead(decoder, random.nextBoolean(), random.nextBoolean());
                    }
                });
    }

    private static void checkHead(ResponseHeaderDecoder decoder, boolean hasBody, boolean ended) throws Exception {
        ByteBuffer bytes = ByteBuffer.wrap(decoder.head(hasBody, ended));
        ResponseHead head = new ResponseHead();
        assertThat(head.read(bytes)).isTrue();
        assertThat(bytes.hasRemaining()).as("more than a head").isFalse();
        assertThat(head.status()).isEqualTo(decoder.status());
        if (decoder.contentLength() >= 0) {
            assertThat(head.length()).isEqualTo(decoder.contentLength());
        } else if (hasBody) {
            assertThat(head.length()).isEqualTo(ended ? 0 : ResponseHead.CHUNKED);
        }
        assertThat(head.keepAlive()).isFalse();
        HeaderMap fields = new HeaderMap();
        head.copyTo(fields);
        checkRoundTrip(fields, head.status());
    }

    private static void checkTrailers(ResponseHeaderDecoder decoder) throws MalformedResponseException {
        ByteArray text = new ByteArray("HTTP/1.1 200 OK\r\n", decoder.trailers());
        ByteBuffer bytes = ByteBuffer.wrap(text.bytes());
        assertThat(new ResponseHead().read(bytes)).isTrue();
        assertThat(bytes.hasRemaining()).as("more than trailers").isFalse();
    }

    private record ByteArray(String start, byte[] end) {
        byte[] bytes() {
            return ResponseHeaderDecoder.join(start.getBytes(StandardCharsets.US_ASCII), end);
        }
    }

    /** Written by {@link HeaderBlock} and read again. */
    private static void checkRoundTrip(HeaderMap fields, int status) throws Http2.ConnectionException {
        HeaderBlock block = new HeaderBlock();
        block.indexedName(8);
        block.string(String.valueOf(status));
        for (HeaderValues values : fields) {
            for (String value : values) {
                block.name(values.getHeaderName());
                block.string(value);
            }
        }
        ResponseHeaderDecoder decoder = new ResponseHeaderDecoder();
        decoder.read(ByteBuffer.wrap(block.bytes(), 0, block.length()));
        assertThat(decoder.violation(false)).isNull();
        ResponseHead head = new ResponseHead();
        try {
            assertThat(head.read(ByteBuffer.wrap(decoder.head(false, true)))).isTrue();
        } catch (MalformedResponseException e) {
            throw new AssertionError(e);
        }
        HeaderMap again = new HeaderMap();
        head.copyTo(again);
        assertThat(again.toString()).isEqualToIgnoringCase(fields.toString());
    }
}
