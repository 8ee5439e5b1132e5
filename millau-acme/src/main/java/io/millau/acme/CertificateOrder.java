package io.millau.acme;

import io.millau.core.Certificate;
import java.io.IOException;
import java.security.KeyPair;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.shredzone.acme4j.Authorization;
import org.shredzone.acme4j.Login;
import org.shredzone.acme4j.Order;
import org.shredzone.acme4j.PollableResource;
import org.shredzone.acme4j.Problem;
import org.shredzone.acme4j.Status;
import org.shredzone.acme4j.challenge.Challenge;
import org.shredzone.acme4j.challenge.Dns01Challenge;
import org.shredzone.acme4j.challenge.Http01Challenge;
import org.shredzone.acme4j.challenge.TlsAlpn01Challenge;
import org.shredzone.acme4j.exception.AcmeException;
import org.shredzone.acme4j.exception.AcmeRateLimitedException;
import org.shredzone.acme4j.exception.AcmeServerException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One order (RFC 8555, 7.4): for one name, at one directory, with one type of challenge, since a failed challenge makes
 * its authorization invalid. For one thread. Blocks.
 */
final class CertificateOrder {

    private static final Logger LOG = LoggerFactory.getLogger(AcmeCertificates.class);

    /** How long a CA may take to validate a challenge; leaves time for the other type. */
    private static final Duration PROOF = Duration.ofSeconds(60);

    private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

    private static final Set<Status> PROVED = EnumSet.of(Status.VALID);
    private static final Set<Status> READY = EnumSet.of(Status.READY, Status.VALID);
    private static final Set<Status> ISSUED = EnumSet.of(Status.VALID);

    /** Final states of failure (RFC 8555, 7.1.6). */
    private static final Set<Status> DEAD =
            EnumSet.of(Status.INVALID, Status.DEACTIVATED, Status.EXPIRED, Status.REVOKED, Status.CANCELED);

    private final Directory directory;
    private final Challenges challenges;
    private final @Nullable DnsRecords dns;
    private final Clock clock;
    private final String name;
    private final ChallengeType type;
    private final @Nullable StoredCertificate renewed;
    private final Deadline deadline;

    /**
     * @param dns for DNS challenges
     * @param renewed the certificate to be replaced; null if there is none
     */
    CertificateOrder(
            Directory directory,
            Challenges challenges,
            @Nullable DnsRecords dns,
            Clock clock,
            String name,
            ChallengeType type,
            @Nullable StoredCertificate renewed,
            Deadline deadline) {
        this.directory = directory;
        this.challenges = challenges;
        this.dns = dns;
        this.clock = clock;
        this.name = name;
        this.type = type;
        this.renewed = renewed;
        this.deadline = deadline;
    }

    /**
     * Obtains the certificate.
     *
     * @throws AcmeException if the CA can't be used; so do unchecked exceptions, see {@link OrderException#of}
     * @throws IOException if the store fails
     */
    StoredCertificate obtain() throws AcmeException, IOException, OrderException, InterruptedException {
        Order order = createWithAccount();
        for (Authorization authorization : order.getAuthorizations()) {
            prove(authorization);
        }
        order.fetch();
        await(order, READY);
        KeyPair keys = Keys.generate();
        deadline.check();
        order.execute(SigningRequest.of(name, keys));
        await(order, ISSUED);
        org.shredzone.acme4j.Certificate issued = order.getCertificate();
        Certificate certificate = new Certificate(keys.getPrivate(), issued.getCertificateChain());
        check(certificate);
        return new StoredCertificate(directory.issuer(), issued.getLocation().toString(), type, certificate);
    }

    private void check(Certificate certificate) throws OrderException {
        if (!certificate.fits(name)) {
            throw OrderException.atDirectory("sent a certificate for " + certificate.names() + ", expected " + name);
        }
        if (!certificate.expires().isAfter(clock.instant())) {
            throw OrderException.atDirectory("sent a certificate that expired " + certificate.expires()
                    + " (is this machine's clock right? It shows " + clock.instant() + ")");
        }
    }

    private Order createWithAccount() throws AcmeException, IOException, OrderException, InterruptedException {
        Login login = directory.login(deadline);
        try {
            return create(login);
        } catch (AcmeServerException e) {
            if (!OrderException.isProblem(e, "accountDoesNotExist")) {
                throw e;
            }
            directory.forget(login);
            return create(directory.login(deadline));
        }
    }

