package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.URI;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BuilderTest {

    private final MemoryStore store = new MemoryStore(Clock.systemUTC());
    private final AcmeCertificates.Builder builder = AcmeCertificates.builder(store);

    @ParameterizedTest
    @ValueSource(strings = {"acme-v02.api.letsencrypt.org", "ftp://ca/dir", "https:///dir", "https://me:secret@ca/dir"})
    void aDirectoryIsAnHttpUrl(String url) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.directories(List.of(URI.create(url))))
                .withMessageContaining("expected the https URL of an ACME directory");
    }

    @Test
    void directoriesAreRequiredAndDistinct() {
        assertThatIllegalArgumentException().isThrownBy(builder::start).withMessageContaining("at least one");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> builder.directories(List.of(URI.create("https://ca/dir"), URI.create("https://CA/dir")))
                                .start())
                .withMessageContaining("that differ");
    }

    @Test
    void anEmailAddressAndAnExternalAccountAreValidated() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.email("nobody"))
                .withMessage("expected an email address, not nobody");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.externalAccount("kid", "%%%"))
                .withMessageContaining("base64url")
                .withMessageNotContaining("%%%");
    }
}
