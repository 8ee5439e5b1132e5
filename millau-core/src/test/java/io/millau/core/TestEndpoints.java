package io.millau.core;

import java.net.InetAddress;

/** Endpoints that nobody connects to. */
final class TestEndpoints {

    private TestEndpoints() {}

    static Endpoint of(String id) {
        return Endpoint.http(id, InetAddress.getLoopbackAddress(), 80);
    }
}
