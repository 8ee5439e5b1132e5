package io.millau.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SubnetTest {

    @ParameterizedTest
    @CsvSource({
        "10.0.1.9/24, 10.0.1.255, true",
        "10.0.1.9/24, 10.0.2.1, false",
        "172.17.0.1/16, 172.17.200.3, true",
        "10.0.1.9/23, 10.0.0.1, true",
        "10.0.1.9/32, 10.0.1.8, false",
        "0.0.0.0/0, 9.9.9.9, true",
        "10.0.1.9/24, fd00::1, false",
        "fd00:1::5/64, fd00:1::99, true",
        "fd00:1::5/64, fd00:2::99, false"
    })
    void containsAddressesWithItsPrefix(String subnet, String address, boolean expected) {
        assertThat(Subnet.of(subnet).contains(Subnet.literal(address))).isEqualTo(expected);
    }

    @Test
    void knowsItsNetworkAndTheFirstAddressOfIt() {
        assertThat(Subnet.of("10.0.1.9/23").network()).hasToString("10.0.0.0/23");
        assertThat(Subnet.of("172.17.0.0/16").first().getHostAddress()).isEqualTo("172.17.0.1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "10.0.1.9",
                "localhost/8",
                "example.com/24",
                "/24",
                "10.0.1.9/x",
                "cafe/24",
                "10.1/24",
                "10.0.1.9/-1",
                "10.0.1.9/33",
                "fd00::1/129"
            })
    void rejectsOtherTextWithoutADnsLookup(String text) {
        assertThatThrownBy(() -> Subnet.of(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
