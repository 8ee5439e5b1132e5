package io.millau.server.internal.proxy;

import io.millau.core.Service;
import io.millau.server.internal.frontend.RequestId;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;

/**
 * Response headers that tell a client which proxy and which service served it.
 *
 * @param hostName the value of {@code X-Served-By}
 */
public record DebugHeaders(String hostName) {

    private static final HttpString X_BACKEND_SERVER = new HttpString("X-Backend-Server");
    private static final HttpString X_SERVED_BY = new HttpString("X-Served-By");

    void addTo(HeaderMap headers, Service service, String requestId) {
        headers.add(Headers.VIA, "1.1 millau");
        headers.put(X_BACKEND_SERVER, service.name());
        headers.put(X_SERVED_BY, hostName);
        headers.put(RequestId.HEADER, requestId);
    }
}
