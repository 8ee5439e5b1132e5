package io.millau.core;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What is missing is named where it is missing. It was a NullPointerException without a text, or about a line within the JDK. */
class NullsTest {

    private static final Service.Builder SERVICE = Service.named("app");

    static Stream<Arguments> nulls() {
        return Stream.of(
                missing("hosts", () -> SERVICE.hosts((String) null)),
                missing("hosts", () -> SERVICE.hosts((String[]) null)),
                missing("hosts", () -> SERVICE.hosts((List<String>) null)),
                missing("hosts", () -> SERVICE.hosts(Arrays.asList("a.example", null))),
                missing("endpoints", () -> SERVICE.endpoints((Endpoint) null)),
                missing("endpoints", () -> SERVICE.endpoints((List<Endpoint>) null)),
                missing("filter", () -> SERVICE.filter(null)),
                missing("names", () -> SERVICE.authHeaders((String) null)),
                missing("name", () -> SERVICE.requestHeader(null, "1")),
                missing("value", () -> SERVICE.responseHeader("X-A", null)),
                missing("clientCa", () -> SERVICE.clientCa(null)),
                missing("address", () -> Endpoint.http((InetSocketAddress) null)),
                missing("scheme", () -> new Endpoint("1", null, InetAddress.getLoopbackAddress(), 80, null)),
                missing("ca", () -> new UpstreamTls(null, "a.example")),
                missing("name", () -> new UpstreamTls(Set.of(), null)),
                missing("store", () -> Certificate.of(null, new char[0])),
                missing("password", () -> Certificate.of(KeyStore.getInstance("PKCS12"), null)),
                missing("name", () -> Certificate.selfSigned(null)),
                missing("chainPem", () -> Certificate.parse(null, "")),
                missing("key", () -> new Certificate(null, List.of())),
                missing("certificate", () -> CertificateSource.of((Certificate) null)),
                missing("folder", () -> CertificateSource.folder(null)),
                missing("service", () -> ServiceSource.of((Service) null)),
                missing("services", () -> ServiceSource.of((Service[]) null)),
                missing("services", () -> ServiceSource.of().replace((List<Service>) null)),
                missing("file", () -> ServiceSource.file((Path) null)),
                missing("folder", () -> ServiceSource.folder((Path) null)),
                missing("pause", () -> ServiceSource.polling("db", null, () -> Snapshot.EMPTY)),
                missing("reading", () -> ServiceSource.polling("db", Duration.ofSeconds(1), null)),
                missing("key", () -> LoadBalancer.hashing(null)),
                missing("html", () -> FailurePage.Page.html(null)));
    }

    private static Arguments missing(String name, ThrowingCallable call) {
        return Arguments.of(name, call);
    }

    @ParameterizedTest
    @MethodSource("nulls")
    void aNullIsNamed(String name, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(NullPointerException.class).hasMessage(name);
    }
}
