package io.millau.acme;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.Certificate;
import io.millau.core.CertificateStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NameStateTest {

    private static final Instant NOW = Instant.now();
    private static final Duration WEEK = Duration.ofDays(7);

    private final NameState state = new NameState("shop.millau-proxy.org");

    private static StoredCertificate certificate() {
        return new StoredCertificate(
                "ca_dir", "https://ca/1", ChallengeType.HTTP, Certificate.selfSigned("shop.millau-proxy.org"));
    }

    private void readNothing() {
        state.want(true, true);
        assertThat(state.begin(NOW, true)).isEqualTo(NameState.Step.READ);
        state.read(Optional.empty(), NOW);
        state.done();
    }

    private Duration failAndPause() {
        state.failed("refused", Instant.MIN, NOW);
        return Duration.between(NOW, state.orderAt());
    }

    @Test
    void theStoreIsReadBeforeTheFirstOrder() {
        readNothing();
        assertThat(state.begin(NOW, true)).isEqualTo(NameState.Step.ORDER);
    }

    @Test
    void thereIsOneStepAtATime() {
        readNothing();
        assertThat(state.begin(NOW, true)).isEqualTo(NameState.Step.ORDER);
        assertThat(state.begin(NOW, true)).isNull();
        state.done();
        assertThat(state.begin(NOW, true)).isEqualTo(NameState.Step.ORDER);
    }

    @Test
    void thereAreNoStepsForANameThatIsNotWanted() {
        assertThat(state.begin(NOW, true)).isNull();
        readNothing();
        state.want(false, false);
        assertThat(state.begin(NOW, true)).isNull();
        assertThat(state.isOver(NOW)).isTrue();
    }

    @Test
    void nothingIsOrderedForAHostWithoutAnInstance() {
        readNothing();
        state.want(true, false);

        assertThat(state.begin(NOW, true)).isNull();
        assertThat(state.status().trouble()).contains("once a service of this host has an instance");

        state.want(true, true);
        assertThat(state.begin(NOW, true)).isEqualTo(NameState.Step.ORDER);
    }

    @Test
    void aCertificateIsRenewedWhileItsServiceRests() {
        readNothing();
        state.obtained(certificate(), true, NOW);
        state.want(true, false);

        Instant due = state.renewal().plus(Duration.ofDays(1));
        state.suggested(Optional.empty(), due);
        assertThat(state.begin(due, true)).isEqualTo(NameState.Step.ORDER);
    }

    @Test
    void failuresBackOffFromAMinuteToTwelveHours() {
        readNothing();
        assertThat(failAndPause()).isBetween(Duration.ofSeconds(45), Duration.ofSeconds(75));
        assertThat(failAndPause()).isBetween(Duration.ofSeconds(90), Duration.ofSeconds(150));
        for (int i = 0; i < 100; i++) {
            failAndPause();
        }
        assertThat(failAndPause()).isBetween(Duration.ofHours(9), Duration.ofHours(15));
        assertThat(state.begin(NOW.plus(Duration.ofHours(8)), true)).isNull();
        assertThat(state.begin(NOW.plus(Duration.ofHours(16)), true)).isEqualTo(NameState.Step.ORDER);
    }

    @Test
    void theBackoffSurvivesTheRemovalAndReturnOfAName() {
        readNothing();
        failAndPause();
        state.want(false, false);
        assertThat(state.isOver(NOW)).isFalse();
        state.want(true, true);
        assertThat(state.begin(NOW, true)).isEqualTo(NameState.Step.READ);
        state.read(Optional.empty(), NOW);
        state.done();
        assertThat(state.begin(NOW, true)).isNull();
    }

    @Test
    void theRetryAfterOfACaIsRespectedUpToALimit() {
        readNothing();
        Instant asked = NOW.plus(Duration.ofHours(3));
        state.failed("limited", asked, NOW);
        assertThat(state.orderAt()).isEqualTo(asked);
        state.failed("limited", NOW.plus(Duration.ofDays(1000)), NOW);
        assertThat(state.orderAt()).isEqualTo(NOW.plus(WEEK));
    }

    @Test
    void failuresThatDifferInTokenAndPortAreTheSame() {
        String first =
                "Fetching http://a/.well-known/acme-challenge/hXvfQl0nlBYVoPtu8GqbYNCCdIwJ from 10.0.0.1:4711: refused";
        String again =
                "Fetching http://a/.well-known/acme-challenge/Zp9dw2yLxT5nM1Ce7uAfqRtkKjHg from 10.0.0.1:4712: refused";
        assertThat(state.failed(first, Instant.MIN, NOW)).isFalse();
        assertThat(state.failed(again, Instant.MIN, NOW)).isTrue();
        assertThat(state.failed("timed out", Instant.MIN, NOW)).isFalse();
    }

    @Test
    void theCaIsAskedAboutRenewalAtLeastDaily() {
        state.want(true, true);
        assertThat(state.begin(NOW, true)).isEqualTo(NameState.Step.READ);
        state.read(Optional.of(certificate()), NOW);
        state.done();
        assertThat(state.begin(NOW.plus(Duration.ofMinutes(59)), true)).isNull();
        Instant later = NOW.plus(Duration.ofHours(7));
        assertThat(state.begin(later, true)).isEqualTo(NameState.Step.ASK);
        Instant distant = later.plus(WEEK);
        state.suggested(Optional.of(new Renewal.Window(distant, distant.plusSeconds(1), Optional.of(distant))), later);
        state.done();
        assertThat(state.begin(later.plus(Duration.ofHours(23)), true)).isNull();
        assertThat(state.begin(later.plus(Duration.ofHours(25)), true)).isEqualTo(NameState.Step.ASK);
    }

    @Test
    void alwaysExpiredCertificatesCauseNoEndlessOrders() {
        readNothing();
        Instant late = NOW.plus(Duration.ofDays(400));
        state.obtained(certificate(), true, late);
        assertThat(state.begin(late, true)).isNull();
        assertThat(state.begin(late.plus(Duration.ofMinutes(2)), true)).isEqualTo(NameState.Step.ORDER);
    }

    @Test
    void aCertificateThatCouldNotBeStoredIsStoredLater() {
        readNothing();
        state.obtained(certificate(), false, NOW);
        assertThat(state.unstored()).isPresent();
        assertThat(state.begin(NOW.plus(Duration.ofMinutes(2)), true)).isEqualTo(NameState.Step.READ);
        state.stored();
        assertThat(state.unstored()).isEmpty();
    }

    @Test
    void theStatusIsEmptyDuringTheFirstOrder() {
        readNothing();

        assertThat(state.status()).isEqualTo(status(null, null));
    }

    @Test
    void theStatusAfterAFailureHasTheReasonAndTheNextTry() {
        readNothing();
        state.failed("the CA is away", Instant.MIN, NOW);
        assertThat(state.status()).isEqualTo(status(state.orderAt(), "the CA is away"));

        Instant asked = NOW.plus(Duration.ofHours(3));
        state.failed("too many orders", asked, NOW);
        assertThat(state.status()).isEqualTo(status(asked, "too many orders"));
    }

    private static CertificateStatus status(@Nullable Instant renewal, @Nullable String trouble) {
        return CertificateStatus.of(Set.of("shop.millau-proxy.org"), "ACME", null, null, renewal, trouble);
    }

    @Test
    void theStatusOfACertificateHasItsIssuerAndRenewal() {
        readNothing();
        state.failed("the CA is away", Instant.MIN, NOW);
        StoredCertificate obtained = certificate();
        state.obtained(obtained, true, NOW);

        assertThat(state.status())
                .isEqualTo(CertificateStatus.of(
                        Set.of("shop.millau-proxy.org"),
                        "ACME",
                        obtained.certificate().issuer(),
                        obtained.expires(),
                        state.renewal(),
                        null));
        assertThat(state.status().renewal()).isBefore(obtained.expires());
    }

    @Test
    void theStatusAfterAFailedRenewalHasTheReason() {
        readNothing();
        state.obtained(certificate(), true, NOW);
        Instant late = state.renewal().plus(Duration.ofDays(1));
        state.failed("the CA is away", Instant.MIN, late);

        assertThat(state.status().trouble()).isEqualTo("the CA is away");
        assertThat(state.status().expires()).isNotNull();
        assertThat(state.status().renewal()).isEqualTo(state.orderAt()).isAfter(late);
    }

    /** The certificate was shown as missing for ever although another replica had obtained it. */
    @Test
    void aFailureIsOverWhenAnotherReplicaObtainsTheCertificate() {
        readNothing();
        state.failed("the CA is away", Instant.MIN, NOW);
        state.take(certificate(), NOW);

        assertThat(state.status().trouble()).isNull();
        assertThat(state.status().issuer()).isNotNull();
    }
}
