package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostNamesTest {

    /** The first five were routed, and certified, as other domains. Emoji left their service out. */
    @ParameterizedTest
    @CsvSource({
        "straße.example.org, xn--strae-oqa.example.org",
        "faß.de, xn--fa-hia.de",
        "βόλος.com, xn--nxasmm1c.com",
        "STRAẞE.example.org, xn--strae-oqa.example.org",
        "نامه\u200cای.com, xn--mgba3gch31f060k.com",
        "☃.net, xn--n3h.net",
        "💩.la, xn--ls8h.la",
        "☃\ufe0f.net, xn--n3h.net",
        "🥰.example, xn--js9h.example",
        "ශ්\u200dරී.com, xn--10cl1a0b660p.com",
        "Bücher.example, xn--bcher-kva.example",
        "BU\u0308CHER.example, xn--bcher-kva.example",
        "ΒΌΛΟΣ.com, xn--nxasmq6b.com",
        "ﬁnance.example, finance.example",
        "ｓｈｏｐ．example, shop.example",
        "日本語。ＪＰ, xn--wgv71a119e.jp",
        "straße.shop_1.example., xn--strae-oqa.shop_1.example.",
        "Shop.EXAMPLE, shop.example",
        "XN--strae-OQA.example, xn--strae-oqa.example"
    })
    void namesAreMappedAsBrowsersDo(String name, String ascii) {
        assertThat(HostNames.ascii(name)).isEqualTo(ascii);
    }

    /** Never another domain: what Java's tables may map in another way than browsers, or browsers reject. */
    @ParameterizedTest
    @CsvSource({
        "İstanbul.example, as it is not certain what browsers make of U+0130",
        "\u13a0.example, as it is not certain what browsers make of U+13A0",
        "ᾳ.example, as it is not certain what browsers make of U+1FB3",
        "ϲ.example, as it is not certain what browsers make of U+03F2",
        "a\u2026b.example, as it is not certain what browsers make of U+2026",
        "a\u00a0b.example, as it is not certain what browsers make of U+00A0",
        "a\u202eb.example, as it is not certain what browsers make of U+202E",
        "a\u3164b.example, as it is not certain what browsers make of U+3164",
        "a\ue000b.example, as it is not certain what browsers make of U+E000",
        "👩\u200d🚀.example, expected no zero-width joiner here: browsers reject such a name",
        "a\u200cb.example, expected no zero-width joiner here: browsers reject such a name",
        "\u0301a.example, expected a letter before the first accent in a host name",
        "é..example, expected a host name without empty labels",
        "\u00ad.é, expected a host name without empty labels",
        "xn--ü.example, 'expected a host name in Punycode or in its own script, not in both'"
    })
    void inDoubtANameIsRejected(String name, String expected) {
        assertThatThrownBy(() -> HostNames.ascii(name))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(expected);
    }

    /** RFC 3492, 7.1. */
    @ParameterizedTest
    @CsvSource({
        "他们为什么不说中文, ihqwcrb4cv8a8dqg056pqjye",
        "почемужеонинеговорятпорусски, b1abfaaepdrnnbgefbadotcwatmq2g4l",
        "3年b組金八先生, 3b-ww4c5e180e575a65lsy2b",
        "そのスピードで, d9juau41awczczp",
        "ひとつ屋根の下2, 2-u9tlzr9756bt3uc0v"
    })
    void punycode(String label, String encoded) {
        assertThat(Punycode.encode(label)).isEqualTo(encoded);
    }

    @Test
    void aLabelOfManyCharactersIsEncoded() {
        assertThat(Punycode.encode("\ud7ff".repeat(200) + "\udbff\udfff".repeat(50)))
                .isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "::1, [::1]",
        "[::1], [::1]",
        "[0:0:0:0:0:0:0:1], [::1]",
        "2001:DB8:0:0:0:0:0:1, [2001:db8::1]",
        "[2001:0db8::0001], [2001:db8::1]",
        "::ffff:192.0.2.1, [::ffff:192.0.2.1]",
        "[::ffff:c000:201], [::ffff:192.0.2.1]"
    })
    void addressesHaveOneForm(String text, String canonical) {
        assertThat(HostNames.ipv6(text)).isEqualTo(canonical);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[",
                "[]",
                "]",
                "192.0.2.1",
                "[192.0.2.1]",
                "one.com",
                "one.com:80",
                "[::1",
                "[::1]:80",
                "1:2",
                "fe80::1%eth0"
            })
    void othersAreNoAddresses(String text) {
        assertThat(HostNames.ipv6(text)).isNull();
    }
}
