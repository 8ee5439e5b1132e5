package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The properties of a directory that are known without a request. */
class DirectoryTest {

    private static Directory directory(String uri, boolean isPrivate) {
        return new Directory(
                URI.create(uri),
                isPrivate,
                new AccountSettings(null, null),
                new MemoryStore(Clock.systemUTC()),
                new HttpProvider(List.of(), Duration.ofSeconds(1)));
    }

    @ParameterizedTest
    @CsvSource({
        "https://acme-v02.api.letsencrypt.org/directory, acme-v02.api.letsencrypt.org_directory",
        "https://localhost:14000/dir, localhost_14000_dir",
        "https://CA.example/acme/My_CA/directory, ca.example_acme_my_ca_directory",
        "https://[::1]:9000/acme, _1_9000_acme",
        "https://ca.example, ca.example_"
    })
    void itsNameInTheStoreIsOneSegment(String uri, String issuer) {
        assertThat(directory(uri, false).issuer()).isEqualTo(issuer);
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "wiki", "shop.local", "a.test", "a.internal"})
    void onlyAPrivateDirectoryServesPrivateNames(String name) {
        assertThat(directory("https://ca.millau-proxy.org/dir", false).serves(name))
                .isFalse();
        assertThat(directory("https://ca.millau-proxy.org/dir", true).serves(name))
                .isTrue();
    }

    @Test
    void noDirectoryServesAddressesNorTheAsteriskAlone() {
        for (String name : List.of("10.0.0.1", "::1", "*", "*.10.0.0.1", "*.*.one.org", "my_app.one.org")) {
            assertThat(directory("https://ca.millau-proxy.org/dir", true).serves(name))
                    .isFalse();
        }
    }
}
