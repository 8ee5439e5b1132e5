package io.millau.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.millau.testing.Message;
import io.millau.testing.Wire;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** An HTTP/1.1 connection: one request after the other. */
final class RunHttp1 implements RunConnection {

    private final RawClient client;
    private final Wire wire;
    private final RunClock clock;
    private final Executor senders;
    private boolean usable = true;

    /** @param senders send bodies while the response is read */
    RunHttp1(int port, RunClock clock, Executor senders) throws IOException {
        this.client = new RawClient(port);
        this.wire = client.wire();
        this.clock = clock;
        this.senders = senders;
    }

    @Override
    public RunRequest.Seen exchange(RunRequest request) throws IOException {
        RunRequest.Plan plan = request.plan;
        boolean leaves =
                plan.leaves() == RunRequest.Leaves.IN_BODY || plan.leaves() == RunRequest.Leaves.BEFORE_RESPONSE;
        CompletableFuture<Boolean> sent = CompletableFuture.supplyAsync(() -> send(plan), senders);
        if (leaves) {
            sent.join();
            close();
            return RunRequest.Seen.LEFT;
        }
        RunRequest.Seen seen = read(request);
        if (!seen.whole() || !sent.join() || !usable) {
            close();
        }
        return seen;
    }

    /** Whether the whole body could be sent. */
    private boolean send(RunRequest.Plan plan) {
        String framing =
                plan.chunked() ? "Transfer-Encoding: chunked\r\n" : "Content-Length: " + plan.length() + "\r\n";
        try {
            wire.send(plan.method() + " /" + plan.id() + " HTTP/1.1\r\nHost: "
                    + plan.route().host() + "\r\nX-Request: " + plan.id() + "\r\n" + (plan.length() == 0 ? "" : framing)
                    + "\r\n");
            RunConnection.sendBody(
                    plan, clock, (part, last) -> wire.send(plan.chunked() ? chunk(part, last) : text(part)));
            return true;
        } catch (IOException e) {
            return false; // the proxy does not need the rest, or has closed the connection
        }
    }

    private static String chunk(byte[] part, boolean last) {
        return Integer.toHexString(part.length) + "\r\n" + text(part) + (last ? "\r\n0\r\n\r\n" : "\r\n");
    }

    private static String text(byte[] part) {
        return new String(part, ISO_8859_1);
    }

    private RunRequest.Seen read(RunRequest request) throws IOException {
        int status = 0;
        try {
            Message head = wire.readHead();
            while (head != null && head.status() < 200) {
                request.step("client: has " + head.startLine());
                head = wire.readHead();
            }
            if (head == null) {
                return RunRequest.Seen.cut(0);
            }
            status = head.status();
            request.step("client: has " + head.startLine());
            if (request.plan.leaves() == RunRequest.Leaves.IN_RESPONSE) {
                close();
                return RunRequest.Seen.LEFT;
            }
            if (request.plan.slow()) {
                clock.pass(PAUSE);
            }
            boolean bodyless = request.plan.method().equals("HEAD") || status == 204;
            String body = bodyless ? "" : wire.readBody(head, false).body();
            usable = !"close".equals(head.field("Connection"));
            return RunRequest.Seen.whole(
                    status, head.field("X-Request"), head.field("X-Arrival"), body.getBytes(ISO_8859_1));
        } catch (IOException e) {
            request.step("client: " + e);
            return RunRequest.Seen.cut(status);
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
