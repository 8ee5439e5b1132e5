package io.millau.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What only a client of HTTP/2 can send must not become another request on the way to an endpoint of HTTP/1.1. */
class Http2Test extends ProxyTest {

    @Test
    void aLengthWithoutABodyReachesNoService() throws Exception {
        // The endpoint would take the next client's request for the body.
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));

        client.headers(1, true, get("/", "content-length", "5"));
        assertThat(client.body(1)).isEqualTo("Bad Request\n");
        client.headers(3, true, get("/", "content-length", "0"));
        assertThat(client.body(3)).isEqualTo("ok");
        assertThat(endpoint.requests).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"transfer-encoding:chunked", "host:other", "x:"})
    void aFieldsNameCannotHoldAnotherField(String name) throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));

        client.headers(1, true, get("/", name, ""));
        assertThat(client.body(1)).isEqualTo("Bad Request\n");
        assertThat(endpoint.requests).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://other.example/", "other"})
    void aPathThatNamesAnotherHostReachesNoService(String path) throws Exception {
        ScriptedEndpoint endpoint = endpointThatSays("ok");
        startWith(endpoint);
        RawHttp2Client client = closing(new RawHttp2Client(millau.port()));

        client.headers(1, true, get(path, "x", "y"));
        assertThat(client.body(1)).isEqualTo("Bad Request\n");
        assertThat(endpoint.requests).isEmpty();
    }

    private static String[] get(String path, String name, String value) {
        return new String[] {":method", "GET", ":scheme", "http", ":path", path, ":authority", "a", name, value};
    }
}
