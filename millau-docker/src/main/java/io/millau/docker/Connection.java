package io.millau.docker;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * One {@code GET} to an engine, over a Unix socket, TCP or TLS (RFC 9112). Blocks; closing it from another thread ends
 * whatever it waits for.
 */
final class Connection implements AutoCloseable {

    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] ([1-5][0-9]{2})( .*)?");
    private static final int LONGEST_LINE = 8192;
    private static final int MOST_HEADERS = 200;

    private final URI host;
    private final @Nullable SSLContext tls;
    private final SocketChannel channel;

    Connection(URI host, @Nullable SSLContext tls) throws IOException {
        this.host = host;
        this.tls = tls;
        this.channel = isUnix() ? SocketChannel.open(StandardProtocolFamily.UNIX) : SocketChannel.open();
    }

    private boolean isUnix() {
        return host.getScheme().equals("unix");
    }

    /** What the engine answered. */
    record Answer(int status, InputStream body) {}

    /** Connects and asks. */
    Answer get(String path) throws IOException {
        InputStream in;
        OutputStream out;
        if (isUnix()) {
            channel.connect(UnixDomainSocketAddress.of(host.getPath()));
            in = Channels.newInputStream(channel);
            out = Channels.newOutputStream(channel);
        } else {
            InetSocketAddress address = new InetSocketAddress(host.getHost(), host.getPort());
            if (address.isUnresolved()) {
                throw new UnknownHostException(host.getHost() + " can't be resolved");
            }
            channel.connect(address);
            Socket socket = tls == null ? channel.socket() : overTls(tls, channel.socket());
            in = socket.getInputStream();
            out = socket.getOutputStream();
        }
        out.write(request(path).getBytes(StandardCharsets.US_ASCII));
        out.flush();
        return answer(new BufferedInputStream(in, 1 << 14));
    }

    private Socket overTls(SSLContext context, Socket socket) throws IOException {
        SSLSocket secure =
                (SSLSocket) context.getSocketFactory().createSocket(socket, host.getHost(), host.getPort(), true);
        SSLParameters parameters = secure.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        secure.setSSLParameters(parameters);
        return secure;
    }

    private String request(String path) {
        return "GET " + path + " HTTP/1.1\r\nHost: " + (isUnix() ? "docker" : host.getAuthority())
                + "\r\nUser-Agent: millau\r\nAccept: application/json\r\nConnection: close\r\n\r\n";
    }

    private static Answer answer(InputStream in) throws IOException {
        String first = line(in);
        Matcher status = STATUS.matcher(first);
        if (!status.matches()) {
            throw new IllegalArgumentException("expected HTTP/1.1, not " + first);
        }
        boolean chunked = false;
        int headers = 0;
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            chunked |= line.toLowerCase(Locale.ROOT).matches("transfer-encoding:.*chunked\\s*");
            if (++headers > MOST_HEADERS) {
                throw new IllegalArgumentException("expected fewer than " + MOST_HEADERS + " headers");
            }
        }
        // A length is of no interest: what is JSON says itself where it ends.
        return new Answer(Integer.parseInt(status.group(1)), chunked ? new Chunks(in) : in);
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("it closed the connection before it answered");
            }
            if (line.size() == LONGEST_LINE) {
                throw new IllegalArgumentException("expected lines of at most " + LONGEST_LINE + " bytes");
            }
            line.write(c);
        }
        return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // It is given up in any case.
        }
    }

    /** A chunked body (RFC 9112, 7.1). */
    private static final class Chunks extends InputStream {
        private final InputStream in;
        private long left;
        private boolean first = true;
        private boolean ended;

        Chunks(InputStream in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            if (left == 0 && !ended) {
                next();
            }
            if (ended) {
                return -1;
            }
            int read = in.read(buffer, offset, (int) Math.min(length, left));
            if (read < 0) {
                throw new EOFException("its answer broke off");
            }
            left -= read;
            return read;
        }

        private void next() throws IOException {
            if (!first) {
                line(in);
            }
            first = false;
            String size = line(in).replaceFirst("\\s*;.*", "");
            left = Long.parseLong(size, 16);
            ended = left == 0;
        }
    }
}
