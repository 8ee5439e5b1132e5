package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AddressRangesTest {

    private static InetAddress address(String text) {
        return Objects.requireNonNull(IpAddresses.parse(text));
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.255.255.255, true",
        "10.0.0.0/8, 11.0.0.0, false",
        "10.1.2.3/8, 10.9.9.9, true",
        "192.0.2.128/25, 192.0.2.127, false",
        "192.0.2.128/25, 192.0.2.128, true",
        "192.0.2.1, 192.0.2.1, true",
        "192.0.2.1, 192.0.2.2, false",
        "0.0.0.0/0, 203.0.113.9, true",
        "0.0.0.0/0, ::1, false",
        "2001:db8::/32, 2001:db8:ffff::1, true",
        "2001:db8::/32, 2001:db9::1, false",
        "fe80::/10, febf::1, true",
        "fe80::/10, fec0::1, false",
        "10.0.0.0/8, ::ffff:10.0.0.1, true",
        "private, 172.31.0.1, true",
        "private, 172.32.0.1, false",
        "private, fd00::1, true",
        "private, 127.0.0.1, true",
        "private, 203.0.113.9, false",
        "cloudflare, 104.16.0.1, true",
        "Cloudflare, 2606:4700::1, true",
        "cloudflare, 203.0.113.9, false",
        "private  cloudflare, 162.158.0.1, true",
        "'192.0.2.1, 10.0.0.0/8', 10.0.0.1, true"
    })
    void containTheirAddresses(String ranges, String address, boolean contained) {
        assertThat(AddressRanges.parse(ranges).contains(address(address))).isEqualTo(contained);
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/33, '\"10.0.0.0/33\": expected a prefix of 0 to 32 bits after the /'",
        "'10.0.0.0/', '\"10.0.0.0/\": expected a prefix of 0 to 32 bits after the /'",
        "::1/129, '\"::1/129\": expected a prefix of 0 to 128 bits after the /'",
        "10.0.0.0/8;, '\"10.0.0.0/8;\": expected a prefix of 0 to 32 bits after the /'",
        "privat, '\"privat\": expected addresses or ranges such as 10.0.0.0/8 or 2001:db8::/32, private, or cloudflare'",
        "10.0.0, '\"10.0.0\": expected addresses or ranges such as 10.0.0.0/8 or 2001:db8::/32, private, or cloudflare'"
    })
    void aMistakeIsNamed(String ranges, String message) {
        assertThatThrownBy(() -> AddressRanges.parse(ranges))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @Test
    void noTextIsNoAddress() {
        assertThat(AddressRanges.parse("  ")).isSameAs(AddressRanges.NONE);
        assertThat(AddressRanges.NONE.contains(address("127.0.0.1"))).isFalse();
    }
}
