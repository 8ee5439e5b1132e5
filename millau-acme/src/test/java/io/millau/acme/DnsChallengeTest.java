package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DnsChallengeTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rfc2136://ns.shop.example?key=k&algorithm=hmac-sha512&secret-file=/run/secrets/tsig",
                "rfc2136://ns.shop.example:5353/?key=k.shop.example.&secret-file=tsig",
                "rfc2136://[2001:db8::1]:53?key=k&secret-file=a%20b&algorithm=HMAC-SHA256",
                "rfc2136://stack_bind:5353?key=k&secret-file=tsig",
                "acme-dns://auth.acme-dns.io",
                "acme-dns://10.0.0.1:8443/"
            })
    void urlsOfBothKinds(String url) {
        assertThat(DnsChallenge.parse(url)).hasToString(url);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "ns.shop.example",
                "https://ns.shop.example",
                "rfc2136://ns.shop.example",
                "rfc2136://ns.shop.example?key=k",
                "rfc2136://ns.shop.example?secret-file=f",
                "rfc2136://ns.shop.example?key=k&key=l&secret-file=f",
                "rfc2136://ns.shop.example?key=k&secret-file=f&ttl=5",
                "rfc2136://ns.shop.example?key=k&secret-file",
                "rfc2136://?key=k&secret-file=f",
                "rfc2136://key:secret@ns.shop.example?key=k&secret-file=f",
                "rfc2136://ns.shop.example/zone?key=k&secret-file=f",
                "rfc2136://ns.shop.example?key=k&secret-file=f#x",
                "acme-dns://",
                "acme-dns://auth.acme-dns.io/update",
                "acme-dns://auth.acme-dns.io?key=k",
                "acme-dns:auth.acme-dns.io",
                "rfc2136://a b"
            })
    void anythingElseIsRefused(String url) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DnsChallenge.parse(url))
                .withMessage(
                        "expected rfc2136://SERVER?key=NAME&algorithm=hmac-sha256&secret-file=FILE or acme-dns://SERVER");
    }

    @Test
    void keyAndAlgorithmAreChecked() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DnsChallenge.parse("rfc2136://ns?key=k&algorithm=md4&secret-file=f"))
                .withMessageContaining("algorithm=md4: expected one of hmac-md5, hmac-sha1, ");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DnsChallenge.parse("rfc2136://ns?key=a..b&secret-file=f"))
                .withMessage("key=a..b: expected the name of a TSIG key");
    }
}
