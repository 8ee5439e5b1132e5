package io.millau.server;

import io.millau.testing.Message;
import io.undertow.protocols.http2.HpackDecoder;
import io.undertow.protocols.http2.HpackException;
import java.io.Closeable;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A client on one connection that sends requests in pieces and returns what it saw. One thread may send while another reads. */
interface FaultClient extends Closeable {

    /** @param length of the body, 0 for none, -1 for a body whose length is not sent */
    void sendHead(String method, int length) throws IOException;

    /** Sends a non-empty part of the first request's body. */
    void sendBody(byte[] part, boolean last) throws IOException;

    /** Reads the response to the last request. */
    Seen read(String method, Runnable onHead) throws IOException;

    /**
     * What the client saw of a response.
     *
     * @param statuses 1xx, and the final one unless the connection or stream ended first
     * @param whole whether the response was complete
     */
    record Seen(List<Integer> statuses, String body, boolean whole) {}

    /** Over HTTP/1.1. */
    static FaultClient http1(int port) throws IOException {
        return new Http1(port);
    }

    /** Over HTTP/2 without TLS. */
    static FaultClient h2c(int port) throws IOException {
        return new Http2(port);
    }

    /** Over HTTP/1.1. */
    final class Http1 implements FaultClient {
        private final RawClient client;
        private boolean chunked;

        private Http1(int port) throws IOException {
            client = new RawClient(port);
        }

        @Override
        public void sendHead(String method, int length) throws IOException {
            chunked = length < 0;
            String framing = chunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: " + length + "\r\n";
            client.send(method + " / HTTP/1.1\r\nHost: a\r\n" + (length == 0 ? "" : framing) + "\r\n");
        }

        @Override
        public void sendBody(byte[] part, boolean last) throws IOException {
            String bytes = new String(part, StandardCharsets.ISO_8859_1);
            client.send(
                    chunked
                            ? Integer.toHexString(part.length) + "\r\n" + bytes + (last ? "\r\n0\r\n\r\n" : "\r\n")
                            : bytes);
        }

        @Override
        public Seen read(String method, Runnable onHead) throws IOException {
            List<Integer> statuses = new ArrayList<>();
            try {
                Message head;
                do {
                    head = client.wire().readHead();
                    if (head == null) {
                        return new Seen(statuses, "", false);
                    }
                    statuses.add(head.status());
                } while (head.status() < 200);
                onHead.run();
                return new Seen(
                        statuses,
                        method.equals("HEAD")
                                ? ""
                                : client.wire().readBody(head, false).body(),
                        true);
            } catch (SocketTimeoutException e) {
                throw e;
            } catch (IOException e) {
                return new Seen(statuses, "", false);
            }
        }

        @Override
        public void close() throws IOException {
            client.close();
        }
    }

    /** Over HTTP/2. */
    final class Http2 implements FaultClient {
        private static final int WINDOW = 1024 * 1024;

        private final RawHttp2Client client;
        private final HpackDecoder heads = new HpackDecoder();
        private int stream = -1;

        private Http2(int port) throws IOException {
            client = new RawHttp2Client(port, WINDOW);
            byte[] increment = ByteBuffer.allocate(4).putInt(WINDOW).array();
            client.send(RawHttp2Client.WINDOW_UPDATE, 0, 0, increment);
        }

        @Override
        public void sendHead(String method, int length) throws IOException {
            List<String> fields =
                    new ArrayList<>(List.of(":method", method, ":scheme", "http", ":path", "/", ":authority", "a"));
            if (length > 0) {
                fields.addAll(List.of("content-length", String.valueOf(length)));
            }
            stream += 2;
            client.headers(stream, length == 0, fields.toArray(String[]::new));
        }

        @Override
        public void sendBody(byte[] part, boolean last) throws IOException {
            client.upload(1, part, last);
        }

        @Override
        public Seen read(String method, Runnable onHead) throws IOException {
            List<Integer> statuses = new ArrayList<>();
            StringBuilder body = new StringBuilder();
            try {
                while (true) {
                    RawHttp2Client.Frame frame = client.next(stream);
                    if (frame.type() == RawHttp2Client.RST_STREAM) {
                        return new Seen(statuses, "", false);
                    } else if (frame.type() == RawHttp2Client.DATA) {
                        body.append(frame.payload());
                    } else {
                        statuses.add(status(frame.payload()));
                        onHead.run();
                    }
                    if ((frame.flags() & RawHttp2Client.END_STREAM) != 0) {
                        return new Seen(statuses, body.toString(), true);
                    }
                }
            } catch (SocketTimeoutException e) {
                throw e;
            } catch (IOException e) {
                return new Seen(statuses, "", false);
            }
        }

        private int status(String block) {
            Map<String, String> fields = new HashMap<>();
            heads.setHeaderEmitter((name, value, neverIndex) -> fields.put(name.toString(), value));
            try {
                heads.decode(ByteBuffer.wrap(block.getBytes(StandardCharsets.ISO_8859_1)), false);
            } catch (HpackException e) {
                throw new AssertionError("a head that can't be decoded", e);
            }
            return Integer.parseInt(fields.get(":status"));
        }

        @Override
        public void close() throws IOException {
            client.close();
        }
    }
}
