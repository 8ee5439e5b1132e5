package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The schema accepts everything that Millau reads, and rejects most of what it does not read. */
class LabelSchemaTest {

    @ParameterizedTest(name = "{0}={1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "enabled       | true",
                "enabled       | FALSE",
                "port          | 65535",
                "hosts         | *",
                "hosts         | Company.com. blue.local  bücher.example",
                "hosts         | [2001:db8::1] my_host",
                "hosts         | ::1 2001:db8:: 2001:DB8:0:0:0:0:0:1 ::ffff:192.0.2.1",
                "hosts         | straße.example ☃.net",
                "path          | /api/",
                "path          | /ä/{x}|y",
                "timeout       | 0.5",
                "retry         | 0",
                "retry-unsafe  | true",
                "weight        | 1000",
                "balance       | Least-Connections",
                "balance       | round-robin",
                "sticky        | true",
                "health        | /health?full=1",
                "drain         | 86400",
                "buffer        | 1M",
                "buffer        | 65536",
                "users         | a:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a",
                "users         | YTokMnkkMDUkYWJjZGVmZ2hpamtsbW5vcHFyc3R1dU9RaXlDeGxnZi9vZXVUcWl4S21XZGNZVWg0SGpsMGE=",
                "network       | my front",
                "request-header  | X-Tenant=a=b, ü",
                "request-header  | X-Debug=",
                "response-header | Content-Security-Policy=default-src 'self'; img-src *",
                "redirect      | HTTPS",
                "hsts          | 31536000",
                "scheme        | H2C",
                "scheme        | http",
                "upstream-name | Api.internal",
            })
    void acceptsValidValues(String name, String text) {
        assertThat(label(name).type().read(text)).isNotNull();
        assertThat(label(name).isFamily() ? text.substring(text.indexOf('=') + 1) : text)
                .matches(pattern(name));
    }

    @ParameterizedTest(name = "{0}={1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "enabled       | yes",
                "port          | eighty",
                "hosts         | *one.com",
                "hosts         | one.com,two",
                "hosts         | one.com:80",
                "hosts         | http://one",
                "path          | api",
                "path          | /api?x",
                "timeout       | 30s",
                "weight        | 10%",
                "balance       | leastconn",
                "health        | health",
                "health        | /a#b",
                "buffer        | 64kb",
                "users         | alice:secret",
                "redirect      | true",
                "hsts          | 1y",
                "scheme        | ftp",
                "upstream-name | *",
                "cert          | x?",
            })
    void rejectsInvalidValues(String name, String text) {
        assertThat(text).doesNotMatch(pattern(name));
    }

    @Test
    void unknownLabelsAreRejected() {
        String schema = Labels.ALL.schema();
        String start = "\"patternProperties\": {\"";
        int from = schema.indexOf(start) + start.length();
        Pattern unknown = Pattern.compile(
                schema.substring(from, schema.indexOf("\": false", from)).replace("\\\\", "\\"));

        assertThat("millau.prot").matches(text -> unknown.matcher(text).find());
        assertThat("millau.ports").matches(text -> unknown.matcher(text).find());
        assertThat("millau.port").matches(text -> !unknown.matcher(text).find());
        assertThat("millau.retry-unsafe").matches(text -> !unknown.matcher(text).find());
        assertThat("millau.request-header.X-Tenant")
                .matches(text -> !unknown.matcher(text).find());
        assertThat("millau.request-header")
                .matches(text -> unknown.matcher(text).find());
        assertThat("millau.request-header.X:Y")
                .matches(text -> unknown.matcher(text).find());
        assertThat("millau.admin.port").matches(text -> !unknown.matcher(text).find());
        assertThat("millau.admin.response-header.Server")
                .matches(text -> !unknown.matcher(text).find());
        assertThat("millau.admin.prot").matches(text -> unknown.matcher(text).find());
        assertThat("millau.ad_min.port").matches(text -> unknown.matcher(text).find());
        assertThat("traefik.port").matches(text -> !unknown.matcher(text).find());
    }

    /** In a list, the name and the value of a label are one text. */
    @Test
    void labelsOfAFamilyAreAcceptedInListsAndMappings() {
        String schema = Labels.ALL.schema();

        assertThat(schema)
                .contains("\"^millau\\\\.(?:[0-9A-Za-z-]+\\\\.)?response-header\\\\.[0-9A-Za-z!#$%&'*+.^_`|~-]+$\": {");
        assertThat("millau.response-header.X-Frame-Options=DENY")
                .matches("^millau\\.response-header\\." + HeaderFields.NAME_PATTERN + "=\\s*(?:"
                        + pattern("response-header") + ")\\s*$");
    }

    /** A header may have the name of a label. */
    @Test
    void theLabelsOfARouteHaveTheValuesOfThoseWithoutAName() {
        String schema = Labels.ALL.schema();
        Pattern ports = Pattern.compile(
                "(?m)^ *\"([^\"]+)\": \\{\"[$]ref\": \"#/definitions/mapping/properties/millau[.]port\"}");
        Matcher port = ports.matcher(schema);

        assertThat(port.find()).isTrue();
        Pattern name = Pattern.compile(port.group(1).replace("\\\\", "\\"));
        assertThat("millau.admin.port").matches(name);
        assertThat("millau.request-header.port").doesNotMatch(name);
        assertThat(schema).contains("\"millau.port\": {");
    }

    private static Label<?> label(String name) {
        return Labels.ALL.inDocker().stream()
                .filter(label -> label.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static String pattern(String name) {
        String pattern = label(name).type().pattern();
        assertThat(Labels.ALL.schema()).contains(pattern.replace("\\", "\\\\").replace("\"", "\\\""));
        return pattern;
    }
}
