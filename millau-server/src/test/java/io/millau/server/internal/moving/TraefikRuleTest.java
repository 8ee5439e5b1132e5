package io.millau.server.internal.moving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TraefikRuleTest {

    private static String read(String rule) {
        return TraefikRule.read(rule).selections().stream()
                .map(of -> String.join(" ", of.hosts())
                        + (of.path().isEmpty() ? "" : " " + of.path())
                        + (of.exact() ? "$" : "")
                        + (of.clients().isEmpty() ? "" : " from " + String.join(" ", of.clients())))
                .collect(Collectors.joining("; "));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '~',
            value = {
                "Host(`a.example`); a.example",
                "Host(`a.example`,`b.example`); a.example b.example",
                "Host(`a.example`) || Host(`b.example`); a.example b.example",
                "Host( \"a.example\" ); a.example",
                "(Host(`a.example`)||Host(`b.example`))&&PathPrefix(`/x`); a.example b.example /x",
                "Host(`a.example`) && (PathPrefix(`/x`) || PathPrefix(`/y`)); ~a.example /x; a.example /y~",
                "Host(`a.example`) || Host(`b.example`) && PathPrefix(`/x`); ~a.example; b.example /x~",
                "Host(`a.example`) && PathPrefix(`/x`, `/y`); ~a.example /x; a.example /y~",
                "Host(`a.example`) && Path(`/x`); a.example /x$",
                "PathPrefix(`/x`); ~ /x~",
                "Host(`a.example`) && ClientIP(`10.0.0.0/8`, `::1`); a.example from 10.0.0.0/8 ::1",
                "ClientIP(`::1`) || Host(`a.example`) && ClientIP(`::2`); ~ from ::1; a.example from ::2 ::1~",
                "ClientIP(`::1`) && PathPrefix(`/x`) || Host(`a.example`) && PathPrefix(`/x`); ~ /x from ::1; a.example /x~",
                "Host(`a.example`) && ClientIP(`::1`) || Host(`b.example`) && ClientIP(`::2`); ~a.example from ::1; b.example from ::2~",
                "Host(`${NAME?not set}.example`); ${NAME?not set}.example",
                "HostRegexp(`{host:.+}`); ~~",
                "HostRegexp(`.*`) && PathPrefix(`/x`); ~ /x~",
                "HostRegexp(`{sub:[a-z0-9-]+}.a.example`); *.a.example",
                "HostRegexp(`{sub:.*}.${DOMAIN}`); *.${DOMAIN}",
                "HostRegexp(`^[^.]+\\.a\\.example$`); *.a.example",
                "HostRegexp(`^.+\\.a\\.example$`); *.a.example",
                "HostRegexp(`a.example`, `{x:.+}.a.example`); a.example *.a.example",
            })
    void aRuleSelectsHostsAndPaths(String rule, String selected) {
        assertThat(read(rule)).isEqualTo(selected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "''; character 1 of the rule: expected Host(`shop.example`)",
                "${RULE}; character 1 of the rule",
                "a.example; character 2 of the rule",
                "Host(`a.example`; character 17 of the rule",
                "Host(`a.example; character 6 of the rule",
                "Host(); character 6 of the rule",
                "Host(`a.example`) Path(`/x`); character 19 of the rule",
                "Host(`a.example`) &&; character 21 of the rule",
                "Host(`a.example`) && Host(`b.example`); expected no two hosts",
                "PathPrefix(`/a`) && Path(`/a/b`); expected no two paths",
            })
    void aRuleThatCannotBeCarriedOverIsRefusedWithAReason(String rule, String reason) {
        assertThatThrownBy(() -> read(rule))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(reason);
    }

    /** The rest of the router is carried over, closed. */
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "Hots(`a.example`); Hots is not known here",
                "!Host(`a.example`); ! has no counterpart",
                "Host(`a.example`) && Headers(`X-Key`, `s3cret`); Headers has no label",
                "Host(`a.example`) || Method(`POST`); Method has no label",
                "PathPrefix(`/{id:[0-9]+}`); a path with a pattern",
                "HostRegexp(`mail.a.(example|test)`); this HostRegexp has no label",
                "Host(`a.example`) && !(Path(`/x`) || Method(`GET`)); ! has no counterpart",
            })
    void aConditionThatHasNoLabelIsIgnoredWithAReason(String rule, String reason) {
        assertThat(TraefikRule.read(rule).ignored()).isNotEmpty().anyMatch(why -> why.startsWith(reason));
        assertThat(TraefikRule.read(rule).selections()).isNotEmpty();
    }

    @Test
    void conditionsBesideOneWithoutALabelAreRead() {
        assertThat(read("Host(`a.example`) && !PathPrefix(`/internal`) && PathPrefix(`/x`)"))
                .isEqualTo("a.example /x");
        assertThat(read("Host(`a.example`) && Method(`POST`)")).isEqualTo("a.example");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "HostRegexp(`^[a-z0-9-]+\\.app\\.example\\.org$`); true",
                "HostRegexp(`[^.]+.a.example`); true",
                "HostRegexp(`{sub:[a-z0-9-]+}.a.example`); true",
                "HostRegexp(`\\w+.a.example`); true",
                "HostRegexp(`.+.a.example`); false",
                "HostRegexp(`[a-z.]+.a.example`); false",
                "HostRegexp(`{sub:.*}.a.example`); false",
                "Host(`a.example`); false",
            })
    void aPatternForOneLabelIsKnown(String rule, boolean oneLabel) {
        assertThat(TraefikRule.read(rule).selections()).allMatch(selection -> selection.oneLabel() == oneLabel);
    }
}
