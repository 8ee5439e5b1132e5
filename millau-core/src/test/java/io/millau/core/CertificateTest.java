package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millau.core.internal.Pem;
import io.millau.core.testing.Authority;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CertificateTest {

    private static final Authority ROOT = Authority.root("root");
    private static final Instant NOW = Instant.now();

    @Test
    void aChainAndItsKeyAreReadFromPem() {
        Certificate issued = ROOT.intermediate("middle").issue("shop.example");

        Certificate read = Certificate.parse(Pem.text(issued.chain()), Pem.text(issued.key()));

        assertThat(read).isEqualTo(issued);
        assertThat(read.chain()).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void legacyKeyFormatsAreRead(boolean rsa) throws Exception {
        Certificate issued =
                (rsa ? ROOT.order().rsa() : ROOT.order()).names("a.example").issue();
        byte[] old = PrivateKeyInfo.getInstance(issued.key().getEncoded())
                .parsePrivateKey()
                .toASN1Primitive()
                .getEncoded();
        if (!rsa) {
            old = withCurve(old);
        }
        String kind = rsa ? "RSA PRIVATE KEY" : "EC PRIVATE KEY";
        String pem =
                "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + block(kind, old);

        assertThat(Certificate.parse(Pem.text(issued.chain()), pem).chain()).isEqualTo(issued.chain());
    }

    /** Adds the curve as openssl does; PKCS#8 has it outside the SEC1 structure. */
    private static byte[] withCurve(byte[] sec1) throws Exception {
        var parts = ECPrivateKey.getInstance(sec1);
        return new ECPrivateKey(256, parts.getKey(), SECObjectIdentifiers.secp256r1).getEncoded();
    }

    private static String block(String kind, byte[] content) {
        return "-----BEGIN " + kind + "-----\r\n" + Base64.getMimeEncoder().encodeToString(content) + "\r\n-----END "
                + kind + "-----\r\n";
    }

    @Test
    void aKeyOfAnotherCertificateIsRejected() {
        Certificate one = ROOT.issue("one.example");
        Certificate two = ROOT.issue("two.example");
        Certificate rsa = ROOT.order().rsa().names("three.example").issue();

        for (PrivateKey other : List.of(two.key(), rsa.key())) {
            assertThatThrownBy(() -> new Certificate(other, one.chain()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("the key is not the certificate's");
        }
    }

    @Test
    void aChainInTheWrongOrderIsRejected() {
        Certificate issued = ROOT.intermediate("middle").issue("shop.example");
        List<X509Certificate> reversed =
                List.of(issued.chain().get(1), issued.chain().get(0));

        assertThatThrownBy(() -> new Certificate(issued.key(), reversed))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected the server's own first");
    }

    @Test
    void anUnreadableInputIsRejectedWithTheExpectedFormat() {
        Certificate issued = ROOT.issue("a.example");
        String chain = Pem.text(issued.chain());
        String key = Pem.text(issued.key());

        assertRejected("", key, "expected certificates in PEM");
        assertRejected(key, key, "expected certificates in PEM");
        assertRejected(chain.replace("MII", "NII"), key, "a certificate can't be read");
        assertRejected(chain, chain, "expected a private key in PEM");
        assertRejected(chain, block("ENCRYPTED PRIVATE KEY", new byte[64]), "not encrypted");
        assertRejected(chain, block("PRIVATE KEY", new byte[64]), "the private key can't be read");
        assertRejected(chain, block("EC PRIVATE KEY", new byte[64]), "doesn't name its curve");
        assertRejected(chain, block("EC PRIVATE KEY", new byte[1]), "not DER");
        assertRejected(chain, "-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----", "is not Base64");
    }

    private static void assertRejected(String chain, String key, String message) {
        assertThatThrownBy(() -> Certificate.parse(chain, key))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    /** Input that is truncated or modified at any position is read or rejected, without any other exception. */
    @Test
    void damagedKeysAreReadOrRejected() {
        Certificate issued = ROOT.issue("a.example");
        byte[] key = issued.key().getEncoded();
        for (int i = 0; i < key.length; i++) {
            byte[] damaged = key.clone();
            damaged[i] ^= (byte) 0xff;
            ByteArrayOutputStream cut = new ByteArrayOutputStream();
            cut.write(key, 0, i);
            for (byte[] bytes : List.of(damaged, cut.toByteArray())) {
                for (String kind : List.of("PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY")) {
                    try {
                        Certificate.parse(Pem.text(issued.chain()), block(kind, bytes));
                    } catch (IllegalArgumentException e) {
                        assertThat(e.getMessage()).isNotBlank();
                    }
                }
            }
        }
    }

    @Test
    void theIssuerIsTheCommonNameOfTheCa() {
        assertThat(ROOT.issue("a.example").issuer()).isEqualTo("root");
        assertThat(ROOT.intermediate("the middle one").issue("a.example").issuer())
                .isEqualTo("the middle one");
        assertThat(Certificate.selfSigned("a.example").issuer()).isEqualTo("a.example");
    }

    @Test
    void anIssuerWithoutACommonNameIsShownInFull() {
        Certificate issued = Authority.named("O=Shop, C=DE").issue("a.example");

        assertThat(issued.issuer()).isEqualTo("O=Shop,C=DE");
    }

    @Test
    void namesAreTheSansOrElseTheCommonName() {
        assertThat(ROOT.order()
                        .commonName("cn.example")
                        .names("A.example", "*.b.example")
                        .issue()
                        .names())
                .containsExactlyInAnyOrder("a.example", "*.b.example");
        assertThat(ROOT.order().commonName("CN.example").issue().names()).containsExactly("cn.example");
        assertThat(ROOT.order()
                        .commonName("cn.example")
                        .address("10.0.0.1")
                        .issue()
                        .names())
                .isEmpty();
    }

    @Test
    void aWildcardMatchesOneLabel() {
        Certificate wildcard = ROOT.issue("*.shop.example");

        assertThat(wildcard.fits("www.shop.example")).isTrue();
        assertThat(wildcard.fits("shop.example")).isFalse();
        assertThat(wildcard.fits("a.www.shop.example")).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "shop.example, exact",
        "www.shop.example, later wildcard",
        "old.shop.example, later wildcard",
        "young.shop.example, later wildcard",
    })
    void validityThenExactNameThenLaterExpiryDecide(String name, String expected) {
        Certificate exact = ROOT.issue("shop.example");
        Certificate wildcard = ROOT.order()
                .names("*.shop.example", "*.example")
                .until(days(30))
                .issue();
        Certificate later = ROOT.order()
                .names("*.shop.example", "*.example")
                .until(days(40))
                .issue();
        Certificate expired = ROOT.order().names("old.shop.example").expired().issue();
        Certificate young =
                ROOT.order().names("young.shop.example").from(days(1)).issue();
        CertificateSource source = CertificateSource.of(wildcard, expired, later, young, exact);

        List<Certificate> found = new ArrayList<>(source.find(name));
        found.sort(Certificate.bestFirst(name, NOW));

        assertThat(found.get(0)).isSameAs(expected.equals("exact") ? exact : later);
    }

    @Test
    void anIndexFindsByNameAndReturnsAllWithoutAName() {
        Certificate one = ROOT.issue("one.example", "*.example");
        Certificate two = ROOT.issue("two.example");
        CertificateSource source = CertificateSource.of(one, two);

        assertThat(source.find("one.example")).containsExactly(one);
        assertThat(source.find("two.example")).containsExactly(two, one);
        assertThat(source.find("three.example")).containsExactly(one);
        assertThat(source.find("a.b.example")).isEmpty();
        assertThat(source.find(null)).containsExactly(one, two);
    }

    @Test
    void theOnlyKeyOfAKeyStoreIsRead() throws Exception {
        Certificate shop = Certificate.selfSigned("shop.example");
        X509Certificate[] chain = shop.chain().toArray(X509Certificate[]::new);
        char[] password = "secret".toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        assertThatThrownBy(() -> Certificate.of(store, password))
                .hasMessage("key store with the keys []: expected one private key");

        store.setCertificateEntry("root", chain[0]);
        store.setKeyEntry("shop", shop.key(), password, chain);
        assertThat(Certificate.of(store, password)).isEqualTo(shop);
        assertThatThrownBy(() -> Certificate.of(store, "wrong".toCharArray()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("key store: its key can't be read: ");

        store.setKeyEntry("blog", shop.key(), password, chain);
        assertThatThrownBy(() -> Certificate.of(store, password))
                .hasMessageContainingAll("key store with the keys [", "shop", "blog", "]: expected one private key");
    }

    @Test
    void aSelfSignedCertificateIsForItsName() throws Exception {
        Certificate own = Certificate.selfSigned("millau.invalid");

        X509Certificate certificate = own.chain().get(0);
        certificate.verify(certificate.getPublicKey());
        assertThat(own.names()).containsExactly("millau.invalid");
        assertThat(own.isValid(NOW)).isTrue();
        assertThat(certificate.getSubjectX500Principal().getName()).isEqualTo("CN=millau.invalid");
        assertThat(Certificate.parse(Pem.text(own.chain()), Pem.text(own.key())))
                .isEqualTo(own);
    }

    @Test
    void toStringDoesNotContainTheKey() {
        Certificate own = ROOT.issue("shop.example");

        assertThat(own).hasToString("certificate for shop.example until " + own.expires());
        assertThat(Service.named("shop").certificate(own).build().toString())
                .doesNotContain(Base64.getEncoder()
                        .encodeToString(own.key().getEncoded())
                        .substring(40, 60));
    }

    @Test
    void labelsMayUseAnyFormOfBase64() {
        String pem = Pem.text(ROOT.issue("a.example").chain());
        byte[] bytes = pem.getBytes(StandardCharsets.US_ASCII);

        assertThat(Pem.fromBase64(Base64.getEncoder().encodeToString(bytes))).isEqualTo(pem);
        assertThat(Pem.fromBase64(Base64.getMimeEncoder().encodeToString(bytes)))
                .isEqualTo(pem);
        assertThat(Pem.fromBase64(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes)))
                .isEqualTo(pem);
        assertThatThrownBy(() -> Pem.fromBase64(pem)).hasMessageContaining("not PEM itself: base64 -w0 FILE");
    }

    private static Instant days(int days) {
        return NOW.plus(Duration.ofDays(days));
    }
}
