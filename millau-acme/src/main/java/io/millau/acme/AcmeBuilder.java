package io.millau.acme;

import io.millau.core.Store;
import java.net.URI;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What {@link AcmeCertificates} are to know. For one thread; every method throws {@link IllegalArgumentException} for a value that is none. */
public final class AcmeBuilder {

    /** Less than the part of the lease that is left when an order gives up. */
    private static final Duration LONGEST_ANSWER = Duration.ofSeconds(20);

    private static final int LONGEST_ISSUER = 200;

    private final Store store;
    private List<URI> directories = List.of();
    private List<X509Certificate> trusted = List.of();
    private @Nullable String email;
    private Applicant.@Nullable Binding binding;
    private Clock clock = Clock.systemUTC();
    private Duration lease = Duration.ofMinutes(3);

    AcmeBuilder(Store store) {
        this.store = store;
    }

    /** The CAs' directories, at least one; a later one is tried where those before it can't be used. */
    public AcmeBuilder directories(List<URI> directories) {
        for (URI directory : directories) {
            if (!Set.of("http", "https").contains(String.valueOf(directory.getScheme()))
                    || directory.getHost() == null) {
                throw new IllegalArgumentException("expected the https URL of an ACME directory, not " + directory);
            }
        }
        this.directories = List.copyOf(directories);
        return this;
    }

    /** Where CAs write to about the account; none if it isn't set. */
    public AcmeBuilder email(String email) {
        if (!email.matches("[^\\s@,?]+@[^\\s@,?]+")) {
            throw new IllegalArgumentException("expected an email address, not " + email);
        }
        this.email = email;
        return this;
    }

    /**
     * The customer's account with a CA whose directory asks for one (external account binding, RFC 8555, 7.3.4).
     *
     * @param kid the key's id
     * @param hmac the key in base64url
     */
    public AcmeBuilder externalAccount(String kid, String hmac) {
        if (kid.isBlank()) {
            throw new IllegalArgumentException("expected the id of a key for an external account");
        }
        try {
            Base64.getUrlDecoder().decode(hmac);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("expected the key of the external account " + kid + " in base64url", e);
        }
        this.binding = new Applicant.Binding(kid, hmac);
        return this;
    }

    /**
     * CAs that vouch for the directories themselves, beside those that the JDK knows. With one, directories are private: they
     * may vouch for single labels and names of private domains too. So may those whose own host is an address or such a name.
     */
    public AcmeBuilder trusted(List<X509Certificate> trusted) {
        this.trusted = List.copyOf(trusted);
        return this;
    }

    /** Dates; time limits are real time. */
    AcmeBuilder clock(Clock clock) {
        this.clock = clock;
        return this;
    }

    /** How long an order may take: then another replica may begin one. */
    AcmeBuilder lease(Duration lease) {
        this.lease = lease;
        return this;
    }

    /** Builds them, and starts their threads; they ask a CA only when a name is wanted that needs it. */
    public AcmeCertificates start() {
        Applicant applicant = new Applicant(email, binding);
        HttpProvider provider = new HttpProvider(trusted, LONGEST_ANSWER);
        List<Directory> all = directories.stream()
                .map(uri -> new Directory(uri, isPrivate(uri), applicant, store, provider))
                .toList();
        check(all.stream().map(Directory::issuer).toList());
        AcmeCertificates certificates = new AcmeCertificates(store, all, clock, lease);
        certificates.begin();
        return certificates;
    }

    private boolean isPrivate(URI directory) {
        return !trusted.isEmpty() || !PublicNames.isPublic(directory.getHost().toLowerCase(Locale.ROOT));
    }

    private static void check(List<String> issuers) {
        if (issuers.isEmpty()) {
            throw new IllegalArgumentException("expected at least one ACME directory");
        }
        if (issuers.stream().distinct().count() < issuers.size()) {
            throw new IllegalArgumentException("expected directories that differ, not " + issuers);
        }
        String tooLong = issuers.stream()
                .filter(issuer -> issuer.length() > LONGEST_ISSUER)
                .collect(Collectors.joining(" "));
        if (!tooLong.isEmpty()) {
            throw new IllegalArgumentException(
                    "expected URLs of at most " + LONGEST_ISSUER + " characters, not " + tooLong);
        }
    }
}
