package io.millau.core.internal;

import static java.time.temporal.ChronoUnit.DAYS;

import io.millau.core.Certificate;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;

/**
 * Issues certificates with EC keys: that of a server without another one, so that the port responds and clients see what is
 * missing, and those of tests. Immutable.
 */
public final class Issuer {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);

    private static final byte[] VERSION_3 = {(byte) 0xa0, 3, Der.INTEGER, 1, 2};
    private static final byte[] ECDSA_WITH_SHA256 = Der.sequence(Der.objectIdentifier("1.2.840.10045.4.3.2"));
    private static final byte[] COMMON_NAME = Der.objectIdentifier("2.5.4.3");
    private static final byte[] TRUE = Der.bool(true);

    /** Critical basic constraints (RFC 5280, 4.2.1.9). */
    private static final byte[] AUTHORITY =
            Der.sequence(Der.objectIdentifier("2.5.29.19"), TRUE, Der.value(Der.OCTET_STRING, Der.sequence(TRUE)));

    private static final byte[] SUBJECT_ALTERNATIVE_NAME = Der.objectIdentifier("2.5.29.17");

    private static final int CONTEXT_2 = 0x82; // dNSName (RFC 5280, 4.2.1.6)
    private static final int CONTEXT_3 = 0xa3; // extensions (RFC 5280, 4.1)

    private final KeyPair keys;
    private final byte[] name;
    private final X509Certificate certificate;

    private Issuer(KeyPair keys, byte[] name, X509Certificate certificate) {
        this.keys = keys;
        this.name = name;
        this.certificate = certificate;
    }

    /** A certificate that its own key has signed, valid for a year; its common name and only DNS name is the name. */
    public static Certificate selfSigned(String name) throws GeneralSecurityException {
        return selfSigned(name, alternativeName(name));
    }

    /**
     * A certificate that its own key has signed, valid for a year.
     *
     * @param name its common name
     * @param extensions of RFC 5280, 4.2, in DER
     */
    public static Certificate selfSigned(String name, byte[]... extensions) throws GeneralSecurityException {
        return issuer(name, extensions).asServer();
    }

    /** An authority that nobody trusts yet, valid for a year. */
    public static Issuer authority(String name) throws GeneralSecurityException {
        return issuer(name, AUTHORITY);
    }

    private static Issuer issuer(String name, byte[]... extensions) throws GeneralSecurityException {
        KeyPair keys = newKeys();
        byte[] subject = subject(name);
        Instant now = Instant.now();
        return new Issuer(
                keys, subject, sign(keys, subject, subject, keys, now.minus(1, DAYS), now.plus(365, DAYS), extensions));
    }

    /** Its own certificate, for those who are to trust it. */
    public X509Certificate certificate() {
        return certificate;
    }

    private Certificate asServer() {
        return new Certificate(keys.getPrivate(), List.of(certificate));
    }

    /**
     * Issues a certificate for a server.
     *
     * @param server its common name and only DNS name
     */
    public Certificate issue(String server, Instant from, Instant until) throws GeneralSecurityException {
        KeyPair own = newKeys();
        return new Certificate(
                own.getPrivate(),
                List.of(sign(keys, name, subject(server), own, from, until, alternativeName(server))));
    }

    private static KeyPair newKeys() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        return generator.generateKeyPair();
    }

    private static byte[] subject(String name) {
        return Der.sequence(Der.value(Der.SET, Der.sequence(COMMON_NAME, Der.text(name))));
    }

    private static X509Certificate sign(
            KeyPair issuerKeys,
            byte[] issuer,
            byte[] subject,
            KeyPair own,
            Instant from,
            Instant until,
            byte[]... extensions)
            throws GeneralSecurityException {
        byte[] toBeSigned = Der.sequence(
                VERSION_3,
                Der.integer(new BigInteger(127, new SecureRandom()).setBit(0)),
                ECDSA_WITH_SHA256,
                issuer,
                Der.sequence(time(from), time(until)),
                subject,
                own.getPublic().getEncoded(),
                Der.value(CONTEXT_3, Der.sequence(extensions)));
        return Pem.certificate(signed(toBeSigned, issuerKeys.getPrivate()));
    }

    /** A value with its signature, as certificates (RFC 5280, 4.1) and requests for them (RFC 2986, 4.2) are put together. */
    public static byte[] signed(byte[] value, PrivateKey key) throws GeneralSecurityException {
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(key);
        signature.update(value);
        return Der.sequence(value, ECDSA_WITH_SHA256, Der.value(Der.BIT_STRING, new byte[] {0}, signature.sign()));
    }

    private static byte[] time(Instant time) {
        return Der.value(Der.GENERALIZED_TIME, TIME.format(time).getBytes(StandardCharsets.US_ASCII));
    }

    /** The extension with a DNS name (RFC 5280, 4.2.1.6). */
    public static byte[] alternativeName(String name) {
        byte[] names = Der.sequence(Der.value(CONTEXT_2, name.getBytes(StandardCharsets.US_ASCII)));
        return Der.sequence(SUBJECT_ALTERNATIVE_NAME, Der.value(Der.OCTET_STRING, names));
    }
}