    private Order create(Login login) throws AcmeException {
        Optional<String> replaced = replaced(login);
        if (replaced.isPresent()) {
            try {
                return login.newOrder().domain(name).replaces(replaced.get()).create();
            } catch (AcmeRateLimitedException e) {
                throw e;
            } catch (AcmeServerException e) {
                // Another replica has replaced it (RFC 9773, 5), or the CA was set up anew at this URL.
                LOG.debug("{} rejects an order that replaces the certificate of {}", directory, name, e);
            }
        }
        return login.newOrder().domain(name).create();
    }

    private Optional<String> replaced(Login login) throws AcmeException {
        if (renewed == null || !renewed.issuer().equals(directory.issuer()) || !Directory.suggestsRenewals(login)) {
            return Optional.empty();
        }
        return CertificateId.of(renewed.leaf());
    }

    private void prove(Authorization authorization)
            throws AcmeException, IOException, OrderException, InterruptedException {
        if (authorization.getStatus() == Status.VALID) {
            return; // still valid from an earlier order
        }
        Challenge challenge = authorization.findChallenge(type.toString()).orElse(null);
        if (challenge == null) {
            throw OrderException.challengeFailed(type + " is not offered");
        }
        deadline.check();
        Challenges.Response response = publish(challenge);
        try {
            challenge.trigger();
            Duration atMost = deadline.left().compareTo(PROOF) < 0 ? deadline.left() : PROOF;
            awaitProof(authorization, atMost);
        } finally {
            response.close();
        }
    }

    private Challenges.Response publish(Challenge challenge) throws IOException, OrderException, InterruptedException {
        if (challenge instanceof Dns01Challenge record && dns != null) {
            return dns.publish(PublicNames.base(name), record.getDigest(), deadline);
        }
        if (challenge instanceof Http01Challenge http) {
            return challenges.http(http.getToken(), http.getAuthorization());
        }
        if (challenge instanceof TlsAlpn01Challenge tls) {
            return challenges.tls(name, TlsChallenge.certificate(name, tls.getAcmeValidation()));
        }
        throw OrderException.challengeFailed(type + " has an unexpected type: " + challenge.getType());
    }

    private void awaitProof(Authorization authorization, Duration atMost)
            throws AcmeException, OrderException, InterruptedException {
        Status status = poll(authorization, PROVED, atMost);
        if (PROVED.contains(status)) {
            return;
        }
        Optional<Problem> problem = authorization.findChallenge(type.toString()).flatMap(Challenge::getError);
        if (problem.isPresent()) {
            String base = PublicNames.base(name);
            String question = type == ChallengeType.DNS && dns != null ? dns.question(base) : type.question(base);
            throw OrderException.challengeFailed(type, problem.get(), question);
        }
        throw OrderException.challengeFailed(
                DEAD.contains(status)
                        ? type + " failed, and " + directory + " gives no reason"
                        : type + " was not validated by " + directory + " within " + atMost.toSeconds() + " s");
    }

    private void await(Order order, Set<Status> wanted) throws AcmeException, OrderException, InterruptedException {
        Status status = poll(order, wanted, deadline.left());
        if (!wanted.contains(status)) {
            throw OrderException.atDirectory("ends the order as " + status + ", expected " + wanted
                    + order.getError()
                            .map(problem -> ": " + LogMessages.of(problem))
                            .orElse(""));
        }
    }

    /** @return the last status: a wanted one, a final one, or another one if the time ran out */
    private static Status poll(PollableResource resource, Set<Status> wanted, Duration atMost)
            throws AcmeException, InterruptedException {
        Deadline end = new Deadline(atMost);
        Duration pause = FIRST_PAUSE;
        Status status = resource.getStatus();
        while (!wanted.contains(status) && !DEAD.contains(status) && end.left().compareTo(pause) > 0) {
            Thread.sleep(pause.toMillis());
            Optional<Instant> notBefore = resource.fetch();
            pause = next(pause, notBefore);
            status = resource.getStatus();
        }
        return status;
    }

    /** The pause that the CA asks for, within limits. */
    private static Duration next(Duration pause, Optional<Instant> notBefore) {
        Duration wished =
                notBefore.map(at -> Duration.between(Instant.now(), at)).orElse(pause.multipliedBy(2));
        Duration longer = wished.compareTo(pause) < 0 ? pause : wished;
        return longer.compareTo(LONGEST_PAUSE) < 0 ? longer : LONGEST_PAUSE;
    }
}
