package io.millau.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConfigurationTest {

    @Test
    void whyAFileCannotBeReadIsSaidInWords() {
        assertThatThrownBy(() -> read(Map.of("ACME_CA", "/no/such.pem")))
                .hasMessage("ACME_CA=/no/such.pem: expected a file that can be read (there is none)");
    }

    private static Configuration read(Map<String, String> environment) throws Exception {
        return Configuration.read(environment, Configuration.Addresses.USUAL);
    }

    /** A redirect to a port that nobody had published, since the variable was misspelled: not a word in the log. */
    @Test
    void misspelledVariablesAreFoundAndThoseOfOthersAreNot() throws Exception {
        Map<String, String> environment = new HashMap<>(Map.of(
                "HTPP",
                ":8080",
                "HTTPS_PROT",
                "8443",
                "ACME_MAIL",
                "me@shop.example",
                "DOCKER_LABLE",
                "a",
                "LOGING",
                "DEBUG",
                "HTTP_PORT",
                "80"));
        for (String other : List.of(
                "PATH",
                "HOME",
                "HOSTNAME",
                "HOST",
                "LANG",
                "TERM",
                "PWD",
                "SHLVL",
                "JAVA_HOME",
                "JAVA_TOOL_OPTIONS",
                "LICENSE",
                "HTTP_PROXY",
                "HTTPS_PROXY",
                "NO_PROXY",
                "http_proxy",
                "USER",
                "TZ",
                "_",
                "DOCKER_CONTEXT")) {
            environment.put(other, "x");
        }

        assertThat(read(environment).misspelled())
                .containsOnly(
                        Map.entry("HTPP", "HTTP"),
                        Map.entry("HTTPS_PROT", "HTTPS_PORT"),
                        Map.entry("ACME_MAIL", "ACME_EMAIL"),
                        Map.entry("DOCKER_LABLE", "DOCKER_LABEL"),
                        Map.entry("LOGING", "LOGGING"),
                        Map.entry("HTTP_PORT", "HTTP"));
    }

    @Test
    void everyVariableIsKnownWhateverIsSet() throws Exception {
        assertThat(read(Map.of(
                                "ACME",
                                "off",
                                "ACME_DNS",
                                "x",
                                "ACME_EMAIL",
                                "x",
                                "ACME_CA",
                                "x",
                                "DOCKER_CERT_PATH",
                                "x"))
                        .misspelled())
                .isEmpty();
    }

    @Test
    void httpsMayBeOff() throws Exception {
        assertThat(read(Map.of("HTTPS", "off")).https()).isNull();
        assertThatThrownBy(() -> read(Map.of("HTTPS", "on")))
                .hasMessage("HTTPS=on: expected 8080, :8080, 127.0.0.1:8080 or [::1]:8080, or off");
    }
}
