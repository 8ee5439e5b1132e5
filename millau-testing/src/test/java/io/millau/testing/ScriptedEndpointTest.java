package io.millau.testing;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert;
import org.junit.jupiter.api.Test;

class ScriptedEndpointTest {

    /** It refused connections. */
    @Test
    void aFaultThatHasNoBytesIsRefused() {
        assertThatThrownBy(() -> ScriptedEndpoint.that(Fault.STREAM_REFUSED))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("STREAM_REFUSED: expected a fault of HTTP/1.1 or TLS");
        assertThatThrownBy(() -> ScriptedEndpoint.overTls(TestCertificates.TRUSTED, Fault.STREAM_RESET))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatIsMissingIsRefusedByName() {
        isMissing("script", () -> ScriptedEndpoint.that((ScriptedEndpoint.Script) null));
        isMissing("script", () -> ScriptedEndpoint.overTls(TestCertificates.TRUSTED, (ScriptedEndpoint.Script) null));
        isMissing("fault", () -> ScriptedEndpoint.that((Fault) null));
        isMissing("context", () -> ScriptedEndpoint.overTls(null, Fault.HANG));
        isMissing("response", () -> ScriptedEndpoint.thatResponds(null));
        isMissing("body", () -> ScriptedEndpoint.thatSays(null));
    }

    private static void isMissing(String name, ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(NullPointerException.class).hasMessage(name);
    }
}
