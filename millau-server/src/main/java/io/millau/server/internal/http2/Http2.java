package io.millau.server.internal.http2;

/** The numbers of HTTP/2 (RFC 9113, 6 and 7). */
public final class Http2 {

    public static final int DATA = 0;
    public static final int HEADERS = 1;
    public static final int PRIORITY = 2;
    public static final int RST_STREAM = 3;
    public static final int SETTINGS = 4;
    public static final int PUSH_PROMISE = 5;
    public static final int PING = 6;
    public static final int GO_AWAY = 7;
    public static final int WINDOW_UPDATE = 8;
    public static final int CONTINUATION = 9;

    public static final int END_STREAM = 1;
    public static final int ACK = 1;
    public static final int END_HEADERS = 4;
    public static final int PADDED = 8;
    public static final int HAS_PRIORITY = 32;

    public static final int ENABLE_PUSH = 2;
    public static final int MAX_CONCURRENT_STREAMS = 3;
    public static final int INITIAL_WINDOW_SIZE = 4;
    public static final int MAX_FRAME_SIZE = 5;
    public static final int MAX_HEADER_LIST_SIZE = 6;

    /** RFC 8441, 3. */
    public static final int ENABLE_CONNECT_PROTOCOL = 8;

    public static final int NO_ERROR = 0;
    public static final int PROTOCOL_ERROR = 1;
    public static final int INTERNAL_ERROR = 2;
    public static final int FLOW_CONTROL_ERROR = 3;
    public static final int STREAM_CLOSED = 5;
    public static final int FRAME_SIZE_ERROR = 6;
    public static final int REFUSED_STREAM = 7;
    public static final int CANCEL = 8;
    public static final int COMPRESSION_ERROR = 9;
    public static final int ENHANCE_YOUR_CALM = 11;

    /** Of a frame's head (4.1). */
    public static final int FRAME_HEAD_BYTES = 9;

    /** The largest payload that needs no leave (4.2). */
    public static final int MAX_PAYLOAD_BYTES = 16 * 1024;

    /** What the windows begin with (6.9.2). */
    public static final int INITIAL_WINDOW_BYTES = 65_535;

    private Http2() {}

    /** The peer broke a rule of the connection as a whole, which ends with this code (5.4.1). */
    public static final class ConnectionException extends Exception {
        private static final long serialVersionUID = 1;

        public final int code;

        public ConnectionException(int code, String message) {
            super(message);
            this.code = code;
        }
    }
}
