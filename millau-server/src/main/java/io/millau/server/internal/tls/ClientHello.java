package io.millau.server.internal.tls;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The first message of a client (RFC 8446, 4.1.2). It is read before there is an engine, since it determines which certificates
 * can be used, and whether the client needs a certificate. Immutable.
 *
 * @param serverName the host name that the client asks for (RFC 6066, 3), in lower case; null if there is none
 * @param protocols the application protocols (RFC 7301, 3.1)
 * @param keys the types of keys whose signatures the client can verify, with their names in Java
 */
record ClientHello(@Nullable String serverName, List<String> protocols, Set<String> keys) {

    /** Stands for a message that can't be read; the engine will report why. */
    static final ClientHello UNREADABLE = new ClientHello(null, List.of(), Set.of("RSA", "EC"));

    /** More than any client sends, even with post-quantum keys. */
    private static final int MOST_BYTES = 16 * 1024;

    private static final int HANDSHAKE = 22;
    private static final int CLIENT_HELLO = 1;
    private static final int RANDOM_BYTES = 32;

    // Extensions.
    private static final int SERVER_NAME = 0;
    private static final int SIGNATURE_ALGORITHMS = 13;
    private static final int APPLICATION_PROTOCOLS = 16;
    private static final int SUPPORTED_VERSIONS = 43;

    private static final int TLS_1_3 = 0x0304;

    /** The supported suites of TLS 1.2 with ECDSA. */
    private static final Set<Integer> ECDSA_SUITES = Set.of(0xc02b, 0xc02c, 0xcca9);

    private static final Set<Integer> ECDSA = Set.of(0x0403, 0x0503, 0x0603);
    private static final Set<Integer> RSA = Set.of(0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806);

    /**
     * Reads the message; the buffer is not changed.
     *
     * @return null while the message is incomplete
     */
    static @Nullable ClientHello read(ByteBuffer received) {
        ByteBuffer records = received.duplicate();
        ByteBuffer message = ByteBuffer.allocate(Math.min(records.remaining(), MOST_BYTES));
        while (records.remaining() >= 5 && !isWhole(message)) {
            int type = records.get();
            records.getShort();
            int length = records.getShort() & 0xffff;
            if (type != HANDSHAKE || length == 0) {
                return UNREADABLE;
            }
            int there = Math.min(length, records.remaining());
            if (there > message.remaining()) {
                return UNREADABLE;
            }
            message.put(records.slice(records.position(), there));
            records.position(records.position() + there);
        }
        return readMessage(message.flip(), received.remaining());
    }

    /** Other records may follow, as soon as the client sends them. */
    private static boolean isWhole(ByteBuffer message) {
        return message.position() >= 4 && message.position() - 4 >= (message.getInt(0) & 0xffffff);
    }

    private static @Nullable ClientHello readMessage(ByteBuffer message, int received) {
        if (message.remaining() < 4) {
            return received < MOST_BYTES ? null : UNREADABLE;
        }
        int head = message.getInt();
        int length = head & 0xffffff;
        if (head >>> 24 != CLIENT_HELLO || length > MOST_BYTES) {
            return UNREADABLE;
        }
        if (length > message.remaining()) {
            return received < MOST_BYTES ? null : UNREADABLE;
        }
        try {
            return new Reader().read(message.limit(message.position() + length));
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            return UNREADABLE;
        }
    }

    /** Whether these are the first bytes of a request without TLS: no record begins with a letter. */
    static boolean isPlainHttp(ByteBuffer received) {
        byte first = received.hasRemaining() ? received.get(received.position()) : 0;
        return first >= 'A' && first <= 'Z';
    }

    /** Whether the client offers an application protocol. */
    boolean offers(String protocol) {
        return protocols.contains(protocol);
    }

    private static final class Reader {
        private @Nullable String serverName;
        private final List<String> protocols = new ArrayList<>();
        private final Set<Integer> suites = new HashSet<>();
        private final Set<Integer> signatures = new HashSet<>();
        private final Set<Integer> versions = new HashSet<>();

        ClientHello read(ByteBuffer hello) {
            hello.position(hello.position() + 2 + RANDOM_BYTES);
            part(hello, 1); // session
            ByteBuffer suiteList = part(hello, 2);
            while (suiteList.hasRemaining()) {
                suites.add(suiteList.getShort() & 0xffff);
            }
            part(hello, 1); // compression
            ByteBuffer extensions = hello.hasRemaining() ? part(hello, 2) : hello;
            while (extensions.hasRemaining()) {
                int type = extensions.getShort() & 0xffff;
                extension(type, part(extensions, 2));
            }
            return new ClientHello(serverName, List.copyOf(protocols), keys());
        }

        private void extension(int type, ByteBuffer content) {
            switch (type) {
                case SERVER_NAME -> {
                    ByteBuffer names = part(content, 2);
                    if (names.get() == 0) {
                        String name = text(part(names, 2)).toLowerCase(Locale.ROOT);
                        serverName = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
                    }
                }
                case APPLICATION_PROTOCOLS -> {
                    ByteBuffer names = part(content, 2);
                    while (names.hasRemaining()) {
                        protocols.add(text(part(names, 1)));
                    }
                }
                case SIGNATURE_ALGORITHMS -> numbers(part(content, 2), signatures);
                case SUPPORTED_VERSIONS -> numbers(part(content, 1), versions);
                default -> {}
            }
        }

        /** Without the extension, a client of TLS 1.2 supports the algorithms of its suites (RFC 5246, 7.4.1.4.1). */
        private Set<String> keys() {
            Set<String> keys = new HashSet<>();
            if (signatures.isEmpty() || signatures.stream().anyMatch(RSA::contains)) {
                keys.add("RSA");
            }
            if ((signatures.isEmpty() || signatures.stream().anyMatch(ECDSA::contains))
                    && (versions.contains(TLS_1_3) || suites.stream().anyMatch(ECDSA_SUITES::contains))) {
                keys.add("EC");
            }
            return Set.copyOf(keys);
        }

        private static void numbers(ByteBuffer list, Set<Integer> to) {
            while (list.hasRemaining()) {
                to.add(list.getShort() & 0xffff);
            }
        }

        /** Reads a part that is preceded by its length. */
        private static ByteBuffer part(ByteBuffer from, int bytesOfLength) {
            int length = bytesOfLength == 1 ? from.get() & 0xff : from.getShort() & 0xffff;
            if (length > from.remaining()) {
                throw new BufferUnderflowException();
            }
            ByteBuffer part = from.slice(from.position(), length);
            from.position(from.position() + length);
            return part;
        }

        private static String text(ByteBuffer bytes) {
            return StandardCharsets.ISO_8859_1.decode(bytes).toString();
        }
    }
}
