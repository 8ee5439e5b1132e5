package io.millau.acme;

import io.millau.core.Store;
import io.millau.core.internal.LogText;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.AccountBuilder;
import org.shredzone.acme4j.Login;
import org.shredzone.acme4j.Metadata;
import org.shredzone.acme4j.RenewalInfo;
import org.shredzone.acme4j.Session;
import org.shredzone.acme4j.connector.Resource;
import org.shredzone.acme4j.exception.AcmeException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A CA's directory (RFC 8555, 7.1.1), with our account there. Safe for use by several threads. Most methods block. */
final class Directory {

    private static final Logger LOG = LoggerFactory.getLogger(AcmeCertificates.class);

    /** How long creating an account may take, and how often to check whether another replica has created it. */
    private static final Duration ACCOUNT = Duration.ofMinutes(1);

    private static final Duration LOOK = Duration.ofSeconds(1);

    private final URI uri;
    private final boolean isPrivate;
    private final AccountSettings settings;
    private final Store store;
    private final HttpProvider provider;
    private final Outage outage;
    private final AtomicBoolean announced = new AtomicBoolean();
    private volatile @Nullable Account account;

    /** @param isPrivate whether it may certify names that are not public */
    Directory(URI uri, boolean isPrivate, AccountSettings settings, Store store, HttpProvider provider) {
        this.uri = uri;
        this.isPrivate = isPrivate;
        this.settings = settings;
        this.store = store;
        this.provider = provider;
        this.outage = new Outage(
                "The ACME directory " + uri,
                "Certificates from it stay in use; the next directory is tried, and this one is retried.");
    }

