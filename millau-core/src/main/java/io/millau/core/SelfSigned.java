package io.millau.core;

import io.millau.core.internal.Der;
import io.millau.core.internal.Pem;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;

/** Makes the certificate of a server without another one, so that the port responds and clients see what is missing. */
final class SelfSigned {

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);

    private static final byte[] VERSION_3 = {(byte) 0xa0, 3, Der.INTEGER, 1, 2};
    private static final byte[] ECDSA_WITH_SHA256 = Der.sequence(Der.objectIdentifier("1.2.840.10045.4.3.2"));
    private static final byte[] COMMON_NAME = Der.objectIdentifier("2.5.4.3");
    private static final byte[] SUBJECT_ALTERNATIVE_NAME = Der.objectIdentifier("2.5.29.17");

    private static final int CONTEXT_2 = 0x82; // dNSName (RFC 5280, 4.2.1.6)
    private static final int CONTEXT_3 = 0xa3; // extensions (RFC 5280, 4.1)

    private SelfSigned() {}

    static Certificate make(String name) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair keys = generator.generateKeyPair();
        Instant now = Instant.now();
        byte[] subject = Der.sequence(Der.value(Der.SET, Der.sequence(COMMON_NAME, Der.text(name))));
        byte[] toBeSigned = Der.sequence(
                VERSION_3,
                Der.integer(new BigInteger(127, new SecureRandom()).setBit(0)),
                ECDSA_WITH_SHA256,
                subject,
                Der.sequence(time(now.minus(1, ChronoUnit.DAYS)), time(now.plus(365, ChronoUnit.DAYS))),
                subject,
                keys.getPublic().getEncoded(),
                Der.value(CONTEXT_3, Der.sequence(alternativeName(name))));
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(keys.getPrivate());
        signature.update(toBeSigned);
        byte[] certificate = Der.sequence(
                toBeSigned, ECDSA_WITH_SHA256, Der.value(Der.BIT_STRING, new byte[] {0}, signature.sign()));
        return new Certificate(keys.getPrivate(), List.of(Pem.certificate(certificate)));
    }

    private static byte[] time(Instant time) {
        return Der.value(Der.GENERALIZED_TIME, TIME.format(time).getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] alternativeName(String name) {
        byte[] names = Der.sequence(Der.value(CONTEXT_2, name.getBytes(StandardCharsets.US_ASCII)));
        return Der.sequence(SUBJECT_ALTERNATIVE_NAME, Der.value(Der.OCTET_STRING, names));
    }
}
