package io.millau.core;

import java.net.InetAddress;

/** Endpoints for tests that do not connect to them. */
final class TestEndpoints {

    private TestEndpoints() {}

    static Endpoint of(String id) {
        return Endpoint.http(id, InetAddress.getLoopbackAddress(), 80);
    }
}
