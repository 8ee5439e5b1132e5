package io.millau.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.millau.core.internal.Pem;
import io.millau.core.testing.Authority;
import io.millau.core.testing.CapturedLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CertificateFolderTest {

    private static final Authority ROOT = Authority.root("root");

    @TempDir
    Path folder;

    @Test
    void pairsAreReadAndReloaded() throws Exception {
        Certificate one = write("one", ROOT.issue("one.example"));
        CertificateSource source = CertificateSource.folder(folder);
        assertThat(source.find("one.example")).containsExactly(one);
        assertThat(source.find(null)).containsExactly(one);
        assertThat(source.configured())
                .containsOnlyKeys(one)
                .containsValue(folder.resolve("one.crt").toString());

        Certificate two = write("two", ROOT.order().rsa().names("two.example").issue());
        source.refresh();
        assertThat(source.find("two.example")).containsExactly(two);

        Certificate renewed = write("one", ROOT.intermediate("a").issue("one.example"));
        source.refresh();
        assertThat(source.find("one.example")).containsExactly(renewed);

        Files.delete(folder.resolve("one.crt"));
        Files.delete(folder.resolve("one.key"));
        source.refresh();
        assertThat(source.find("one.example")).isEmpty();
        assertThat(source.find("two.example")).containsExactly(two);
    }

    @Test
    void invalidFilesDoNotAffectOthersOrReplaceEarlierOnes() throws Exception {
        Certificate one = write("one", ROOT.issue("one.example"));
        write("half", ROOT.issue("half.example"));
        Files.delete(folder.resolve("half.key"));
        Files.writeString(folder.resolve("garbage.crt"), "garbage");
        Files.writeString(folder.resolve("garbage.key"), "garbage");
        Files.createDirectory(folder.resolve("a.crt"));
        Files.write(folder.resolve("huge.crt"), new byte[2 * 1024 * 1024]);
        CertificateSource source = CertificateSource.folder(folder);
        assertThat(source.find(null)).containsExactly(one);

        Files.writeString(
                folder.resolve("one.key"), Pem.text(ROOT.issue("other").key()) + "\n");
        source.refresh();
        assertThat(source.find("one.example")).containsExactly(one);
    }

    /** They were in the log alone. */
    @Test
    void whatCantBeReadIsInTheStatus() throws Exception {
        write("one", ROOT.issue("one.example"));
        Files.writeString(folder.resolve("two.crt"), "no certificate");
        CertificateSource source = CertificateSource.folder(folder);

        assertThat(source.status()).hasSize(2);
        assertThat(source.status().get(1).names()).isEmpty();
        assertThat(source.status().get(1).trouble()).contains("two.crt with two.key", "(it is left out)");
        Files.delete(folder.resolve("two.crt"));
        source.refresh();
        assertThat(source.status()).hasSize(1);
    }

    /** Those of HAProxy and certbot were ignored without a word. */
    @Test
    void whatHasTheFormOfOtherProxiesIsNamedOnce() throws Exception {
        Files.writeString(folder.resolve("README"), "not meant as a certificate");
        Files.writeString(folder.resolve("shop.example.pem"), "chain and key");
        Files.createDirectories(folder.resolve("blog.example"));
        Files.writeString(folder.resolve("blog.example/fullchain.pem"), "chain");
        try (CapturedLog log = new CapturedLog()) {
            CertificateSource source = CertificateSource.folder(folder);
            source.refresh();
            assertThat(log.about("ignored"))
                    .singleElement()
                    .asString()
                    .contains(folder.resolve("blog.example")
                            + " and 1 more are ignored: expected NAME.crt, a chain, with NAME.key, both PEM");
            assertThat(source.status()).isEmpty();

            Files.delete(folder.resolve("blog.example/fullchain.pem"));
            source.refresh();
            assertThat(log.about("ignored")).hasSize(2).element(1).asString().contains("shop.example.pem is ignored");
        }
    }

    @Test
    void aMissingFolderMayAppearLater() throws Exception {
        Path later = folder.resolve("later");
        CertificateSource source = CertificateSource.folder(later);
        assertThat(source.find(null)).isEmpty();
        assertThat(source.status())
                .singleElement()
                .satisfies(status -> assertThat(status.trouble()).contains("can't be read"));

        Files.createDirectory(later);
        Certificate one = ROOT.issue("one.example");
        Files.writeString(later.resolve("one.crt"), Pem.text(one.chain()));
        Files.writeString(later.resolve("one.key"), Pem.text(one.key()));
        source.refresh();
        assertThat(source.find("one.example")).containsExactly(one);
        assertThat(source.status()).hasSize(1).allMatch(status -> status.trouble() == null);
    }

    private Certificate write(String name, Certificate certificate) throws IOException {
        Files.writeString(folder.resolve(name + ".crt"), Pem.text(certificate.chain()));
        Files.writeString(folder.resolve(name + ".key"), Pem.text(certificate.key()));
        return certificate;
    }
}
