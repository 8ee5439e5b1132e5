package io.millau.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.undertow.protocols.http2.HpackDecoder;
import io.undertow.protocols.http2.HpackException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** An HTTP/2 connection that several clients share, each with one stream at a time. */
final class RunHttp2 implements RunConnection {

    private static final int WINDOW = 1024 * 1024;
    private static final long PATIENCE_SECONDS = 60;

    /** A head or data received on a stream; both are null if the connection ended. */
    private record Piece(Map<String, String> head, String data, boolean last) {
        static final Piece END = new Piece(null, null, true);
    }

    private final RawHttp2Client client;
    private final RunClock clock;
    private final Executor senders;
    private final HpackDecoder heads = new HpackDecoder();
    private final Map<Integer, BlockingQueue<Piece>> streams = new ConcurrentHashMap<>();
    private int lastStream = -1;
    private volatile boolean usable = true;

    /** @param senders send bodies while the response is read */
    RunHttp2(int port, RunClock clock, Executor senders) throws IOException {
        this.client = new RawHttp2Client(port, WINDOW);
        this.clock = clock;
        this.senders = senders;
        allow(WINDOW);
        Thread reader = new Thread(this::readFrames, "run-http2");
        reader.setDaemon(true);
        reader.start();
    }

    private void allow(int bytes) throws IOException {
        client.send(
                RawHttp2Client.WINDOW_UPDATE,
                0,
                0,
                ByteBuffer.allocate(4).putInt(bytes).array());
    }

    private void readFrames() {
        try {
            while (true) {
                RawHttp2Client.Frame frame = client.next();
                Piece piece = piece(frame);
                BlockingQueue<Piece> stream = streams.get(frame.stream());
                if (piece != null && stream != null) {
                    stream.add(piece);
                }
            }
        } catch (IOException | HpackException e) {
            usable = false;
            client.endUploads();
            streams.values().forEach(stream -> stream.add(Piece.END));
        }
    }

    private Piece piece(RawHttp2Client.Frame frame) throws IOException, HpackException {
        boolean last = (frame.flags() & RawHttp2Client.END_STREAM) != 0;
        switch (frame.type()) {
            case RawHttp2Client.DATA -> {
                if (!frame.payload().isEmpty()) {
                    allow(frame.payload().length());
                }
                return new Piece(null, frame.payload(), last);
            }
            case RawHttp2Client.HEADERS -> {
                Map<String, String> head = new HashMap<>();
                heads.setHeaderEmitter((name, value, neverIndex) -> head.put(name.toString(), value));
                heads.decode(ByteBuffer.wrap(frame.payload().getBytes(ISO_8859_1)), false);
                return new Piece(head, null, last);
            }
            case RawHttp2Client.RST_STREAM -> {
                return Piece.END;
            }
            case RawHttp2Client.GO_AWAY -> usable = false;
            default -> {}
        }
        return null;
    }

    @Override
    public RunRequest.Seen exchange(RunRequest request) throws IOException, InterruptedException {
        RunRequest.Plan plan = request.plan;
        BlockingQueue<Piece> pieces = new LinkedBlockingQueue<>();
        int stream = open(plan, pieces);
        try {
            CompletableFuture<Void> sent = CompletableFuture.runAsync(() -> send(plan, stream), senders);
            if (plan.leaves() == RunRequest.Leaves.IN_BODY || plan.leaves() == RunRequest.Leaves.BEFORE_RESPONSE) {
                sent.join();
                client.cancel(stream);
                return RunRequest.Seen.LEFT;
            }
            RunRequest.Seen seen = read(request, pieces);
            if (seen.left()) {
                client.cancel(stream);
            }
            sent.join();
            return seen;
        } finally {
            streams.remove(stream);
            if (!usable && streams.isEmpty()) {
                close();
            }
        }
    }

    /** Streams must be opened in the order of their numbers. */
    private synchronized int open(RunRequest.Plan plan, BlockingQueue<Piece> pieces) throws IOException {
        lastStream += 2;
        streams.put(lastStream, pieces);
        List<String> fields = new ArrayList<>(List.of(
                ":method", plan.method(),
                ":scheme", "http",
                ":path", "/" + plan.id(),
                ":authority", plan.route().host(),
                "x-request", plan.id()));
        if (plan.length() > 0 && !plan.chunked()) {
            fields.addAll(List.of("content-length", String.valueOf(plan.length())));
        }
        client.headers(lastStream, plan.length() == 0, fields.toArray(String[]::new));
        return lastStream;
    }

    private void send(RunRequest.Plan plan, int stream) {
        try {
            RunConnection.sendBody(plan, clock, (part, last) -> client.upload(stream, part, last));
        } catch (IOException e) {
            // the rest of the body is not needed
        }
    }

    private RunRequest.Seen read(RunRequest request, BlockingQueue<Piece> pieces)
            throws IOException, InterruptedException {
        Map<String, String> head = Map.of(":status", "0");
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        while (true) {
            Piece piece = pieces.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (piece == null || piece == Piece.END) {
                return RunRequest.Seen.cut(Integer.parseInt(head.get(":status")));
            }
            if (piece.data() != null) {
                body.write(piece.data().getBytes(ISO_8859_1));
            } else {
                head = piece.head();
                request.step("client: has " + head.get(":status"));
                if (request.plan.leaves() == RunRequest.Leaves.IN_RESPONSE) {
                    return RunRequest.Seen.LEFT;
                }
                if (request.plan.slow()) {
                    clock.pass(PAUSE);
                }
            }
            if (piece.last()) {
                return RunRequest.Seen.whole(
                        Integer.parseInt(head.get(":status")),
                        head.get("x-request"),
                        head.get("x-arrival"),
                        body.toByteArray());
            }
        }
    }

    @Override
    public boolean usable() {
        return usable;
    }

    @Override
    public void close() throws IOException {
        usable = false;
        client.close();
    }
}
