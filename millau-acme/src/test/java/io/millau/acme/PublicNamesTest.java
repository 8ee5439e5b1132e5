package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PublicNamesTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "shop.millau-proxy.org",
                "millau-proxy.org",
                "a.b.c.d.e.org",
                "xn--bcher-kva.ch",
                "1.org",
                "4you.de"
            })
    void publicNamesAreRecognized(String name) {
        assertThat(PublicNames.isPublic(name)).isTrue();
        assertThat(PublicNames.isHostName(name)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost",
                "wiki",
                "shop.local",
                "shop.test",
                "shop.example",
                "a.localhost",
                "db.internal",
                "x.onion",
                "router.home.arpa",
                "nas.lan",
                "a.invalid"
            })
    void privateNamesAreHostNamesButNotPublic(String name) {
        assertThat(PublicNames.isPublic(name)).isFalse();
        assertThat(PublicNames.isHostName(name)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "*",
                "*.one.org",
                ".",
                "one.org.",
                ".one.org",
                "one..org",
                "10.0.0.1",
                "1.2.3.4.5",
                "::1",
                "[::1]",
                "fe80::1",
                "my_app.org",
                "-a.org",
                "a-.org",
                "Ä.org",
                "a b.org",
                "../x.org",
                "SHOP.org",
                "a234567890123456789012345678901234567890123456789012345678901234.org"
            })
    void otherTextIsNotAHostName(String name) {
        assertThat(PublicNames.isPublic(name)).isFalse();
        assertThat(PublicNames.isHostName(name)).isFalse();
    }
}
