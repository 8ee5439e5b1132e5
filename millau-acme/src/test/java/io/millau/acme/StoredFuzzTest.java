package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.testing.Fuzz;
import org.junit.jupiter.api.Test;

/** What stands in the store is read and can be stored again, or refused without showing a key. */
class StoredFuzzTest {

    private interface Read {
        void run() throws Exception;
    }

    @Test
    void whatIsReadCanBeStoredAndReadAgain() throws Exception {
        Fuzz.of(
                        "stored",
                        "url: ",
                        "public-key: ",
                        "challenge: ",
                        "http-01",
                        "dns-01",
                        "failures: ",
                        "until: ",
                        "+1000000000-12-31T23:59:59Z",
                        "\n",
                        "-----BEGIN PRIVATE KEY-----\n",
                        "-----END CERTIFICATE-----\n",
                        "AAAA",
                        "=",
                        "\0")
                .check((input, random) -> {
                    refuses(() -> {
                        Account account = Account.parse(input);
                        assertThat(Account.parse(account.bytes())).hasToString(account.toString());
                    });
                    refuses(() -> Account.keys(input));
                    refuses(() -> {
                        StoredCertificate certificate = StoredCertificate.parse("ca", "a.example", input);
                        StoredCertificate again = StoredCertificate.parse("ca", "a.example", certificate.bytes());
                        assertThat(again.url()).isEqualTo(certificate.url());
                        assertThat(again.proof()).isEqualTo(certificate.proof());
                        assertThat(again.expires()).isEqualTo(certificate.expires());
                    });
                    StoredFailure.parse(input)
                            .ifPresent(failure -> assertThat(StoredFailure.parse(failure.bytes()))
                                    .contains(failure));
                });
    }

    private static void refuses(Read read) throws Exception {
        try {
            read.run();
        } catch (IllegalArgumentException e) {
            assertThat(String.valueOf(e.getMessage()))
                    .as("a reason")
                    .isNotBlank()
                    .isNotEqualTo("null")
                    .doesNotContain("MIGH");
        }
    }
}
