package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.SocketException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A response that its endpoint cut must not look complete to the client (RFC 9112, 8). */
class CutResponsesTest extends ProxyTest {

    @BeforeEach
    void start() throws Exception {
        startWith(endpoint(connection -> {
            connection.readRequest();
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n");
        }));
    }

    @Test
    void isInChunksThoughTheConnectionEndsWithIt() throws Exception {
        String response = client().send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                .wire()
                .readToEnd();

        assertThat(response)
                .containsIgnoringCase("transfer-encoding: chunked")
                .containsIgnoringCase("connection: close")
                .doesNotContainIgnoringCase("trailer:")
                .endsWith("\r\n05\r\nhello\r\n");
    }

    /** HTTP/1.0 has no chunks: the end of the connection is the end of the response. */
    @Test
    void isResetOverHttp10() {
        assertThatThrownBy(() -> client().send("GET / HTTP/1.0\r\nHost: a\r\n\r\n")
                        .wire()
                        .readToEnd())
                .isInstanceOf(SocketException.class);
    }
}
