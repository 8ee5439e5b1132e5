package io.millau.server.internal.http2;

import io.millau.server.internal.http2.Http2.ConnectionException;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Gets the content of the frames that the peer sends over an HTTP/2 connection. The form of frames was checked before, and stream
 * numbers are above 0 unless they may be 0. For the connection's I/O thread.
 *
 * <p>Methods throw a {@link ConnectionException} where the peer broke a rule that ends the connection.
 */
public interface FrameReceiver {

    /** Called for each frame, before its content is passed on. */
    void frame(int type, int length) throws ConnectionException;

    /**
     * A part of a body.
     *
     * @param counted how many bytes count against the windows: these, and padding
     * @param ends whether the body ends with this part
     */
    void data(int stream, ByteBuffer bytes, int counted, boolean ends) throws IOException, ConnectionException;

    /**
     * A whole header block, which must be decoded in any case, since later ones depend on it.
     *
     * @param ends whether the message ends with it
     * @param problem what is wrong with the stream; null for nothing
     */
    void headers(int stream, ByteBuffer block, boolean ends, @Nullable String problem)
            throws IOException, ConnectionException;

    void reset(int stream, int code) throws IOException, ConnectionException;

    /** The peer broke a rule that ends only the stream. */
    void streamError(int stream, int code, String problem) throws IOException, ConnectionException;

    void setting(int name, long value) throws ConnectionException;

    /** Called after the last setting of a frame; must acknowledge it. */
    void settingsReceived() throws IOException, ConnectionException;

    /** Must be acknowledged with the same payload. */
    void ping(ByteBuffer payload) throws IOException, ConnectionException;

    void pingAcknowledged() throws ConnectionException;

    /** @param last the last stream that the peer processes */
    void goneAway(int last, int code) throws ConnectionException;

    /** @param stream 0 for the connection */
    void windowUpdate(int stream, int more) throws IOException, ConnectionException;
}
