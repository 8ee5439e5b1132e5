package io.millau.server;

import io.millau.core.Endpoint;
import io.undertow.Handlers;
import io.undertow.Undertow;
import io.undertow.websockets.core.AbstractReceiveListener;
import io.undertow.websockets.core.BufferedTextMessage;
import io.undertow.websockets.core.WebSocketChannel;
import io.undertow.websockets.core.WebSockets;
import java.net.InetSocketAddress;

/** Echoes every text message, with Undertow's WebSockets. */
final class WebSocketEcho implements AutoCloseable {

    private final Undertow server = Undertow.builder()
            .addHttpListener(0, "127.0.0.1", Handlers.websocket((exchange, channel) -> {
                channel.getReceiveSetter().set(new AbstractReceiveListener() {
                    @Override
                    protected void onFullTextMessage(WebSocketChannel from, BufferedTextMessage message) {
                        WebSockets.sendText(message.getData(), from, null);
                    }
                });
                channel.resumeReceives();
            }))
            .setIoThreads(1)
            .build();

    WebSocketEcho() {
        server.start();
    }

    Endpoint endpoint() {
        return Endpoint.http((InetSocketAddress) server.getListenerInfo().get(0).getAddress());
    }

    @Override
    public void close() {
        server.stop();
    }
}
