package io.millau.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.core.Service;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccessLabelsTest {

    private static final String HASH = "$2y$04$9w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2";

    private static Vocabulary.Reading read(String label, String value) {
        return ServiceLabels.read(
                Map.of("millau.enabled", "true", "millau.port", "80", "millau." + label, value), List.of());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            allow     | 10.0.0/8      | millau.allow=10.0.0/8: "10.0.0/8": expected addresses or ranges such as 10.0.0.0/8 or 2001:db8::/32, private, or cloudflare | true
            allow     | office        | millau.allow=office: "office": expected addresses or ranges such as 10.0.0.0/8 or 2001:db8::/32, private, or cloudflare | true
            allow     | 10.0.0.0/33   | millau.allow=10.0.0.0/33: "10.0.0.0/33": expected a prefix of 0 to 32 bits after the / | true
            limit     | 20            | millau.limit=20: expected a number of requests per second, minute or hour, such as 20/s or 600/m: write 20/s | true
            limit     | 0/s           | millau.limit=0/s: expected a number of requests per second, minute or hour, such as 20/s or 600/m | true
            limit     | 20/day        | millau.limit=20/day: expected a number of requests per second, minute or hour, such as 20/s or 600/m | true
            limti     | 20/s          | millau.limti=20/s: unknown, did you mean millau.limit? Without it the service is not protected | true
            users | alice | millau.users: expected name:hash of each user, separated by spaces, or all of that in Base64 | true
            users | !!! | millau.users: expected name:hash of each user, separated by spaces, or all of that in Base64 | true
            users | al:secret | millau.users: user 1: expected a bcrypt hash, such as htpasswd -nB NAME makes | true
            users | a:$2y$04$9w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2 b:$apr1$x$y | millau.users: user 2: expected a bcrypt hash, such as htpasswd -nB NAME makes | true
            users | a:$2y$04$9w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2 b | millau.users: user 2: expected name:hash of each user, separated by spaces, or all of that in Base64 | true
            users | a:$2y$04$9w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2 a:$2b$04$9w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2 | millau.users: user 2: the name is there twice, expected one hash of each user | true
            users | a:$2y$15$9w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2 | millau.users: user 1: the hash has cost 15, expected 4 to 14 | true
            users | a:$2y$03$9w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2 | millau.users: user 1: the hash has cost 3, expected 4 to 14 | true
            users | a:y5abc | millau.users: user 1: expected a bcrypt hash, such as htpasswd -nB NAME makes; it seems that a $ in it was taken for a variable: in a Compose file write $$ for each $, such as name:$$2y$$10$$..., in a shell put it in single quotes, or give all users in Base64 | true
            users | a:y059w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2 | millau.users: user 1: expected a bcrypt hash, such as htpasswd -nB NAME makes; it seems that a $ in it was taken for a variable: in a Compose file write $$ for each $, such as name:$$2y$$10$$..., in a shell put it in single quotes, or give all users in Base64 | true
            users | a:ybash5/xyz | millau.users: user 1: expected a bcrypt hash, such as htpasswd -nB NAME makes; it seems that a $ in it was taken for a variable: in a Compose file write $$ for each $, such as name:$$2y$$10$$..., in a shell put it in single quotes, or give all users in Base64 | true
            users | a:y-bash5 | millau.users: user 1: expected a bcrypt hash, such as htpasswd -nB NAME makes; it seems that a $ in it was taken for a variable: in a Compose file write $$ for each $, such as name:$$2y$$10$$..., in a shell put it in single quotes, or give all users in Base64 | true
            users | a:2y059w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2 | millau.users: user 1: expected a bcrypt hash, such as htpasswd -nB NAME makes; it seems that a $ in it was taken for a variable: in a Compose file write $$ for each $, such as name:$$2y$$10$$..., in a shell put it in single quotes, or give all users in Base64 | true
            users | a:$2y$04$.dwqdnDSw3bM2V | millau.users: user 1: expected a bcrypt hash, such as htpasswd -nB NAME makes; it has 21 characters, expected 60 | true
            users | a:$2y$04.dwqdnDSw3bM2V | millau.users: user 1: expected a bcrypt hash, such as htpasswd -nB NAME makes; it seems that a $ in it was taken for a variable: in a Compose file write $$ for each $, such as name:$$2y$$10$$..., in a shell put it in single quotes, or give all users in Base64 | true
            users | a:.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2 | millau.users: user 1: expected a bcrypt hash, such as htpasswd -nB NAME makes; it seems that a $ in it was taken for a variable: in a Compose file write $$ for each $, such as name:$$2y$$10$$..., in a shell put it in single quotes, or give all users in Base64 | true
            users | a: | millau.users: user 1: expected a bcrypt hash, such as htpasswd -nB NAME makes; it seems that a $ in it was taken for a variable: in a Compose file write $$ for each $, such as name:$$2y$$10$$..., in a shell put it in single quotes, or give all users in Base64 | true
            users | a:$2y$04$9w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2,b:$2y$04$9w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2 | millau.users: user 1: expected a bcrypt hash, such as htpasswd -nB NAME makes; there is a comma in it: separate users by spaces | true
            users | a:$$2y$$04$$9w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2 | millau.users: user 1: expected a bcrypt hash, such as htpasswd -nB NAME makes; here it begins with $$, which is right in a Compose file alone: write each $ once | true
            user | a:$2y$04$9w1N3zVvcmjJcHpFMFJm1.dwqdnDSw3bM2V3XW1Z1n0mKQ5lqJQh2 | millau.user: unknown, did you mean millau.users? Without it the service is not protected | true
            auth | login/verify | millau.auth: expected a URL such as http://login:4180/verify, without user, password and # | true
            auth | http://a:b@login/ | millau.auth: expected a URL such as http://login:4180/verify, without user, password and # | true
            auth | ftp://login/ | millau.auth: expected a URL such as http://login:4180/verify, without user, password and # | true
            auth | http://login/%zz | millau.auth: expected a URL such as http://login:4180/verify | true
            auth | http://my_login/ | millau.auth: expected a URL such as http://login:4180/verify, with a host of letters, digits, dots and hyphens | true
            auth-headers | X-User | millau.auth is missing: expected beside millau.auth-headers | true
            auht | http://login/ | millau.auht: unknown, did you mean millau.auth? Without it the service is not protected | true
            compress  | gzip          | millau.compress=gzip: expected true or false | false
            strip     | yes           | millau.strip=yes: expected true or false: write true | false
            canonical | a/b           | millau.canonical=a/b: expected host names separated by spaces, without port, or * | false
            canonical | *             | millau.canonical=*: expected one name | false
            """)
    void aMistakeIsExplainedAndClosesWhatIsProtected(String label, String value, String problem, boolean closed) {
        assertThat(read(label, value).problems()).containsExactly(problem);
        assertThat(read(label, value).closed()).isEqualTo(closed);
    }

    /** Names of other proxies, or of nobody: the service was open to all, and the message listed all labels. */
    @ParameterizedTest
    @CsvSource({
        "basic-auth, users",
        "basicauth, users",
        "basicAuth, users",
        "auth_users, users",
        "auth-users, users",
        "htpasswd, users",
        "rate-limit, limit",
        "ratelimit.average, limit",
        "ip-allow, allow",
        "allowlist, allow",
        "whitelist, allow",
        "ip-whitelist, allow",
        "ipAllowList.sourceRange, allow",
        "mtls, client-ca",
        "forward-auth, auth",
        "max-body-size, max-body",
        "users.ann, users",
        "admin.whitelist, admin.allow"
    })
    void aLabelByAnotherNameThatIsToProtectClosesTheService(String label, String meant) {
        assertThat(read(label, "x").closed()).isTrue();
        assertThat(read(label, "x").problems())
                .singleElement()
                .asString()
                .startsWith("millau." + label)
                .endsWith(": unknown, did you mean millau." + meant + "? Without it the service is not protected");
        assertThat(ServiceLabels.read(Map.of("millau." + label, "x"), List.of()).problems())
                .singleElement()
                .asString()
                .endsWith(": unknown, did you mean millau." + meant + "?");
    }

    /** What says nothing about access leaves the service as it is. */
    @ParameterizedTest
    @ValueSource(strings = {"retry-limit", "rate", "colour", "tls", "header.X", "password-page", "timeout.read"})
    void otherUnknownLabelsDoNotCloseTheService(String label) {
        assertThat(read(label, "x").closed()).isFalse();
        assertThat(read(label, "x").problems()).hasSize(1);
    }

    /** What {@code check --from} prints for a value that may be secret: pasted as it is, it must neither be sent nor believed. */
    @ParameterizedTest
    @ValueSource(strings = {"users", "auth", "auth-headers", "request-header.X-Api-Key", "response-header.X", "sticky"})
    void aValueThatIsStillToBePutInClosesTheService(String label) {
        Vocabulary.Reading reading = read(label, "VALUE_OF_traefik.http.middlewares.a.b");

        assertThat(reading.problems())
                .anySatisfy(problem -> assertThat(problem)
                        .startsWith("millau." + label)
                        .endsWith(
                                ": expected the value itself in place of this word, which check --from prints for a value that"
                                        + " may be secret"));
        assertThat(reading.closed()).isTrue();
    }

    @Test
    void anEmptyListOfAddressesIsAMistake() {
        assertThat(read("allow", " ").problems())
                .containsExactly(
                        "millau.allow=: expected addresses or ranges such as 10.0.0.0/8 or 2001:db8::/32, private, or"
                                + " cloudflare");
    }

    /** Who looks for the right name tries others. */
    @ParameterizedTest
    @ValueSource(strings = {"u:$2y", "us:$2y", "use:$2y", "u:$2a", "us:$2a", "use:$2a", "u:$2b", "us:$2b", "use:$2b"})
    void aHashIsNotShownUnderAnotherName(String start) {
        String text = start + HASH.substring(3);
        String inBase64 = Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));

        for (String value : List.of(text, inBase64)) {
            assertThat(read("secret", value).problems().get(0)).startsWith("millau.secret: unknown; known are ");
            assertThat(read("basic-auth", value).problems().get(0)).startsWith("millau.basic-auth: unknown, did you");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"alice:%1$s bob:%1$s", "alice:%1$s\tbob:%1$s", "alice:%1$s\r\nbob:%1$s\n"})
    void usersAreReadPlainAndInBase64(String form) {
        String text = form.formatted(HASH);
        String inBase64 = Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));

        for (String value : List.of(text, inBase64, inBase64.substring(0, 9) + "\n " + inBase64.substring(9))) {
            assertThat(read("users", value).problems()).isEmpty();
            Service service = Service.named("a").users(value).build();
            assertThat(service.users()).containsExactly("alice", "bob");
            assertThat(service.filters()).hasSize(1);
            assertThat(service.toString() + service.filters() + Users.parse(value))
                    .doesNotContain("$", "9w1N3");
        }
    }

    @Test
    void theUsersOfTwoServicesAreEqualIfTheirHashesAre() {
        Service service = Service.named("a").users("alice:" + HASH).build();
        String other = HASH.replace("$2y", "$2b");

        assertThat(service)
                .isEqualTo(Service.named("a").users("alice:" + HASH).build())
                .isNotEqualTo(Service.named("a").users("alice:" + other).build());
        assertThat(service.settingsThatDiffer(
                        service.toBuilder().users("alice:" + other).build()))
                .containsExactly("users");
        assertThat(service.toBuilder().users(null).build().users()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Connection",
                "content-length",
                "Host",
                "X-Forwarded-For",
                "Forwarded",
                "X-Real-IP",
                "X-Request-Id"
            })
    void someFieldsAreNeverThoseOfAnAuthServer(String name) {
        assertThatThrownBy(() -> Service.named("a").authHeaders("X-User", name))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(
                        "auth-headers=[X-User, " + name + "]: " + name + " is set by Millau, or frames the message");
    }

    @Test
    void theCanonicalHostIsOneOfTheHosts() {
        assertThat(Service.named("a")
                        .hosts("www.a.example")
                        .canonical("A.example.")
                        .build()
                        .hosts())
                .containsExactly("www.a.example", "a.example");
        assertThat(Service.named("a").canonical("a.example").build().hosts()).containsExactly("*", "a.example");
        assertThat(Service.named("a")
                        .hosts("a.example")
                        .canonical("a.example")
                        .build()
                        .hosts())
                .containsExactly("a.example");
    }

    @Test
    void servicesWithTheSameLabelsAreEqual() {
        Service one = Service.named("a")
                .allow("10.0.0.0/8")
                .limit("20/s")
                .strip(true)
                .path("/a/")
                .build();
        Service same = Service.named("a")
                .allow("10.0.0.0/8")
                .limit("20/s")
                .strip(true)
                .path("/a/")
                .build();

        assertThat(one).isEqualTo(same);
        assertThat(one.allow()).isEqualTo("10.0.0.0/8");
        assertThat(one.limit()).isEqualTo("20/s");
        assertThat(one.filters()).hasSize(3);
        assertThat(one.settingsThatDiffer(
                        same.toBuilder().limit("30/s").allow(null).build()))
                .containsExactly("allow", "limit");
        assertThat(one.toBuilder().build().filters()).hasSize(3);
    }
}
