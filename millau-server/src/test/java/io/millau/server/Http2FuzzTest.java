package io.millau.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millau.core.Certificate;
import io.millau.core.CertificateSource;
import io.millau.core.testing.CapturedLog;
import io.millau.core.testing.Fuzz;
import io.millau.core.testing.TrustAll;
import io.millau.server.internal.http2.Http2;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.Test;

/**
 * Conversations over HTTP/2 with bytes and frames that are changed, lost, doubled or cut, in pieces of any size: each ends, and
 * hurts nobody else, not even over another connection at the same time. {@code -Dmillau.fuzz.seconds} says for how long, {@code
 * -Dmillau.fuzz.seed} which come first.
 */
class Http2FuzzTest extends ProxyTest {

    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);
    private static final byte[] GET = {
        (byte) 0x82, (byte) 0x86, (byte) 0x84, 0x41, 1, 'a', 0x40, 1, 'x', 3, 'y', 'y', 'y'
    };
    private static final byte[] POST = {(byte) 0x83, (byte) 0x86, (byte) 0x84, 0x41, 1, 'a', 0x0f, 0x0d, 1, '5'};
    private static final byte[] TRAILERS = {0, 1, 't', 1, 'v'};

    /** Many of them. Read from any place within, they are malformed. */
    private static final byte[] PINGS = concat(Collections.nCopies(1000, frame(6, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1))
            .toArray(byte[][]::new));

    /** A conversation with all kinds of frames. */
    private static List<byte[]> frames() {
        return new ArrayList<>(List.of(
                PREFACE,
                frame(4, 0, 0, 0, 4, 0, 0, (byte) 0xff, (byte) 0xff),
                frame(4, 1, 0),
                frame(1, 5, 1, GET),
                frame(1, 4, 3, POST),
                frame(0, 0, 3, 'h', 'e'),
                frame(6, 0, 0, new byte[8]),
                frame(8, 0, 0, 0, 0, 1, 0),
                frame(0, 9, 3, 2, 'l', 'l', 'o', 0, 0),
                frame(1, 4, 5, POST),
                frame(0, 0, 5, 'h', 'e', 'l', 'l', 'o'),
                frame(1, 5, 5, TRAILERS),
                frame(1, 0x21, 7, concat(new byte[] {0, 0, 0, 0, 16}, GET)),
                frame(9, 4, 7, 0, 1, 'c', 1, 'd'),
                frame(2, 0, 9, 0, 0, 0, 3, 16),
                frame(1, 5, 9, GET),
                frame(8, 0, 9, 0, 0, 1, 0),
                frame(3, 0, 9, 0, 0, 0, 8),
                frame(200, 3, 11, 1, 2, 3),
                frame(1, 5, 11, (byte) 0x82, (byte) 0x86, (byte) 0x84, 0x41, 1, 'a', (byte) 0xbe),
                frame(7, 0, 0, new byte[8])));
    }

    private static byte[] frame(int type, int flags, int stream, int... payload) {
        byte[] bytes = new byte[payload.length];
        for (int i = 0; i < payload.length; i++) {
            bytes[i] = (byte) payload[i];
        }
        return frame(type, flags, stream, bytes);
    }

    private static byte[] frame(int type, int flags, int stream, byte[] payload) {
        ByteBuffer frame = ByteBuffer.allocate(9 + payload.length);
        frame.put((byte) 0).putShort((short) payload.length).put((byte) type).put((byte) flags);
        return frame.putInt(stream).put(payload).array();
    }

    private static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private static byte[] conversation(Random random) {
        List<byte[]> frames = frames();
        for (int changes = random.nextInt(3); changes > 0; changes--) {
            int at = 1 + random.nextInt(frames.size() - 1);
            switch (random.nextInt(3)) {
                case 0 -> frames.remove(at);
                case 1 -> frames.add(at, frames.get(1 + random.nextInt(frames.size() - 1)));
                default -> frames.set(at, frames.set(1 + random.nextInt(frames.size() - 1), frames.get(at)));
            }
        }
        byte[] bytes = concat(frames.toArray(byte[][]::new));
        for (int changes = random.nextInt(4); changes > 0; changes--) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        return random.nextInt(4) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
    }

    @Test
    void whateverIsSentEndsAndHurtsNobodyElse() throws Exception {
        prepare();
        millau = closing(builder().start());
        play(() -> new Socket(InetAddress.getLoopbackAddress(), millau.port()));
    }

    @Test
    void whateverIsSentOverTlsEndsAndHurtsNobodyElse() throws Exception {
        prepare();
        Certificate certificate = Certificate.selfSigned("a");
        millau = closing(builder()
                .https("127.0.0.1:0")
                .certificates(CertificateSource.of(certificate))
                .start());
        SSLSocketFactory tls = TrustAll.context().getSocketFactory();
        play(() -> {
            SSLSocket socket = (SSLSocket) tls.createSocket(
                    InetAddress.getLoopbackAddress(), millau.addresses().get(1).getPort());
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"h2"});
            socket.setSSLParameters(parameters);
            return socket;
        });
    }

    /** Neither a machine that stalls nor one lost connection is the proxy's fault. */
    private void prepare() throws Exception {
        clock = closing(new RunClock());
        services.replace(
                app(endpointThatSays("ok").endpoint(), endpointThatSays("ok").endpoint())
                        .build());
    }

    private interface Connect {
        Socket run() throws IOException;
    }

    /** Plays conversations, while somebody else sends requests. */
    private void play(Connect connect) throws Exception {
        long first = Fuzz.firstSeed();
        long end = System.nanoTime() + Fuzz.nanos();
        AtomicBoolean over = new AtomicBoolean();
        try (CapturedLog log = new CapturedLog()) {
            try (RawHttp2Client client = new RawHttp2Client(connect.run(), 65_535)) {
                CompletableFuture<Void> bystander = CompletableFuture.runAsync(() -> {
                    for (int stream = 1; !over.get() && stream < 1 << 30; stream += 2) {
                        assertServes(client, stream);
                    }
                });
                for (long seed = first; System.nanoTime() < end && !bystander.isDone(); seed++) {
                    converse(connect, Fuzz.random(seed), seed);
                }
                over.set(true);
                bystander.get(30, TimeUnit.SECONDS);
            }
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(millau.buffersTaken())
                            .as("seeds from %d on", first)
                            .isZero());
            assertThat(log.about("ERROR")).as("seeds from %d on", first).isEmpty();
            assertThat(log.about("at io.millau")).as("seeds from %d on", first).isEmpty();
        }
    }

    private static void assertServes(RawHttp2Client client, int stream) {
        try {
            client.headers(stream, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a");
            assertThat(client.body(stream)).isEqualTo("ok");
        } catch (IOException e) {
            throw new AssertionError("stream " + stream + " of somebody else", e);
        }
    }

    /**
     * Sends a conversation in pieces, and reads until the server ends it. Where the client does not end it, the server says GOAWAY,
     * or answers a PING that follows: it is not stuck.
     */
    private void converse(Connect connect, Random random, long seed) throws IOException {
        byte[] bytes = conversation(random);
        try (Socket socket = connect.run()) {
            socket.setSoTimeout(30_000);
            socket.setTcpNoDelay(true);
            for (int from = 0; from < bytes.length; ) {
                int length = Math.min(bytes.length - from, 1 + random.nextInt(random.nextBoolean() ? 20 : 400));
                socket.getOutputStream().write(bytes, from, length);
                from += length;
            }
            if (random.nextBoolean() && bytes.length > PREFACE.length) {
                // More than the rest of any frame that was begun, so that the last of them is a PING, or malformed.
                socket.getOutputStream().write(PINGS);
                awaitPong(new DataInputStream(socket.getInputStream()));
            }
            socket.shutdownOutput();
            socket.getInputStream().readAllBytes();
        } catch (SocketException | EOFException e) {
            // a reset or the end, which ends it, too
        } catch (SSLException e) {
            // the same over TLS
        } catch (IOException e) {
            throw new AssertionError("seed " + seed, e);
        }
    }

    private static void awaitPong(DataInputStream in) throws IOException {
        while (true) {
            int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
            int type = in.readUnsignedByte();
            int flags = in.readUnsignedByte();
            int stream = in.readInt();
            in.skipNBytes(length);
            boolean pong = type == Http2.PING && flags == Http2.ACK && stream == 0;
            if (pong || type == Http2.GO_AWAY) {
                return;
            }
        }
    }

    /** Bytes that are split anywhere mean the same. */
    @Test
    void piecesOfAnySizeMeanTheSame() throws Exception {
        startWith(endpointThatSays("ok"));
        byte[] bytes =
                concat(frame(1, 5, 1, GET), frame(1, 4, 3, POST), frame(0, 9, 3, 2, 'h', 'e', 'l', 'l', 'o', 0, 0));
        for (int cut = 1; cut < bytes.length; cut++) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), millau.port())) {
                RawHttp2Client reader = new RawHttp2Client(socket, 65_535);
                socket.setTcpNoDelay(true);
                socket.getOutputStream().write(bytes, 0, cut);
                socket.getOutputStream().write(bytes, cut, bytes.length - cut);
                StringBuilder bodies = new StringBuilder();
                for (int ended = 0; ended < 2; ) {
                    RawHttp2Client.Frame frame = reader.next();
                    bodies.append(frame.type() == RawHttp2Client.DATA ? frame.payload() : "");
                    ended += frame.type() <= 1 && (frame.flags() & RawHttp2Client.END_STREAM) != 0 ? 1 : 0;
                }
                assertThat(bodies).as("cut at %d", cut).hasToString("okok");
            }
        }
    }
}
