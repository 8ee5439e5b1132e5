package io.millau.core.internal;

import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads and writes keys and certificates in PEM (RFC 7468). Text outside of PEM blocks is ignored. Pure functions.
 *
 * <p>Messages never show the text, since it may be a key.
 */
public final class Pem {

    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\\s]*)-----END \\1-----");

    private static final String CERTIFICATE = "CERTIFICATE";
    private static final String PKCS8_KEY = "PRIVATE KEY";
    private static final String PKCS1_KEY = "RSA PRIVATE KEY";
    private static final String SEC1_KEY = "EC PRIVATE KEY";

    private static final byte[] VERSION_0 = {Der.INTEGER, 1, 0};
    private static final byte[] NULL = {5, 0};
    private static final byte[] RSA = Der.objectIdentifier("1.2.840.113549.1.1.1");
    private static final byte[] EC = Der.objectIdentifier("1.2.840.10045.2.1");

    private Pem() {}

    /**
     * Reads all certificates in a text, in order; at least one.
     *
     * @throws IllegalArgumentException if there is none, or one can't be read
     */
    public static List<X509Certificate> certificates(String text) {
        List<X509Certificate> all = new ArrayList<>();
        Matcher block = BLOCK.matcher(text);
        while (block.find()) {
            if (block.group(1).equals(CERTIFICATE)) {
                all.add(certificate(content(block)));
            }
        }
        if (all.isEmpty()) {
            throw new IllegalArgumentException("expected certificates in PEM: -----BEGIN CERTIFICATE-----");
        }
        return all;
    }

    /**
     * Reads the first private key in a text: RSA in PKCS#8 or PKCS#1 (RFC 8017, A.1.2), EC in PKCS#8 or SEC 1 (RFC
     * 5915).
     *
     * @throws IllegalArgumentException if there is none, or it can't be read
     */
    public static PrivateKey privateKey(String text) {
        Matcher block = BLOCK.matcher(text);
        while (block.find()) {
            switch (block.group(1)) {
                case PKCS8_KEY -> {
                    return key(content(block));
                }
                case PKCS1_KEY -> {
                    return key(pkcs8(Der.sequence(RSA, NULL), content(block)));
                }
                case SEC1_KEY -> {
                    byte[] content = content(block);
                    return key(pkcs8(Der.sequence(EC, curve(content)), content));
                }
                default -> {} // EC PARAMETERS, certificates
            }
        }
        throw new IllegalArgumentException(
                text.contains("ENCRYPTED") // in the label or a header of a block
                        ? "expected a private key that is not encrypted"
                        : "expected a private key in PEM: -----BEGIN PRIVATE KEY-----");
    }

    /** Writes a private key in PKCS#8. */
    public static String text(PrivateKey key) {
        return text(PKCS8_KEY, key.getEncoded());
    }

    /** Writes certificates, in order. */
    public static String text(List<X509Certificate> certificates) {
        StringBuilder text = new StringBuilder();
        try {
            for (X509Certificate certificate : certificates) {
                text.append(text(CERTIFICATE, certificate.getEncoded()));
            }
        } catch (CertificateException e) {
            throw new IllegalArgumentException("a certificate can't be encoded", e);
        }
        return text.toString();
    }

    private static String text(String kind, byte[] content) {
        return "-----BEGIN " + kind + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content)
                + "\n-----END " + kind + "-----\n";
    }

    private static byte[] content(Matcher block) {
        try {
            return Base64.getMimeDecoder().decode(block.group(2));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("the " + block.group(1) + " is not Base64", e);
        }
    }

    public static X509Certificate certificate(byte[] der) {
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
        } catch (CertificateException e) {
            throw new IllegalArgumentException("a certificate can't be read: it is damaged or cut", e);
        }
    }

    private static byte[] pkcs8(byte[] algorithm, byte[] key) {
        return Der.sequence(VERSION_0, algorithm, Der.value(Der.OCTET_STRING, key));
    }

    /** ECPrivateKey ::= SEQUENCE { version, privateKey, [0] parameters, [1] publicKey }; the parameters name the curve. */
    private static byte[] curve(byte[] sec1) {
        ByteBuffer parts = Der.Value.read(ByteBuffer.wrap(sec1)).content();
        while (parts.hasRemaining()) {
            Der.Value part = Der.Value.read(parts);
            if (part.tag() == 0xa0) {
                return Der.Value.read(part.content()).bytes();
            }
        }
        throw new IllegalArgumentException("the EC PRIVATE KEY doesn't name its curve: expected PKCS#8");
    }

    private static PrivateKey key(byte[] pkcs8) {
        PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(pkcs8);
        for (String algorithm : List.of("RSA", "EC")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(spec);
            } catch (InvalidKeySpecException e) {
                // another algorithm
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("a Java runtime without " + algorithm, e);
            }
        }
        throw new IllegalArgumentException("the private key can't be read: expected RSA or EC");
    }

    /**
     * Decodes a label's value in Base64, standard or URL-safe.
     *
     * @throws IllegalArgumentException if it is not Base64
     */
    public static String fromBase64(String value) {
        if (value.contains("-----BEGIN")) { // may look like Base64
            throw new IllegalArgumentException("expected PEM in Base64, not PEM itself: base64 -w0 FILE");
        }
        String compact = value.replaceAll("\\s", "").replace('-', '+').replace('_', '/');
        try {
            return new String(Base64.getDecoder().decode(compact), StandardCharsets.ISO_8859_1);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("expected PEM in Base64: base64 -w0 FILE", e);
        }
    }

    /** Whether the key and the certificate belong together: whether the certificate verifies the key's signature. */
    public static boolean fits(PrivateKey key, X509Certificate certificate) {
        try {
            Signature signature =
                    Signature.getInstance(key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA");
            byte[] probe = {'p', 'r', 'o', 'b', 'e'};
            signature.initSign(key);
            signature.update(probe);
            byte[] signed = signature.sign();
            signature.initVerify(certificate.getPublicKey());
            signature.update(probe);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false; // another type or size of key
        }
    }
}