    /**
     * A segment for names in the store: host, port and path. {@code _} replaces characters that a segment may not have.
     */
    String issuer() {
        String path = Optional.ofNullable(uri.getRawPath()).orElse("");
        return (uri.getRawAuthority() + "_" + path).toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9.-]+", "_");
    }

    /** Whether it may certify a name, or a wildcard. */
    boolean serves(String name) {
        String base = PublicNames.base(name);
        return isPrivate ? PublicNames.isHostName(base) : PublicNames.isPublic(base);
    }

    /** Logs its failures. */
    Outage outage() {
        return outage;
    }

    /**
     * Logs in with a new session for each order, so that orders don't wait for each other.
     *
     * @throws OrderException if there can be no account
     */
    Login login(Deadline deadline) throws AcmeException, IOException, OrderException, InterruptedException {
        Session session = new Session(uri, provider);
        session.setLocale(Locale.ENGLISH);
        announce(session.getMetadata());
        Account known = account;
        if (known == null) {
            known = findOrCreate(session, deadline);
        }
        deadline.check();
        return session.login(known.url(), known.keys());
    }

    private void announce(Metadata metadata) {
        if (!announced.getAndSet(true)) {
            LOG.info(
                    "Certificates are ordered, which accepts the directory's terms of service directory={} account={} terms={}",
                    uri,
                    LogText.value(settings),
                    LogText.value(
                            metadata.getTermsOfService().map(URI::toString).orElse("none")));
        }
    }

    private synchronized Account findOrCreate(Session session, Deadline deadline)
            throws AcmeException, IOException, OrderException, InterruptedException {
        Account known = account;
        while (known == null) {
            deadline.check();
            known = find().orElse(null);
            if (known == null) {
                known = create(session).orElse(null);
            }
            if (known == null) {
                deadline.pause(LOOK);
            }
        }
        account = known;
        return known;
    }

    private Optional<Account> find() throws IOException {
        Optional<byte[]> bytes = store.get(value());
        if (bytes.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(Account.parse(bytes.get()));
        } catch (RuntimeException e) {
            LOG.warn(
                    "Set aside, since it can't be used; a new account is made stored={} reason={}",
                    LogText.value(value()),
                    LogText.value(LogMessages.of(e)));
            store.setAside(value());
            return Optional.empty();
        }
    }

    /** @return empty if another replica is creating it */
    private Optional<Account> create(Session session) throws AcmeException, IOException, OrderException {
        Optional<Store.Lock> lock = store.tryLock(value(), ACCOUNT);
        if (lock.isEmpty()) {
            return Optional.empty();
        }
        try {
            Optional<Account> meanwhile = find();
            if (meanwhile.isPresent()) {
                return meanwhile;
            }
            KeyPair keys = newKeys();
            AccountBuilder builder =
                    new AccountBuilder().agreeToTermsOfService().useKeyPair(keys);
            settings.applyTo(builder, session.getMetadata());
            Account created = new Account(builder.createLogin(session).getAccountLocation(), keys);
            store.put(value(), created.bytes());
            store.remove(newKeysValue());
            LOG.info("Account made account={} for={}", created, LogText.value(settings));
            return Optional.of(created);
        } finally {
            Threads.uninterrupted(lock.get()::close);
        }
    }

    /**
     * The keys of an account to be made, stored before it is made: if the account can't be stored afterwards, the CA
     * returns the same account for the same keys (RFC 8555, 7.3.1), and doesn't make another one with each attempt.
     */
    private KeyPair newKeys() throws IOException {
        Optional<byte[]> stored = store.get(newKeysValue());
        if (stored.isPresent()) {
            try {
                return Account.keys(stored.get());
            } catch (RuntimeException e) {
                LOG.debug("{} can't be used, new keys are made", newKeysValue(), e);
            }
        }
        KeyPair keys = Keys.generate();
        store.put(newKeysValue(), Account.bytes(keys));
        return keys;
    }

    /** Call if the CA doesn't know the account. The next login creates a new one. */
    synchronized void forget(Login login) throws IOException {
        Account known = account;
        if (known == null || !known.toString().equals(login.getAccountLocation().toString())) {
            return; // another order has done so already
        }
        account = null;
        Optional<Account> stored = find();
        if (stored.isPresent() && stored.get().toString().equals(known.toString())) {
            LOG.warn("Set aside, since its directory doesn't know it any more account={} directory={}", known, uri);
            store.setAside(value());
        }
    }

    /** When the CA suggests renewing a certificate (RFC 9773); empty if it makes no suggestions. */
    Optional<Renewal.Window> window(X509Certificate certificate, Deadline deadline)
            throws AcmeException, IOException, OrderException, InterruptedException {
        Optional<String> id = CertificateId.of(certificate);
        Login login = login(deadline);
        Optional<URL> base = login.getSession().resourceUrlOptional(Resource.RENEWAL_INFO);
        if (id.isEmpty() || base.isEmpty()) {
            return Optional.empty();
        }
        RenewalInfo info = login.bindRenewalInfo(renewalInfo(base.get(), id.get()));
        Optional<Instant> askAgain = info.fetch();
        Instant start = info.getSuggestedWindowStart();
        Instant end = info.getSuggestedWindowEnd();
        if (!start.isBefore(end)) {
            throw OrderException.atDirectory(
                    "suggests to renew from " + start + " to " + end + ", expected the start before the end");
        }
        return Optional.of(new Renewal.Window(start, end, askAgain));
    }

    private static URL renewalInfo(URL base, String id) throws OrderException {
        String url = base.toExternalForm();
        try {
            return URI.create(url + (url.endsWith("/") ? "" : "/") + id).toURL();
        } catch (IllegalArgumentException | MalformedURLException e) {
            throw OrderException.atDirectory("has renewalInfo " + url + ", expected a URL");
        }
    }

    /** Whether the CA suggests when to renew certificates (RFC 9773). */
    static boolean suggestsRenewals(Login login) throws AcmeException {
        return login.getSession().resourceUrlOptional(Resource.RENEWAL_INFO).isPresent();
    }

    /** The account's name in the store. No host's value has this name. */
    private String value() {
        return issuer() + "/account/key";
    }

    private String newKeysValue() {
        return issuer() + "/account/new-key";
    }

    @Override
    public String toString() {
        return uri.getRawAuthority();
    }
}
