package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DockerSourceTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "unix:///var/run/docker.sock",
                "tcp://127.0.0.1:2375",
                "tcp://engine",
                "tcp://[::1]:2375",
                "http://engine:2375/"
            })
    void itsNameIsTheGivenAddress(String host) {
        assertThat(DockerSource.at(host)).hasToString("Docker " + host);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/var/run/docker.sock",
                "unix://",
                "unix://var/run/docker.sock",
                "ssh://user@engine",
                "tcp://",
                "tcp://engine:2375/path",
                "engine:2375",
                "tcp://a b"
            })
    void anyOtherAddressIsRejectedWithAHint(String host) {
        assertThatThrownBy(() -> DockerSource.at(host))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(host + ": expected the address of a Docker Engine, unix:///var/run/docker.sock or"
                        + " tcp://host:port");
    }

    @Test
    void tlsRequiresATcpAddress() {
        assertThatThrownBy(() -> DockerSource.local().withTls(Path.of("/certs")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected tcp://host:port");
    }
}
